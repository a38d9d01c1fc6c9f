import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, rm, statfs, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { PATHS } from '../../src/core/paths.js'
import { openEmbeddedPostgres } from '../../src/storage/embedded-postgres.js'
import { createCollectJobs } from '../../src/storage/collect-jobs.js'
import { connect } from '../../src/storage/database.js'
import { requestCollecting, startWorker } from '../../src/collecting/collect-worker.js'
import { openThreads } from '../../src/threads/pool.js'
import { settled } from '../support/collect.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { openSampleApp, openTestServices, serve } from '../support/services.js'
import { end, startProcess } from '../support/processes.js'
import { startXApi, type XApiServer } from '../../support/x-api-stand-in.js'

const SERVER = /HypoTweet is on (http:\/\/localhost:\d+)/
const NO_ROOM = { error: expect.stringMatching(/^There is no room left/) }
const MB = 2 ** 20
const json = { accept: 'application/json' }

const lines = (count: number): string => Array.from({ length: count }, (_, i) => `The heron was late again, ${i} minutes; ${'so it goes. '.repeat(15)}`).join('\n')

/** Imports a file of so many tweets. */
async function importFile(url: string, username: string, count: number): Promise<{ status: number; body: unknown }> {
  const body = new FormData()
  body.set('form', 'import')
  body.set('username', username)
  body.set('file', new File([lines(count)], 'tweets.txt'))
  const answer = await fetch(`${url}/users/import`, { method: 'POST', headers: json, body })
  return { status: answer.status, body: await answer.json() }
}

describe('a thread that ends', () => {
  const BROKEN = { status: 503, body: { error: 'That computation broke off. Please try again.' } }
  const threads: Worker[] = []
  const remember = (thread: Worker): void => void threads.push(thread)
  let app: Awaited<ReturnType<typeof openSampleApp>>
  let close: () => Promise<void>

  beforeEach(async () => {
    process.on('worker', remember)
    const own = openThreads()
    app = await openSampleApp({}, own)
    close = () => app.close().then(own.close)
  })
  afterEach(async () => {
    process.off('worker', remember)
    threads.length = 0
    await close()
  })

  async function ask(): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`${app.url}/predictions?users=ruth_demo&users=milo_demo&text=the+kettle+is+on`, { headers: json })
    return { status: answer.status, body: await answer.json() }
  }

  /** Ends the first of these threads that is at work. */
  async function endAtWork(threads: Worker[]): Promise<void> {
    const active = (thread: Worker): number => thread.performance.eventLoopUtilization().active
    const before = threads.map(active)
    let busy: Worker | undefined
    while (!(busy = threads.find((thread, i) => active(thread) > before[i] + 2))) await pause(1)
    await busy.terminate()
  }

  // Not at work: one that is ended within onnxruntime takes the process along.
  test('that embeds is replaced by another', async () => {
    await threads[0].terminate() // the first that was started
    expect(await importFile(app.url, 'Heron', 20)).toMatchObject({ status: 200 })
    expect(await ask()).toMatchObject({ status: 200 })
  })

  test('while it fits makes the request a 503 with a message; another thread answers the next one', async () => {
    const [, ...fitting] = threads
    while (!(await fetch(`${app.url}/health`)).ok) await pause(50)
    await app.services.threads.readTexts(['They are up.'])
    const broken = ask()
    await endAtWork(fitting)
    expect(await broken).toEqual(BROKEN)
    expect(await ask()).toMatchObject({ status: 200 })
  })
})

