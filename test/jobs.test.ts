import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requestCollecting, requestRefresh, startWorker, type Worker } from '../src/jobs.js'
import { openThreads, type Threads } from '../src/threads.js'
import { progressJson } from '../src/view-helpers.js'
import { settled } from './helpers/collect.js'
import { databases, type TestDatabase } from './helpers/databases.js'
import { openTestParts, serve, type TestParts } from './helpers/parts.js'
import { startXApi, type XApiServer } from './helpers/x-api-server.js'

const LEASE = { beat: 100, silence: 800 } // ms
let threads: Threads

beforeAll(() => {
  threads = openThreads()
})
afterAll(() => threads.close())

describe.each(databases)('collecting in the background in the $name', ({ open }) => {
  let database: TestDatabase
  let x: XApiServer
  let opened: TestParts[]
  let workers: Worker[]

  beforeAll(async () => {
    database = await open()
  })
  beforeEach(async () => {
    x = await startXApi()
    opened = []
    workers = []
    const parts = process({})
    await parts.store.reset()
    await parts.collections.reset()
    await parts.prisma.spend.deleteMany()
  })
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await Promise.all(opened.map((parts) => parts.close()))
    await x.close()
  })
  afterAll(() => database.close())

  /** The parts of one of several processes. */
  function process(settings: Record<string, string>): TestParts {
    const parts = openTestParts(database, { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '60', ...settings }, threads, LEASE)
    opened.push(parts)
    return parts
  }

  async function working(settings: Record<string, string> = {}): Promise<TestParts> {
    const parts = process(settings)
    workers.push(await startWorker(parts))
    return parts
  }

  /** Every stored post's id. */
  const storedIds = async () => (await opened[0].prisma.tweet.findMany({ select: { id: true } })).map(({ id }) => id).sort()
  const spent = async () => (await opened[0].prisma.spend.findMany()).reduce((sum, { posts }) => sum + posts, 0)

  test('reads four users side by side, and the one that fails holds nobody up', async () => {
    const parts = await working()
    const names = ['Tansy_Example', 'Fell_Example', 'Bangs_Example', 'protected']
    x.latency = 150
    await requestCollecting(parts, names)
    await settled(parts, names, ({ state }) => state !== 'queued')
    const found = await settled(parts, names)
    expect(found.map(({ usernameKey, state, read, embedded }) => [usernameKey, state, read, embedded])).toEqual([
      ['bangs_example', 'done', 60, 60], ['fell_example', 'done', 60, 60], ['protected', 'failed', 0, 0], ['tansy_example', 'done', 60, 60]
    ])
    expect((await parts.store.listUsers()).map(({ username, tweets }) => [username, tweets]).sort()).toEqual([
      ['Bangs_Example', 60], ['Fell_Example', 60], ['Tansy_Example', 60]
    ])
  })

  test('reads a user whom several ask for at once one time', async () => {
    const parts = [await working(), await working()]
    await Promise.all(Array.from({ length: 6 }, (_, i) => requestCollecting(parts[i % 2], [i % 3 ? 'Fell_Example' : 'FELL_EXAMPLE'])))
    await settled(parts[0], ['Fell_Example'])
    expect(x.calls).toEqual({ requests: 2, posts: 60, users: 1 })
  })

  test.each([
    ['nobody', 404, /^There is no X user @nobody\.$/],
    ['gone', 404, /^There is no X user @gone\.$/],
    ['suspended', 403, /^X has suspended @suspended/],
    ['protected', 403, /^@protected protects their posts/],
    ['protectedtl', 403, /^@protectedtl protects their posts/],
    ['empty', 422, /^@empty has no posts of their own/],
    ['onlyreplies', 422, /^@onlyreplies has no posts of their own/],
    ['unauthorized', 503, /X does not accept the token in the setting X_BEARER_TOKEN/],
    ['broke', 503, /X_BEARER_TOKEN has no credits left/],
    ['notenrolled', 503, /X_BEARER_TOKEN has no access/],
    ['capped', 503, /X_BEARER_TOKEN has read as many posts as its plan allows/]
  ])('ends at once where X answers like %s (%d), and says why', async (username, status, words) => {
    const parts = await working()
    await requestCollecting(parts, [username])
    const [collection] = await settled(parts, [username])
    expect(collection).toMatchObject({ state: 'failed', status, message: expect.stringMatching(words), attempts: 1 })
    expect(progressJson(collection).words).toMatch(words)
    expect(await parts.store.listUsers()).toEqual([])
  })

  test.each([
    ['ratelimited', /^X asks us to wait until \d\d:\d\d UTC; this goes on by itself\.$/],
    ['flaky', /^X is not well at the moment; this goes on by itself\.$/],
    ['cutoff', /^X's answer broke off or made no sense; this goes on by itself\.$/]
  ])('waits where X answers like %s, says so, and goes on by itself', async (username, words) => {
    const parts = await working()
    await requestCollecting(parts, [username])
    const [waiting] = await settled(parts, [username], ({ state }) => state === 'waiting')
    expect(progressJson(waiting)).toMatchObject({ words: expect.stringMatching(words), ended: false })
    expect(await settled(parts, [username])).toMatchObject([{ state: 'done', read: 60, kept: 60, attempts: 0 }])
    expect(new Set(x.served).size).toBe(x.served.length)
    expect(await storedIds()).toEqual([...x.served].sort())
    expect(x.calls.users).toBe(1)
  })

  test('asks nothing of X before a rate limit ends', async () => {
    const parts = await working()
    await requestCollecting(parts, ['ratelimitedforever'])
    const [{ dueAt }] = await settled(parts, ['ratelimitedforever'], ({ state }) => state === 'waiting')
    expect(dueAt.getTime() - Date.now()).toBeGreaterThan(14 * 60_000)
    await pause(2 * LEASE.silence)
    expect(x.calls.requests).toBe(2)
  })

  test.each(['down', 'garbage', 'oddshape', 'badgzip', 'hangup', 'slow', 'trickle'])('tries %s again with growing pauses', async (username) => {
    const parts = await working()
    await requestCollecting(parts, [username])
    const [first] = await settled(parts, [username], ({ attempts }) => attempts === 1)
    const [second] = await settled(parts, [username], ({ attempts }) => attempts === 2)
    expect([first.state, second.state]).toEqual(['waiting', 'waiting'])
    const pauses = [first, second].map(({ dueAt, updatedAt }) => Math.round((dueAt.getTime() - updatedAt.getTime()) / 1000))
    expect(pauses).toEqual([1, 2])
  })

  test('gives up after eight attempts, and says how many there were', async () => {
    const parts = await working()
    await requestCollecting(parts, ['down'])
    await settled(parts, ['down'], ({ attempts }) => attempts === 1)
    await parts.prisma.collection.updateMany({ data: { attempts: 7 } })
    expect(await settled(parts, ['down'])).toMatchObject([
      { state: 'failed', status: 502, message: 'X is not well at the moment. It was tried 8 times.' }
    ])
  })

  test.each(['emptypage', 'partial', 'longposts'])('reads %s like anybody', async (username) => {
    const parts = await working()
    await requestCollecting(parts, [username])
    expect(await settled(parts, [username])).toMatchObject([{ state: 'done', read: 60, kept: 60 }])
  })

  test('hands back what it reads when it is stopped, and another goes on there', async () => {
    const first = process({ X_POSTS_PER_USER: '300' })
    const worker = await startWorker(first)
    x.latency = 100
    await requestCollecting(first, ['Tansy_Example'])
    await settled(first, ['Tansy_Example'], ({ read }) => read >= 100)
    await worker.stop()
    expect(await first.collections.find(['Tansy_Example'])).toMatchObject([{ state: 'queued', worker: null }])
    const second = await working({ X_POSTS_PER_USER: '300' })
    await settled(second, ['Tansy_Example'])
    expect(new Set(x.served).size).toBe(x.served.length)
    expect(await storedIds()).toEqual([...x.served].sort())
  })

  test('takes up what the queue has lost', async () => {
    const parts = process({})
    await parts.collections.request('Fell_Example', 60)
    await working()
    expect(await settled(parts, ['Fell_Example'])).toMatchObject([{ state: 'done' }])
  })

  describe('within the day’s budget', () => {
    test('asks for not one post more, across processes, and goes on the next day', async () => {
      const parts = [await working({ X_DAILY_POST_BUDGET: '130' }), await working({ X_DAILY_POST_BUDGET: '130' })]
      const names = ['Tansy_Example', 'Fell_Example', 'Bangs_Example', 'Query_Example']
      await Promise.all(names.map((name, i) => requestCollecting(parts[i % 2], [name])))
      const found = await settled(parts[0], names, ({ state }) => state === 'done' || state === 'waiting')
      expect(x.calls.posts).toBe(130)
      expect(await spent()).toBe(130)
      expect(await storedIds()).toEqual([...x.served].sort())
      const waiting = found.filter(({ state }) => state === 'waiting')
      expect(waiting.length).toBeGreaterThan(0)
      for (const collection of waiting) {
        expect(collection.dueAt.toISOString()).toMatch(/T00:00:00.000Z$/)
        expect(progressJson(collection).words).toMatch(/budget of 130 posts.*opens again at 00:00 UTC.*imported.*goes on by itself/)
      }
      await parts[0].prisma.spend.updateMany({ data: { day: new Date(Date.now() - 24 * 3_600_000) } }) // a new day
      await parts[0].prisma.collection.updateMany({ where: { state: 'waiting' }, data: { dueAt: new Date(0) } })
      await settled(parts[0], names, ({ state, read }) => state === 'done' || read > 0 && state === 'waiting')
      expect(new Set(x.served).size).toBe(x.served.length)
    })

    test('refuses to add anybody when it is spent', async () => {
      const parts = await working({ X_DAILY_POST_BUDGET: '60' })
      await requestCollecting(parts, ['Fell_Example'])
      await settled(parts, ['Fell_Example'])
      await expect(requestCollecting(parts, ['Bangs_Example'])).rejects.toMatchObject({
        status: 503,
        message: "Today's budget of 60 posts from X is spent. It opens again at 00:00 UTC (tweets can be imported from a file at any time).",
        retry: { at: expect.any(Date) }
      })
      expect(await parts.collections.find(['Bangs_Example'])).toEqual([])
    })

    test('counts what X may have charged for and did not deliver, and nothing that it refused', async () => {
      const parts = await working()
      await requestCollecting(parts, ['cutoff', 'flaky', 'protectedtl'])
      await settled(parts, ['cutoff', 'flaky', 'protectedtl'])
      expect(x.calls.posts).toBe(120)
      expect(await spent()).toBe(180)
    })
  })

  describe('a refresh', () => {
    test('asks only for what is newer, one user after another', async () => {
      const parts = await working()
      const names = ['Fell_Example', 'Bangs_Example', 'Query_Example']
      await requestCollecting(parts, names)
      await settled(parts, names)
      const archive = { id: 'archive:ann', username: 'Ann', name: 'Ann', pictureUrl: null, source: 'archive' as const }
      await parts.store.saveTweets(archive, null, [], 'none')
      x.addPosts('Fell_Example', ['One more.', 'And another.'])
      expect(await requestRefresh(parts)).toBe(3)
      const due = (await parts.collections.find(names)).map(({ dueAt }) => dueAt.getTime()).sort()
      expect(due[1] - due[0]).toBeGreaterThanOrEqual(19_000)
      expect(due[2] - due[1]).toBeGreaterThanOrEqual(19_000)
      await parts.prisma.collection.updateMany({ data: { dueAt: new Date(0) } })
      await settled(parts, names)
      expect(x.calls).toEqual({ requests: 12, users: 6, posts: 182 })
      expect(await parts.store.findUser('Fell_Example')).toMatchObject({ tweets: 62 })
      expect(await parts.collections.find(['Ann'])).toEqual([])
    })

    test('removes posts that X no longer shows, and users who became protected, suspended or nobody', async () => {
      const parts = await working()
      const names = ['Fell_Example', 'Bangs_Example', 'Query_Example']
      await requestCollecting(parts, names)
      await settled(parts, names)
      const gone = x.removePosts('Fell_Example', 2, 3)
      x.addUser('Bangs_Example', { protected: true })
      const suspended = { id: '1', username: 'suspended', name: 'S', pictureUrl: null, source: 'x' as const }
      await parts.store.saveTweets(suspended, null, [], 'none')
      await requestRefresh(parts)
      await parts.prisma.collection.updateMany({ data: { dueAt: new Date(0) } })
      await settled(parts, [...names, 'suspended'])
      expect((await parts.store.listUsers()).map(({ username }) => username).sort()).toEqual(['Fell_Example', 'Query_Example'])
      expect((await storedIds()).filter((id) => gone.includes(id))).toEqual([])
    })

    test('that finds X unwell removes nobody', async () => {
      const parts = await working()
      for (const username of ['down', 'unauthorized', 'broke', 'notenrolled']) {
        await parts.store.saveTweets({ id: username, username, name: username, pictureUrl: null, source: 'x' }, null, [], 'none')
      }
      await requestRefresh(parts)
      await parts.prisma.collection.updateMany({ data: { dueAt: new Date(0) } })
      await settled(parts, ['down', 'unauthorized', 'broke', 'notenrolled'], ({ attempts }) => attempts > 0)
      expect(await parts.store.listUsers()).toHaveLength(4)
    })

    test('comes by itself at the times of REFRESH_CRON', { timeout: 150_000 }, async () => {
      const parts = await working({ REFRESH_CRON: '* * * * *' })
      await requestCollecting(parts, ['Fell_Example'])
      await settled(parts, ['Fell_Example'])
      x.addPosts('Fell_Example', ['One more.'])
      while ((await parts.store.findUser('Fell_Example'))?.tweets !== 61) await pause(200)
      expect(x.calls.posts).toBe(61)
    })
  })

  test('by two workers for two webs stores every post of twenty users once, and asks for each once', { timeout: 120_000 }, async () => {
    const names = Array.from({ length: 20 }, (_, i) => `User_${i}_Example`)
    names.forEach((username, u) => {
      x.addUser(username)
      x.addPosts(username, Array.from({ length: 40 + u }, (_, i) => `${username} says ${i}`))
    })
    const parts = [await working(), await working()]
    const webs = await Promise.all([process({ WORK_QUEUE: 'false' }), process({ WORK_QUEUE: 'false' })].map(serve))
    const add = (web: number, usernames: string[]) => fetch(`${webs[web].url}/users`, {
      method: 'POST', redirect: 'manual', body: new URLSearchParams({ username: usernames.join(' ') })
    })
    const groups = [0, 4, 8, 12, 16].map((first) => names.slice(first, first + 4))
    const answers = await Promise.all(groups.flatMap((group) => [add(0, group), add(1, group)])) // each asked for twice
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(303))
    const found = await settled(parts[0], names)
    expect(found.map(({ state }) => state)).toEqual(Array(20).fill('done'))
    const posts = names.reduce((sum, _, u) => sum + 40 + u, 0)
    expect(x.calls.posts).toBe(posts)
    expect(new Set(x.served).size).toBe(posts)
    expect(await storedIds()).toEqual([...x.served].sort())
    expect(await spent()).toBe(posts)
    expect(x.calls.users).toBe(20)
    await Promise.all(webs.map((web) => web.close()))
  })
})
