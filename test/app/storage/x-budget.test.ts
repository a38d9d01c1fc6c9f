import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { createXBudget, type XBudget } from '../../../src/storage/x-budget.js'
import { databases, type TestDatabase } from '../../support/databases.js'

describe.each(databases)('the daily budget for the X API in the $name', ({ open }) => {
  let database: TestDatabase
  let clients: ReturnType<typeof connect>[]
  let xBudget: XBudget

  beforeAll(async () => {
    database = await open()
    clients = [connect(database.url), connect(database.url)]
    xBudget = createXBudget(clients[0])
  })
  beforeEach(() => clients[0].spend.deleteMany())
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.$disconnect()))
    await database.close()
  })

  const today = new Date().toISOString().slice(0, 10)

  test('is never exceeded, however many processes reserve at once', async () => {
    const processes = clients.map(createXBudget)
    const granted = await Promise.all(Array.from({ length: 24 }, (_, i) => processes[i % 2].reserve(100, 730)))
    expect(granted.reduce((sum, { granted }) => sum + granted, 0)).toBe(730)
    expect(granted.map(({ granted }) => granted).sort((a, b) => b - a)).toEqual([...Array(7).fill(100), 30, ...Array(16).fill(0)])
    expect(await xBudget.today(730)).toMatchObject({ left: 0 })
  })

  test('grants at least a smallest page of 5, or nothing where less is left', async () => {
    expect(await xBudget.reserve(1, 12)).toMatchObject({ granted: 5 })
    expect(await xBudget.reserve(100, 12)).toMatchObject({ granted: 7 })
    expect(await xBudget.reserve(5, 16)).toMatchObject({ granted: 0 })
    expect(await xBudget.today(16)).toMatchObject({ left: 4 })
    expect(await xBudget.reserve(5, 0)).toMatchObject({ granted: 0 })
  })

  test('does not count what is refunded', async () => {
    const { day } = await xBudget.reserve(100, 100)
    expect(day).toBe(today)
    await xBudget.refund(40, day)
    expect(await xBudget.today(100)).toMatchObject({ left: 40 })
  })

  test('is listed by day in UTC, the latest first, in posts, users and dollars', async () => {
    await clients[0].spend.create({ data: { day: new Date('2026-01-31'), posts: 2000, users: 3 } })
    await xBudget.reserve(100, 1000)
    await xBudget.countUser()
    await xBudget.countUser()
    expect(await xBudget.listDays()).toEqual([
      { day: today, posts: 100, users: 2, dollars: 0.52 },
      { day: '2026-01-31', posts: 2000, users: 3, dollars: 10.03 }
    ])
  })

  test('starts again at midnight UTC', async () => {
    await clients[0].spend.create({ data: { day: new Date(Date.now() - 24 * 3_600_000), posts: 1000 } })
    const { left, opensAt } = await xBudget.today(1000)
    expect(left).toBe(1000)
    expect(opensAt.getTime() - Date.parse(today)).toBe(24 * 3_600_000)
  })
})
