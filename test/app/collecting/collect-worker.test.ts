import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ExpectedError } from '../../../src/core/errors.js'
import { requestCollecting, requestRefresh, startWorker, type Worker } from '../../../src/collecting/collect-worker.js'
import { createXApi } from '../../../src/sources/x/x-api.js'
import { openQueue } from '../../../src/storage/queue.js'
import { progressJson } from '../../../src/web/responses.js'
import { settled } from '../../support/collect.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openDoor } from '../../support/door.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'
import { startXApi, type XApiServer } from '../../../support/x-api-stand-in.js'
import { sharedThreads } from '../../support/threads.js'

const LEASE = { heartbeat: 100, expiry: 800 } // ms
const POLLING = { messages: 0.2, schedules: 1 } // s
const threads = sharedThreads()

describe.each(databases)('collecting in the background in the $name', ({ open }) => {
  let database: TestDatabase
  let x: XApiServer
  let opened: TestServices[]
  let workers: Worker[]

  beforeAll(async () => {
    database = await open()
  })
  beforeEach(async () => {
    x = await startXApi()
    opened = []
    workers = []
    const services = await process({})
    await services.userStore.reset()
    await services.collectJobs.reset()
    await services.prisma.spend.deleteMany()
  })
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await Promise.all(opened.map((services) => services.close()))
    await x.close()
  })
  afterAll(() => database.close())

  /** The services of one of several processes. */
  async function process(settings: Record<string, string>, url = database.url): Promise<TestServices> {
    const services = await openTestServices({ ...database, url }, { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '60', ...settings }, threads, LEASE)
    const queue = openQueue(url, services.log, POLLING)
    const close = async (): Promise<void> => void (await Promise.all([queue.close(), services.close()]))
    opened.push({ ...services, queue, close })
    return opened.at(-1)!
  }

  async function working(settings: Record<string, string> = {}): Promise<TestServices> {
    const services = await process(settings)
    workers.push(await startWorker(services))
    return services
  }

  /** Lets the time pass until waiting jobs are due: their times are moved, and the queue tells the worker. */
  async function comeDue({ prisma, queue }: TestServices): Promise<void> {
    const where = { state: { in: ['queued' as const, 'waiting' as const] } }
    const jobs = await prisma.collectJob.findMany({ select: { usernameKey: true }, where })
    await prisma.collectJob.updateMany({ where, data: { dueAt: new Date(0) } })
    for (const { usernameKey } of jobs) await queue.send(usernameKey)
  }

  /** Every stored post's id. */
  const storedIds = async () => (await opened[0].prisma.tweet.findMany({ select: { id: true } })).map(({ id }) => id).sort()
  const spent = async () => (await opened[0].prisma.spend.findMany()).reduce((sum, { posts }) => sum + posts, 0)

  test('reads four users at the same time, and one that fails does not delay the others', async () => {
    const services = await working()
    const names = ['Tansy_Example', 'Fell_Example', 'Bangs_Example', 'protected']
    x.latency = 150
    await requestCollecting(services, names)
    await settled(services, names, ({ state }) => state !== 'queued')
    const found = await settled(services, names)
    expect(found.map(({ usernameKey, state, read, embedded }) => [usernameKey, state, read, embedded])).toEqual([
      ['bangs_example', 'done', 60, 60], ['fell_example', 'done', 60, 60], ['protected', 'failed', 0, 0], ['tansy_example', 'done', 60, 60]
    ])
    expect((await services.userStore.listUsers()).map(({ username, tweets }) => [username, tweets]).sort()).toEqual([
      ['Bangs_Example', 60], ['Fell_Example', 60], ['Tansy_Example', 60]
    ])
  })

  test('reads a user once whom several request at the same time', async () => {
    const services = [await working(), await working()]
    await Promise.all(Array.from({ length: 6 }, (_, i) => requestCollecting(services[i % 2], [i % 3 ? 'Fell_Example' : 'FELL_EXAMPLE'])))
    await settled(services[0], ['Fell_Example'])
    expect(x.calls).toEqual({ requests: 2, posts: 60, users: 1 })
  })

  test.each([
    ['nobody', 'not-found', /^There is no X user @nobody\.$/],
    ['gone', 'not-found', /^There is no X user @gone\.$/],
    ['suspended', 'forbidden', /^X has suspended @suspended/],
    ['protected', 'forbidden', /^@protected protects their posts/],
    ['protectedtl', 'forbidden', /^@protectedtl protects their posts/],
    ['empty', 'unusable', /^@empty has no posts of their own/],
    ['onlyreplies', 'unusable', /^@onlyreplies has no posts of their own/],
    ['unauthorized', 'unavailable', /X does not accept the token in the setting X_BEARER_TOKEN/],
    ['broke', 'unavailable', /X_BEARER_TOKEN has no credits left/],
    ['notenrolled', 'unavailable', /X_BEARER_TOKEN has no access/],
    ['capped', 'unavailable', /X_BEARER_TOKEN has read as many posts as its plan allows/]
  ])('fails at once where X answers like %s (%s), and says why', async (username, reason, words) => {
    const services = await working()
    await requestCollecting(services, [username])
    const [collection] = await settled(services, [username])
    expect(collection).toMatchObject({ state: 'failed', reason, message: expect.stringMatching(words), attempts: 1 })
    expect(progressJson(collection).words).toMatch(words)
    expect(await services.userStore.listUsers()).toEqual([])
  })

  test.each([
    ['ratelimited', /^X asks us to wait until \d\d:\d\d UTC; this goes on by itself\.$/],
    ['flaky', /^X is not well at the moment; this goes on by itself\.$/],
    ['cutoff', /^X's answer broke off or made no sense; this goes on by itself\.$/]
  ])('waits where X answers like %s, says so, and continues by itself', async (username, words) => {
    const services = await working()
    await requestCollecting(services, [username])
    const [waiting] = await settled(services, [username], ({ state }) => state === 'waiting')
    expect(progressJson(waiting)).toMatchObject({ words: expect.stringMatching(words), ended: false })
    expect(await settled(services, [username])).toMatchObject([{ state: 'done', read: 60, kept: 60, attempts: 0 }])
    expect(new Set(x.served).size).toBe(x.served.length)
    expect(await storedIds()).toEqual([...x.served].sort())
    expect(x.calls.users).toBe(1)
  })

  test('sends nothing to X before a rate limit ends', async () => {
    const services = await working()
    await requestCollecting(services, ['ratelimitedforever'])
    const [{ dueAt }] = await settled(services, ['ratelimitedforever'], ({ state }) => state === 'waiting')
    expect(dueAt.getTime() - Date.now()).toBeGreaterThan(14 * 60_000)
    await pause(2 * LEASE.expiry)
    expect(x.calls.requests).toBe(2)
  })

  test.each(['down', 'garbage', 'oddshape', 'badgzip', 'hangup', 'slow', 'trickle'])('tries %s again with growing pauses', async (username) => {
    const services = await process({})
    const hangs = ['slow', 'trickle'].includes(username)
    const hasty = { ...services, xApi: createXApi({ token: 'good', url: x.url, timeoutMs: 200 }) }
    workers.push(await startWorker(hangs ? hasty : services))
    await requestCollecting(services, [username])
    const [first] = await settled(services, [username], ({ attempts }) => attempts === 1)
    await comeDue(services)
    const [second] = await settled(services, [username], ({ attempts }) => attempts === 2)
    expect([first.state, second.state]).toEqual(['waiting', 'waiting'])
    const pauses = [first, second].map(({ dueAt, updatedAt }) => Math.round((dueAt.getTime() - updatedAt.getTime()) / 1000))
    expect(pauses).toEqual([1, 2])
  })

  test('gives up after eight attempts, and says how many there were', async () => {
    const services = await working()
    await requestCollecting(services, ['down'])
    await settled(services, ['down'], ({ attempts }) => attempts === 1)
    await services.prisma.collectJob.updateMany({ data: { attempts: 7 } })
    await comeDue(services)
    expect(await settled(services, ['down'])).toMatchObject([
      { state: 'failed', reason: 'bad-source', message: 'X is not well at the moment. It was tried 8 times.' }
    ])
  })

  test.each(['emptypage', 'partial', 'longposts'])('reads %s like any other user', async (username) => {
    const services = await working()
    await requestCollecting(services, [username])
    expect(await settled(services, [username])).toMatchObject([{ state: 'done', read: 60, kept: 60 }])
  })

  test('returns its jobs when it is stopped, and another worker continues there', async () => {
    const first = await process({ X_POSTS_PER_USER: '300' })
    const worker = await startWorker(first)
    x.latency = 100
    await requestCollecting(first, ['Tansy_Example'])
    await settled(first, ['Tansy_Example'], ({ read }) => read >= 100)
    await worker.stop()
    expect(await first.collectJobs.find(['Tansy_Example'])).toMatchObject([{ state: 'queued', worker: null }])
    const second = await working({ X_POSTS_PER_USER: '300' })
    await settled(second, ['Tansy_Example'])
    expect(new Set(x.served).size).toBe(x.served.length)
    expect(await storedIds()).toEqual([...x.served].sort())
  })

  test('continues by itself after the database was away', async () => {
    const door = await openDoor(database.url)
    const services = await process({}, door.url)
    workers.push(await startWorker(services))
    x.latency = 300
    await requestCollecting(services, ['Fell_Example'])
    await settled(services, ['Fell_Example'], ({ state }) => state === 'working')
    await door.shut()
    await pause(LEASE.expiry)
    await door.open()
    expect(await settled(opened[0], ['Fell_Example'])).toMatchObject([{ state: 'done', read: 60, kept: 60 }])
    await workers.pop()!.stop()
    await opened.pop()!.close()
    await door.shut()
  })

  test('finds a job whose message the queue has lost', async () => {
    const services = await process({})
    await services.collectJobs.request('Fell_Example', 60)
    await working()
    expect(await settled(services, ['Fell_Example'])).toMatchObject([{ state: 'done' }])
  })

  describe('within the day’s budget', () => {
    test('asks X nothing where it is zero, also of jobs that an earlier process has left', async () => {
      const services = await process({ X_DAILY_SPEND_LIMIT: '0' })
      await services.tweetStore.saveTweets({ id: '1', username: 'Fell_Example', name: 'F', pictureUrl: null, source: 'x' }, null, [], 'none')
      await services.collectJobs.request('Bangs_Example', 60, { pauseMs: -60_000 })
      workers.push(await startWorker(services))
      await requestRefresh(services)
      await settled(services, ['Fell_Example', 'Bangs_Example'], ({ state }) => state === 'waiting')
      expect(x.calls.requests).toBe(0)
      expect(await services.xBudget.spentToday()).toMatchObject({ dollars: 0 })
    })

    test('counts nothing for a connection that is refused', async () => {
      const services = await working({ X_API_URL: 'http://127.0.0.1:9/2/' })
      await requestCollecting(services, ['Fell_Example'])
      await settled(services, ['Fell_Example'], ({ attempts }) => attempts === 2)
      expect(await services.xBudget.spentToday()).toMatchObject({ dollars: 0 })
    })

    test('buys what makes no sense three times at most', async () => {
      const services = await working()
      await requestCollecting(services, ['garbage'])
      for (const attempts of [1, 2]) {
        await settled(services, ['garbage'], (job) => job.attempts >= attempts)
        await comeDue(services)
      }
      expect(await settled(services, ['garbage'])).toMatchObject([{ state: 'failed', attempts: 3 }])
      expect(await services.xBudget.spentToday()).toMatchObject({ users: 3, posts: 0 })
    })

    test('looks nobody up again whom somebody has just asked for', async () => {
      const services = await working()
      for (let i = 0; i < 3; i++) {
        await requestCollecting(services, ['nobody', 'Fell_Example'], `10.0.0.${i}`)
        await settled(services, ['nobody', 'Fell_Example'])
      }
      expect(x.calls.requests).toBe(3)
    })

    test('requests not one post more, in all processes together, and continues the next day', async () => {
      const services = [await working({ X_DAILY_SPEND_LIMIT: '0.69' }), await working({ X_DAILY_SPEND_LIMIT: '0.69' })]
      const names = ['Tansy_Example', 'Fell_Example', 'Bangs_Example', 'Query_Example']
      await Promise.all(names.map((name, i) => requestCollecting(services[i % 2], [name])))
      const found = await settled(services[0], names, ({ state }) => state === 'done' || state === 'waiting')
      expect(x.calls.posts).toBe(130)
      expect(await spent()).toBe(130)
      expect(await storedIds()).toEqual([...x.served].sort())
      const waiting = found.filter(({ state }) => state === 'waiting')
      expect(waiting.length).toBeGreaterThan(0)
      for (const collection of waiting) {
        expect(collection.dueAt.toISOString()).toMatch(/T00:00:0\d/)
        expect(progressJson(collection).words).toMatch(/budget of \$0\.69.*opens again at 00:00 UTC.*imported.*goes on by itself/)
      }
      await services[0].prisma.spend.updateMany({ data: { day: new Date(Date.now() - 24 * 3_600_000) } }) // a new day
      await comeDue(services[0])
      await settled(services[0], names, ({ state, read }) => state === 'done' || read > 0 && state === 'waiting')
      expect(new Set(x.served).size).toBe(x.served.length)
    })

    test('refuses to add anybody when it is spent', async () => {
      const services = await working({ X_DAILY_SPEND_LIMIT: '0.31' })
      await requestCollecting(services, ['Fell_Example'])
      await settled(services, ['Fell_Example'])
      await expect(requestCollecting(services, ['Bangs_Example'])).rejects.toMatchObject({
        reason: 'unavailable',
        message: "Today's budget of $0.31 for reading from X is spent. It opens again at 00:00 UTC (tweets can be imported from a file at any time).",
        retry: { at: expect.any(Date) }
      })
      expect(await services.collectJobs.find(['Bangs_Example'])).toEqual([])
    })

    test('counts posts that X may have charged and did not deliver, and none that it refused', async () => {
      const services = await working()
      await requestCollecting(services, ['cutoff', 'flaky', 'protectedtl'])
      for (const attempts of [1, 2]) {
        await settled(services, ['flaky'], (job) => job.attempts === attempts)
        await comeDue(services)
      }
      await settled(services, ['cutoff', 'flaky', 'protectedtl'])
      expect(x.calls.posts).toBe(120)
      expect(await spent()).toBe(180)
    })
  })

  describe('a refresh', () => {
    test('requests only what is newer, one user after another', async () => {
      const services = await working()
      const names = ['Fell_Example', 'Bangs_Example', 'Query_Example']
      await requestCollecting(services, names)
      await settled(services, names)
      const archive = { id: 'archive:ann', username: 'Ann', name: 'Ann', pictureUrl: null, source: 'archive' as const }
      await services.tweetStore.saveTweets(archive, null, [], 'none')
      x.addPosts('Fell_Example', ['One more.', 'And another.'])
      expect(await requestRefresh(services)).toBe(3)
      const due = (await services.collectJobs.find(names)).map(({ dueAt }) => dueAt.getTime()).sort()
      expect(due[1] - due[0]).toBeGreaterThanOrEqual(19_000)
      expect(due[2] - due[1]).toBeGreaterThanOrEqual(19_000)
      await comeDue(services)
      await settled(services, names)
      expect(x.calls).toEqual({ requests: 12, users: 6, posts: 182 })
      expect(await services.userStore.findUser('Fell_Example')).toMatchObject({ tweets: 62 })
      expect(await services.collectJobs.find(['Ann'])).toEqual([])
    })

    test('removes posts that X no longer shows, and users who became protected, suspended or nobody', async () => {
      const services = await working()
      const names = ['Fell_Example', 'Bangs_Example', 'Query_Example']
      await requestCollecting(services, names)
      await settled(services, names)
      const gone = x.removePosts('Fell_Example', 2, 3)
      x.addUser('Bangs_Example', { protected: true })
      const suspended = { id: '1', username: 'suspended', name: 'S', pictureUrl: null, source: 'x' as const }
      await services.tweetStore.saveTweets(suspended, null, [], 'none')
      await requestRefresh(services)
      await comeDue(services)
      await settled(services, [...names, 'suspended'])
      expect((await services.userStore.listUsers()).map(({ username }) => username).sort()).toEqual(['Fell_Example', 'Query_Example'])
      expect((await storedIds()).filter((id) => gone.includes(id))).toEqual([])
    })

    test('during which X fails removes nobody', async () => {
      const services = await working()
      for (const username of ['down', 'unauthorized', 'broke', 'notenrolled']) {
        await services.tweetStore.saveTweets({ id: username, username, name: username, pictureUrl: null, source: 'x' }, null, [], 'none')
      }
      await requestRefresh(services)
      await comeDue(services)
      await settled(services, ['down', 'unauthorized', 'broke', 'notenrolled'], ({ attempts }) => attempts > 0)
      expect(await services.userStore.listUsers()).toHaveLength(4)
    })

    test.each(['not-found', 'forbidden', 'unusable'] as const)('that fails with the reason %s removes nobody, since the source does not say that the user is gone', async (reason) => {
      const services = await process({})
      const refusing = { ...services, xApi: { ...services.xApi, findUser: () => Promise.reject(new ExpectedError(reason, 'No.')) } }
      workers.push(await startWorker(refusing))
      await services.tweetStore.saveTweets({ id: '1', username: 'Ann', name: 'Ann', pictureUrl: null, source: 'x' }, null, [], 'none')
      await requestRefresh(services)
      expect(await settled(services, ['Ann'])).toMatchObject([{ state: 'failed', reason, message: 'No.' }])
      expect(await services.userStore.findUser('Ann')).not.toBeNull()
    })

    test('by a worker that has lost its lease removes nobody, although X says that the user is suspended', async () => {
      const services = await process({})
      const worker = await startWorker(services)
      await services.tweetStore.saveTweets({ id: '1', username: 'suspended', name: 'S', pictureUrl: null, source: 'x' }, null, [], 'none')
      x.latency = 300
      await requestRefresh(services)
      await settled(services, ['suspended'], ({ state }) => state === 'working')
      await services.prisma.collectJob.updateMany({ data: { worker: 'another', heartbeatAt: new Date() } })
      await worker.stop() // once X has answered
      expect(x.calls.requests).toBe(1)
      expect(await services.userStore.findUser('suspended')).not.toBeNull()
      expect(await services.collectJobs.find(['suspended'])).toMatchObject([{ state: 'working', worker: 'another', message: null }])
    })

    test('comes by itself at the times of REFRESH_CRON', async () => {
      const services = await working({ REFRESH_CRON: '* * * * *' })
      await requestCollecting(services, ['Fell_Example'])
      await settled(services, ['Fell_Example'])
      x.addPosts('Fell_Example', ['One more.'])
      while ((await services.userStore.findUser('Fell_Example'))?.tweets !== 61) await pause(50)
      expect(x.calls.posts).toBe(61)
    })
  })

  test('by two workers for two web servers stores every post of twenty users once, and requests each once', { timeout: 120_000 }, async () => {
    const names = Array.from({ length: 20 }, (_, i) => `User_${i}_Example`)
    names.forEach((username, u) => {
      x.addUser(username)
      x.addPosts(username, Array.from({ length: 40 + u }, (_, i) => `${username} says ${i}`))
    })
    const services = [await working(), await working()]
    const webs = await Promise.all([1, 2].map(async () => serve(await process({ WORK_QUEUE: 'false' }))))
    const add = (web: number, usernames: string[]) => fetch(`${webs[web].url}/users`, {
      method: 'POST', redirect: 'manual', body: new URLSearchParams({ username: usernames.join(' ') })
    })
    const groups = [0, 4, 8, 12, 16].map((first) => names.slice(first, first + 4))
    const answers = await Promise.all(groups.flatMap((group) => [add(0, group), add(1, group)])) // each asked for twice
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(303))
    const found = await settled(services[0], names)
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
