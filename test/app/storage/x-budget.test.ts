import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { createXBudget, type XBudget } from '../../../src/storage/x-budget.js'
import { databases, type TestDatabase } from '../../support/databases.js'

describe.each(databases)('the daily budget for the X API in the $name', ({ open }) => {
  let database: TestDatabase
  let clients: ReturnType<typeof connect>[]
  const budget = (dollars: number, client = clients[0]): XBudget => createXBudget(client, dollars)

  beforeAll(async () => {
    database = await open()
    clients = [connect(database.url), connect(database.url)]
  })
  beforeEach(() => clients[0].spend.deleteMany())
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.$disconnect()))
    await database.close()
  })

  const today = new Date().toISOString().slice(0, 10)

  test('is never exceeded, however many processes reserve posts and look-ups at once', async () => {
    const processes = clients.map((client) => budget(3.65, client)) // 730 posts
    const granted = await Promise.all(Array.from({ length: 36 }, async (_, i) =>
      i % 3 ? (await processes[i % 2].reservePosts(100)).posts : 2 * (await processes[i % 2].reserveUser()).users))
    expect(granted.reduce((sum, halfCents) => sum + halfCents, 0)).toBeGreaterThan(725)
    expect((await budget(3.65).spentToday()).dollars).toBe(granted.reduce((sum, halfCents) => sum + halfCents, 0) / 200)
    expect((await budget(3.65).spentToday()).dollars).toBeLessThanOrEqual(3.65)
  })

  test('grants at least a smallest page of 5, or nothing where less is left', async () => {
    expect(await budget(0.06).reservePosts(1)).toMatchObject({ posts: 5 })
    expect(await budget(0.06).reservePosts(100)).toMatchObject({ posts: 7 })
    expect(await budget(0.08).reservePosts(5)).toMatchObject({ posts: 0 })
    expect(await budget(0).reservePosts(5)).toMatchObject({ posts: 0 })
  })

  test('holds for looking users up as well, and both count together', async () => {
    expect(await budget(0.03).reserveUser()).toMatchObject({ users: 1 })
    expect(await budget(0.035).reservePosts(100)).toMatchObject({ posts: 5 })
    expect(await budget(0.04).reserveUser()).toMatchObject({ users: 0 })
    expect(await budget(0.045).reserveUser()).toMatchObject({ users: 1 })
    expect(await budget(0).reserveUser()).toMatchObject({ users: 0 })
    expect(await budget(1).spentToday()).toMatchObject({ posts: 5, users: 2, dollars: 0.045 })
  })

  test.each([0.07, 0.29, 0.57, 1.1, 4.35, 10])('of $%d is spent to the last post', async (dollars) => {
    let posts = 0
    for (let granted = 1; granted > 0; posts += granted) granted = (await budget(dollars).reservePosts(100)).posts
    expect(posts).toBe(Math.round(200 * dollars))
  })

  test('is spent where a look-up and the smallest page are more than what is left', async () => {
    await budget(1).reservePosts(100)
    expect(await budget(0.535).today()).toMatchObject({ isSpent: false })
    expect(await budget(0.53).today()).toMatchObject({ isSpent: true })
  })

  test('does not count what is refunded', async () => {
    const { day } = await budget(10).reservePosts(100)
    await budget(10).reserveUser()
    expect(day).toBe(today)
    await budget(10).refund({ posts: 40 }, day)
    await budget(10).refund({ users: 1 }, day)
    expect(await budget(10).spentToday()).toEqual({ day, posts: 60, users: 0, dollars: 0.3 })
  })

  test('is listed by day in UTC, the latest first, in posts, users and dollars', async () => {
    await clients[0].spend.create({ data: { day: new Date('2026-01-31'), posts: 2000, users: 3 } })
    await budget(10).reservePosts(100)
    await budget(10).reserveUser()
    await budget(10).reserveUser()
    expect(await budget(10).listDays()).toEqual([
      { day: today, posts: 100, users: 2, dollars: 0.52 },
      { day: '2026-01-31', posts: 2000, users: 3, dollars: 10.03 }
    ])
  })

  test('starts again at midnight UTC', async () => {
    await clients[0].spend.create({ data: { day: new Date(Date.now() - 24 * 3_600_000), posts: 2000 } })
    const { isSpent, opensAt } = await budget(10).today()
    expect(isSpent).toBe(false)
    expect(Math.abs(opensAt.getTime() - Date.parse(today) - 24 * 3_600_000)).toBeLessThan(60_000)
  })
})
