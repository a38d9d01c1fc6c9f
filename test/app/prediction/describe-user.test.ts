import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeUser } from '../../../src/prediction/describe-user.js'
import type { UserProfile } from '../../../src/storage/users.js'
import { describeStyle, type StyleProfile } from '../../../src/text/style-profile.js'
import { openThreads, type Threads } from '../../../src/threads/pool.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

let threads: Threads
beforeAll(() => {
  threads = openThreads()
})
afterAll(() => threads.close())

describe.each(databases)('the style profile of a user on the $name', ({ open }) => {
  const MINE = Array.from({ length: 30 }, (_, i) => `Oh well, tea number ${i}!`)
  const THEIRS = Array.from({ length: 30 }, (_, i) => `the coffee is cold, ${i} times`)
  let database: TestDatabase
  let services: TestServices
  let computed: number // how often a thread has described somebody

  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    computed = 0
    services = await openTestServices(database, {}, { ...threads, describeStyle: (own, others) => (computed++, threads.describeStyle(own, others)) })
    await services.userStore.reset()
    await save('Tea_Example', MINE)
    await save('Coffee_Example', THEIRS)
  })
  afterEach(() => services.close())

  async function save(username: string, texts: string[], from = 0): Promise<void> {
    const user: UserProfile = { id: `archive:${username}`, username, name: username, pictureUrl: null, source: 'archive' }
    const tweets = texts.map((text, i) => ({
      id: `${username}:${from + i}`, text, createdAt: new Date(Date.UTC(2026, 0, 1, from + i)), position: BigInt(from + i), embedding: Float32Array.of(1)
    }))
    await services.tweetStore.saveTweets(user, null, tweets, 'none')
  }

  const profileOf = async (username: string, by = services): Promise<StyleProfile> => describeUser(by, (await by.userStore.findUser(username))!)

  test('is what describeStyle says of the stored tweets', async () => {
    const own = MINE.map((text, i) => ({ text, createdAt: new Date(Date.UTC(2026, 0, 1, i)) })).reverse()
    expect(await profileOf('Tea_Example')).toEqual(describeStyle(own, [THEIRS.toReversed()]))
  })

  test('is computed by a thread alone: the page shows what the thread answered', async () => {
    const answer = describeStyle([{ text: 'from the thread', createdAt: null }], [])
    const app = await serve({ ...services, threads: { ...services.threads, describeStyle: async () => answer } })
    const shown = await fetch(`${app.url}/users/Tea_Example`, { headers: { accept: 'application/json' } })
    expect(await shown.json()).toMatchObject({ user: { tweets: 30 }, habits: answer })
    await app.close()
  })

  test('is computed once for an unchanged user, in whatever case the name is asked for', async () => {
    const app = await serve(services)
    for (const name of ['Tea_Example', 'Tea_Example', 'TEA_example']) expect((await fetch(`${app.url}/users/${name}`)).status).toBe(200)
    await app.close()
    expect(computed).toBe(1)
  })

  test('is computed once for callers at the same time', async () => {
    await Promise.all([1, 2, 3, 4].map(() => profileOf('Tea_Example')))
    expect(computed).toBe(1)
  })

  test('is each user’s own', async () => {
    const [tea, coffee] = [await profileOf('Tea_Example'), await profileOf('Coffee_Example')]
    expect(tea.words.map(({ text }) => text)).toContain('tea')
    expect(coffee.words.map(({ text }) => text)).toContain('coffee')
    expect(computed).toBe(2)
  })

  test.each([
    ['the user’s tweets are collected', () => save('Tea_Example', ['And another tea.'], 30)],
    ['another’s tweets are collected', () => save('Coffee_Example', ['and another coffee'], 30)],
    ['another user is added', () => save('Water_Example', ['just water for me'])],
    ['another user is removed', () => services.userStore.removeUser('archive:Coffee_Example')],
    ['a tweet is removed', () => services.prisma.tweet.deleteMany({ where: { id: 'Coffee_Example:3' } })],
    ['as many tweets are removed as collected', async () => {
      await services.prisma.tweet.deleteMany({ where: { id: 'Tea_Example:3' } })
      await save('Tea_Example', ['And another tea.'], 30)
    }]
  ])('is computed anew after %s', async (_, change) => {
    const before = await profileOf('Tea_Example')
    await change()
    const after = await profileOf('Tea_Example')
    expect(computed).toBe(2)
    expect(after).not.toEqual(before)
    await profileOf('Tea_Example')
    expect(computed).toBe(2)
  })

  test('is computed anew after another process has collected tweets', async () => {
    await profileOf('Tea_Example')
    const other = await openTestServices(database, {}, threads)
    const user: UserProfile = { id: 'archive:Coffee_Example', username: 'Coffee_Example', name: 'C', pictureUrl: null, source: 'archive' }
    await other.tweetStore.replaceUsers([{ user, tweets: [] }], 'none')
    await other.close()
    expect((await profileOf('Tea_Example')).others).toEqual({ users: 0, tweets: 0 })
  })

  test('is computed again by the next caller after a thread has failed', async () => {
    const failing = { ...services, threads: { ...services.threads, describeStyle: () => Promise.reject(new Error('out of memory')) } }
    await expect(profileOf('Tea_Example', failing)).rejects.toThrow('out of memory')
    expect((await profileOf('Tea_Example')).tweets).toBe(30)
  })

  test('is not computed anew for users beyond the twenty who are compared', async () => {
    for (let i = 0; i < 20; i++) await save(`New_${i}`, [`new ${i}`])
    const before = await profileOf('Tea_Example')
    expect(before.others.users).toBe(20)
    await services.prisma.tweet.deleteMany({ where: { userId: 'archive:Coffee_Example' } })
    expect(await profileOf('Tea_Example')).toEqual(before)
    expect(computed).toBe(1)
  })
})
