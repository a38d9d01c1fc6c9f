import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { createLog } from '../../../src/core/log.js'
import { requestLog } from '../../../src/web/request-log.js'
import { connect } from '../../../src/storage/database.js'
import { createUserStore } from '../../../src/storage/users.js'
import { databases, openEmbeddedDatabase, type TestDatabase } from '../../support/databases.js'
import { openDoor, type Door } from '../../support/door.js'
import { end, startProcess } from '../../support/processes.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'
import { sharedThreads } from '../../support/threads.js'

const ASK = '/predictions?users=ruth_demo&users=milo_demo&text=the+kettle+is+on'
const PASSWORD = 'a long password'
const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`

const threads = sharedThreads()

describe.each(databases)('while the $name is away', ({ open }) => {
  let database: TestDatabase
  let door: Door
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>

  beforeAll(async () => {
    database = await open()
    door = await openDoor(database.url)
    services = await openTestServices({ ...database, url: door.url }, {}, threads)
    app = await serve(services)
    await addSamples(services)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
    await door.shut()
    await database.close()
  })

  test('every page is a 503 with a message, and works again soon after the database is back', async () => {
    const paths = ['/', ASK, '/users/ruth_demo', '/users']
    const statuses = (): Promise<number[]> => Promise.all(paths.map(async (path) => (await fetch(app.url + path, { redirect: 'manual' })).status))
    const before = await statuses()
    expect(before.every((status) => status < 400)).toBe(true)
    const underLoad = Array.from({ length: 20 }, () => fetch(app.url + ASK).then(({ status }) => status))
    await door.shut()
    expect((await Promise.all(underLoad)).filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(new Set(await statuses())).toEqual(new Set([503]))
    const answer = await fetch(`${app.url}/users`, { headers: { accept: 'application/json' } })
    expect(await answer.json()).toEqual({ error: 'The database does not answer at the moment. Please try again in a minute.' })
    expect((await fetch(`${app.url}/health`)).status).toBe(503)
    expect((await fetch(`${app.url}/health/alive`)).status).toBe(200)
    await door.open()
    while ((await statuses()).some((status) => status === 503)) await pause(100)
    expect(await statuses()).toEqual(before)
  })

  test('metrics are shown to the operator only', async () => {
    const own = await openTestServices(database, { ADMIN_PASSWORD: PASSWORD }, threads)
    const served = await serve(own)
    try {
      await (await fetch(served.url + ASK)).text()
      expect((await fetch(`${served.url}/metrics`)).status).toBe(401)
      const answer = await fetch(`${served.url}/metrics`, { headers: { authorization } })
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
      const text = await answer.text()
      const figure = (line: RegExp): number => Number(line.exec(text)?.[1])
      expect(figure(/^hypotweet_request_seconds_count\{method="GET",route="\/predictions",status="200"\} (\d+)$/m)).toBe(1)
      expect(figure(/^hypotweet_fit_seconds_count\{outcome="fitted"\} (\d+)$/m)).toBe(1)
      expect(figure(/^hypotweet_kept_models (\d+)$/m)).toBe(1)
      expect(figure(/^hypotweet_kept_users (\d+)$/m)).toBe(2)
      expect(figure(/^hypotweet_collections_open (\d+)$/m)).toBe(0)
      expect(figure(/^hypotweet_x_posts_today (\d+)$/m)).toBe(0)
      expect(figure(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m)).toBeGreaterThan(0)
      expect(figure(/^process_resident_memory_bytes (\S+)$/m)).toBeGreaterThan(1e6)
    } finally {
      await served.close()
      await own.close()
    }
  })
})

test('a database that is away is logged with the reason, which visitors do not see', async () => {
  let logged = ''
  const log = pino(new Writable({ write: (chunk, _encoding, done) => ((logged += chunk), done()) }))
  const database = await openEmbeddedDatabase()
  const services = await openTestServices(database, {}, threads)
  const gone = connect('postgres://postgres@127.0.0.1:1/none')
  const app = await serve({ ...services, log, userStore: createUserStore(gone) })
  const answer = await fetch(`${app.url}/users`, { headers: { accept: 'application/json' } })
  expect(answer.status).toBe(503)
  expect(await answer.text()).not.toContain('127.0.0.1')
  const [line] = logged.split('\n').map((line) => line && (JSON.parse(line) as Record<string, unknown>)).filter((line) => line && line.msg === 'failed')
  expect(line).toMatchObject({ path: '/users', err: { type: 'DatabaseAway', stack: expect.stringContaining("Can't reach database server at 127.0.0.1:1") } })
  await app.close()
  await services.close()
  await gone.$disconnect()
  await database.close()
})

describe('the log', () => {
  let lines: Record<string, unknown>[]
  let said: string

  /** Sends a request; what it logs is in `said` and `lines`. */
  async function logOf(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const express = (await import('express')).default
    const log = pino({ base: undefined }, new Writable({ write: (chunk, _encoding, done) => ((said += chunk), done()) }))
    const server = express().use(requestLog(log), (_request, response) => void response.send('x')).listen(0)
    const { port } = server.address() as { port: number }
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    await answer.text()
    await new Promise((resolve) => server.close(resolve))
    lines = said.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>)
    return answer
  }
  beforeEach(() => {
    said = ''
  })

  test('has a line for each answer: the request, the status and the milliseconds', async () => {
    const answer = await logOf('/users/ruth_demo?page=2')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ req: { method: 'GET', path: '/users/ruth_demo' }, res: { status: 200 }, ms: expect.any(Number), msg: 'answered' })
    expect(answer.headers.get('x-request-id')).toBe((lines[0].req as { id: string }).id)
  })

  test('has no text that a visitor wrote, no password and no cookie', async () => {
    await logOf(`${ASK}&x=y`, { authorization, cookie: 'a=secret', referer: `http://x${ASK}` })
    expect(said).not.toMatch(/kettle|secret|Basic|YWRtaW4/)
  })

  test('has the request id of a proxy if it is well-formed, and nothing else from headers', async () => {
    expect((await logOf('/', { 'x-request-id': 'abc-123' })).headers.get('x-request-id')).toBe('abc-123')
    expect((await logOf('/', { 'x-request-id': '{"level":60}' })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('has no lines for static files', async () => {
    await logOf('/assets/style.css')
    expect(lines).toEqual([])
  })

  test('is empty at the level silent', () => {
    expect(createLog('silent').isLevelEnabled('fatal')).toBe(false)
  })
})

test('a server prints nothing but JSON lines', async () => {
  const database = await databases[0].open()
  const { child, said } = await startProcess('server', { DATABASE_URL: database.url }, /(.*http:\/\/localhost:(\d+).*)\n/)
  let output = ''
  child.stdout!.on('data', (data) => (output += data))
  await fetch(`http://127.0.0.1:${said[2]}/nowhere`)
  await end(child, 'SIGTERM')
  await database.close()
  const lines = `${said[1]}\n${output}`.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.some(({ msg }) => /localhost/.test(String(msg)))).toBe(true)
  expect(lines.at(-1)).toMatchObject({ req: { path: '/nowhere' }, res: { status: 404 } })
})