describe('a damaged encoder', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
    await cp(PATHS.encoder, folder, { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test.each(['server', 'worker'] as const)('keeps the %s from starting, with an error that names the file', async (file) => {
    const database = await databases.at(-1)!.open()
    const settings = { EMBEDDING_MODEL: folder, DATABASE_URL: database.url, X_BEARER_TOKEN: 'good' }
    const start = () => startProcess(file, settings, /works the queue|HypoTweet is on/)
    try {
      await truncate(join(folder, 'onnx', 'model.onnx'), 100_000)
      await expect(start()).rejects.toThrow(new RegExp(`^${file} ended with 1: [^\n]*can't start[^\n]*${folder}/onnx/model.onnx[^\n]*\n$`))
      await writeFile(join(folder, 'tokenizer.json'), '{"model": ')
      await expect(start()).rejects.toThrow(new RegExp(`^${file} ended with 1: [^\n]*can't start[^\n]*${folder}/tokenizer.json[^\n]*\n$`))
    } finally {
      await database.close()
    }
  })
})

const canMount = process.getuid?.() === 0 && process.platform === 'linux' && mounts()

/** Whether a small disk can be made here. */
function mounts(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!canMount)('a full disk (needs root, to mount one)', () => {
  let disk: string
  const size = (bytes: number): void => void execFileSync('mount', ['-o', `remount,size=${Math.ceil(bytes / 1024)}k`, disk])
  /** Leaves so much room. */
  async function leave(bytes: number): Promise<void> {
    const { blocks, bavail, bsize } = await statfs(disk)
    size((blocks - bavail) * bsize + bytes)
  }
  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'hypotweet-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', disk])
  })
  afterEach(async () => {
    execFileSync('umount', ['-l', disk])
    await rm(disk, { recursive: true })
  })

  test('that is nearly full takes no tweets, with a message; pages are shown, and tweets are taken again when there is room', async () => {
    await cp(inject('template'), disk, { recursive: true })
    const { child, said: [, url] } = await startProcess('server', { DATA_DIR: disk, ADDITIONS_PER_HOUR: '0' }, SERVER)
    await leave(66 * MB)
    expect((await importFile(url, 'First', 600)).status).toBe(200)
    let refused = { status: 200, body: {} as unknown }
    for (let i = 0; refused.status === 200; i++) refused = await importFile(url, `Next_${i}`, 600)
    expect(refused).toEqual({ status: 503, body: NO_ROOM })
    expect((await fetch(`${url}/users/First`)).status).toBe(200)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    size(300 * MB)
    expect((await importFile(url, 'Last', 600)).status).toBe(200)
    expect(await end(child, 'SIGTERM')).toEqual([0, null])
  })

  test('that Postgres reports as full is a 503 too, and nothing is stored partly', async () => {
    await cp(inject('template'), disk, { recursive: true })
    const postgres = await openEmbeddedPostgres(disk)
    const services = await openTestServices({ url: postgres.url }) // without the check for room
    const app = await serve(services)
    try {
      await leave(3 * MB)
      let refused = { status: 200, body: {} as unknown }
      let stored = 0
      for (; refused.status === 200; stored++) refused = await importFile(app.url, `Name_${stored}`, 300)
      expect(refused).toEqual({ status: 503, body: NO_ROOM })
      expect(await services.prisma.user.count()).toBe(stored - 1)
      expect(await services.prisma.tweet.count()).toBe(300 * (stored - 1))
      size(300 * MB)
      expect((await importFile(app.url, 'Last', 300)).status).toBe(200)
    } finally {
      await app.close()
      await services.close()
      await postgres.close()
    }
  })

  test('during an upload is a 503 with a message', async () => {
    const app = await openSampleApp()
    const temporary = process.env.TMPDIR
    try {
      process.env.TMPDIR = disk
      size(MB)
      expect(await importFile(app.url, 'Long', 20_000)).toEqual({ status: 503, body: NO_ROOM })
      expect((await importFile(app.url, 'Short', 20)).status).toBe(200)
    } finally {
      if (temporary === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = temporary
      await app.close()
    }
  })

  test('with no room for a new database keeps the server from starting, with an error that names the folder', async () => {
    size(3 * MB)
    await expect(startProcess('server', { DATA_DIR: disk }, SERVER)).rejects.toThrow(new RegExp(`ended with 1: [^\n]*can't start[^\n]*${disk}[^\n]*disk full`))
  })
})

describe.each(databases)('a clock that jumps, on the $name', ({ open }) => {
  const POSTS = 300
  const DAY = 24 * 3_600_000
  let database: TestDatabase
  let x: XApiServer

  beforeEach(async () => {
    database = await open()
    x = await startXApi()
    x.latency = 100
  })
  afterEach(async () => {
    vi.useRealTimers()
    await x.close()
    await database.close()
  })

  test('back by a day makes no job wait for that day, or for a worker that has died', async () => {
    const prisma = connect(database.url)
    const lease = { heartbeat: 500, expiry: 2_000 }
    const collectJobs = createCollectJobs(prisma, lease)
    for (const username of ['Ann', 'Bob']) await collectJobs.request(username, POSTS)
    await collectJobs.claim('bob', 'dead')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - DAY })
    await new Promise((resolve) => setTimeout(resolve, lease.expiry + 200)) // by the database's clock
    expect((await collectJobs.listOverdue()).map(({ usernameKey }) => usernameKey).sort()).toEqual(['ann', 'bob'])
    for (const key of ['ann', 'bob']) {
      expect(await collectJobs.claim(key, 'alive')).toMatchObject({ usernameKey: key })
      expect(await collectJobs.claim(key, 'another')).toBeNull()
    }
    expect(await collectJobs.listOverdue()).toEqual([])
    await prisma.$disconnect()
  })

  test.each([['forward', DAY], ['back', -DAY]])('%s by a day while posts are read neither loses nor doubles any, and every job is done', async (_way, jump) => {
    const services = await openTestServices(database, { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: String(POSTS) }, undefined, { heartbeat: 100, expiry: 3_000 }) // a lease that only the jump can end
    const [first, second] = [await startWorker(services), await startWorker(services)]
    try {
      await requestCollecting(services, ['Tansy_Example'])
      await settled(services, ['Tansy_Example'], ({ read }) => read >= 100)
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + jump, shouldAdvanceTime: true })
      await requestCollecting(services, ['Fell_Example'])
      const done = await settled(services, ['Tansy_Example', 'Fell_Example'])
      expect(done.map(({ state }) => state)).toEqual(['done', 'done'])
      const ids = (await services.prisma.tweet.findMany({ select: { id: true } })).map(({ id }) => id)
      expect(ids.sort()).toEqual([...new Set(x.served)].sort())
      expect(x.served.length - new Set(x.served).size).toBeLessThanOrEqual(100) // the page that was on its way
      const days = await services.xBudget.listDays() // the embedded Postgres goes by the same clock
      expect(days.reduce((sum, { posts }) => sum + posts, 0)).toBe(x.calls.posts)
    } finally {
      vi.useRealTimers()
      await Promise.all([first.stop(), second.stop()])
      await services.close()
    }
  })
})
