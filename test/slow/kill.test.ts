import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, inject, test, type TestContext } from 'vitest'
import { randomNumbers } from '../../support/datasets.js'
import { createCollectJobs } from '../../src/storage/collect-jobs.js'
import { connect } from '../../src/storage/database.js'
import { settled } from '../support/collect.js'
import { databases } from '../support/databases.js'
import { end, startProcess } from '../support/processes.js'
import { startXApi, type XApiServer } from '../../support/x-api-stand-in.js'

interface Seen {
  user?: { tweets: number }
  collecting: { state: string; read: number; embedded: number; ended: boolean }
}

const KILLS = 10
const POSTS = 3200
const PAGE = 100
const SERVER = /HypoTweet is on (http:\/\/localhost:\d+)/
const WORKER = /works the queue/

interface World {
  x: XApiServer
  settings: Record<string, string>
  /** Waits for a moment at which a page is asked for, stored, embedded, or none of these. */
  randomMoment(): Promise<void>
  /** The posts that were served more than once. */
  servedAgain(): string[]
}

/** A stand-in for X with a prolific user, until the end of the test. */
async function openWorld(seed: number, onTestFinished: TestContext['onTestFinished']): Promise<World> {
  const random = randomNumbers(seed)
  const x = await startXApi()
  onTestFinished(() => x.close())
  x.latency = 40
  x.addUser('Prolific')
  x.addPosts('Prolific', Array.from({ length: POSTS }, (_, i) => `This is what I have to say for the ${i}th time.`))
  return {
    x,
    settings: { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: String(POSTS), X_DAILY_SPEND_LIMIT: '50', PAGES_PER_MINUTE: '0' },
    async randomMoment() {
      const before = x.served.length
      while (x.served.length === before) await pause(1)
      await pause(250 * random())
    },
    servedAgain: () => x.served.filter((id, i) => x.served.indexOf(id) !== i)
  }
}

describe.concurrent.each(databases)('a worker on the $name', ({ open }) => {
  test('killed ten times at random moments stores every post once, and asks for none again that was stored', { timeout: 240_000 }, async ({ expect, onTestFinished }) => {
    const { x, settings, randomMoment } = await openWorld(7, onTestFinished)
    const database = await open()
    const prisma = connect(database.url)
    const collectJobs = createCollectJobs(prisma)
    const storedIds = async () => (await prisma.tweet.findMany({ select: { id: true } })).map(({ id }) => id)
    await collectJobs.request('Prolific', POSTS)
    for (let kills = 0; kills < KILLS; kills++) {
      const stored = new Set(await storedIds())
      const served = x.served.length
      const { child } = await startProcess('worker', { ...settings, DATABASE_URL: database.url }, WORKER)
      await randomMoment()
      await end(child, 'SIGKILL')
      expect(x.served.slice(served).filter((id) => stored.has(id))).toEqual([])
      const lost = new Set(x.served.slice(served))
      for (const id of await storedIds()) lost.delete(id)
      expect(lost.size).toBeLessThanOrEqual(PAGE) // the page that was on its way
      await prisma.collectJob.updateMany({ data: { heartbeatAt: new Date(0) } }) // as if ten seconds had passed
    }
    const { child } = await startProcess('worker', { ...settings, DATABASE_URL: database.url }, WORKER)
    expect(await settled({ collectJobs }, ['Prolific'])).toMatchObject([{ state: 'done', read: POSTS, kept: POSTS }])
    expect((await storedIds()).sort()).toEqual([...new Set(x.served)].sort())
    expect(await prisma.tweet.count({ where: { encoder: '' } })).toBe(0)
    expect(x.calls.users).toBe(1)
    expect(await end(child, 'SIGTERM')).toEqual([0, null])
    await prisma.$disconnect()
    await database.close()
  })
})

describe.concurrent('the app with its own Postgres', () => {
  const add = (url: string) => fetch(`${url}/users`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ username: 'Prolific' }) })
  const look = async (url: string) =>
    (await (await fetch(`${url}/users/Prolific`, { headers: { accept: 'application/json' } })).json()) as Seen

  /** Starts the app on a data folder that is there until the end of the test. */
  async function installApp(settings: Record<string, string>, onTestFinished: TestContext['onTestFinished']) {
    const folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await cp(inject('template'), folder, { recursive: true })
    return async () => {
      const { child, said } = await startProcess('server', { ...settings, DATA_DIR: folder }, SERVER)
      return { child, url: said[1] }
    }
  }

  async function untilDone(url: string): Promise<Seen> {
    for (;;) {
      const seen = await look(url)
      if (seen.collecting.ended) return seen
      await pause(100)
    }
  }

  test('killed ten times at random moments loses nothing, and goes on by itself', { timeout: 240_000 }, async ({ expect, onTestFinished }) => {
    const { x, settings, randomMoment, servedAgain } = await openWorld(8, onTestFinished)
    const start = await installApp(settings, onTestFinished)
    let { child, url } = await start()
    expect((await add(url)).status).toBe(303)
    for (let kills = 0; kills < KILLS; kills++) {
      await randomMoment()
      await end(child, 'SIGKILL')
      ;({ child, url } = await start())
    }
    expect(await untilDone(url)).toMatchObject({ user: { tweets: POSTS }, collecting: { state: 'done', read: POSTS, embedded: POSTS } })
    expect(servedAgain().length).toBeLessThanOrEqual(KILLS * PAGE) // the pages that were on their way
    expect(new Set(x.served).size).toBe(POSTS)
    expect(await end(child, 'SIGTERM')).toEqual([0, null])
  })

  test('told to stop ends within ten seconds though X is slow and a page is watched, and asks for nothing twice', { timeout: 120_000 }, async ({ expect, onTestFinished }) => {
    const { x, settings, servedAgain } = await openWorld(9, onTestFinished)
    const start = await installApp(settings, onTestFinished)
    const first = await start()
    x.latency = 2_000
    await add(first.url)
    while ((await look(first.url)).collecting.read < PAGE) await pause(50)
    const watching = fetch(`${first.url}/progress?users=Prolific`).then((answer) => answer.text()).catch(() => 'cut off')
    const stuck = setTimeout(() => first.child.kill('SIGKILL'), 10_000)
    expect(await end(first.child, 'SIGTERM')).toEqual([0, null])
    clearTimeout(stuck)
    await watching
    x.latency = 0
    const second = await start()
    expect(await untilDone(second.url)).toMatchObject({ user: { tweets: POSTS } })
    expect(servedAgain()).toEqual([])
    await end(second.child, 'SIGTERM')
  })
})
