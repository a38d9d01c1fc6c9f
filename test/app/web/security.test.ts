import { request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openSampleApp, openTestServices, serve, type TestServices } from '../../support/services.js'

const ASK = '/predictions?users=ruth_demo&users=milo_demo&text=the+kettle+is+on'
const PASSWORD = 'a long password'

let app: Awaited<ReturnType<typeof openSampleApp>>
let slowHeaders: Promise<string> // while the other tests run: the server waits for more than ten seconds
beforeAll(async () => {
  app = await openSampleApp({ ADMIN_PASSWORD: PASSWORD })
  slowHeaders = sendHeadersWithoutEnd()
})
afterAll(() => app?.close())

describe('every answer', () => {
  test.each(['/', ASK, '/users/ruth_demo', '/nowhere', '/assets/style.css', '/health', '/admin', '/predictions'])(
    'forbids scripts of other hosts and inline scripts on %s',
    async (path) => {
      const { headers } = await fetch(app.url + path, { headers: { accept: 'text/html' } })
      const policy = new Map(headers.get('content-security-policy')!.split(';').map((line) => line.trim().split(/ (.*)/) as [string, string]))
      expect(policy.get('default-src')).toBe("'none'")
      expect(policy.get('script-src')).toBe("'self'")
      expect(policy.get('style-src')).toBe("'self'")
      expect(policy.get('img-src')).toBe("'self' data: https://pbs.twimg.com")
      expect(policy.get('frame-ancestors')).toBe("'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('set-cookie')).toBeNull()
      expect(headers.get('x-powered-by')).toBeNull()
    }
  )
})

describe('a request that another site makes a browser send', () => {
  const form = { method: 'POST', body: new URLSearchParams({ username: 'ruth_demo' }), redirect: 'manual' } as const
  const posts = ['/users', '/users/import', '/admin/update', '/admin/reset']
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1.evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://127.0.0.1' }
  ]

  test.each(posts.flatMap((path) => foreign.map((headers): [string, Record<string, string>] => [path, headers])))(
    'is refused at %s: %o',
    async (path, headers) => {
      const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`
      const answer = await fetch(app.url + path, { ...form, headers: { ...headers, authorization, accept: 'application/json' } })
      expect(answer.status).toBe(403)
      expect(await answer.json()).toEqual({ error: 'That was sent from another site. Please use the form here.' })
      expect(await app.services.userStore.listUsers()).toHaveLength(4)
    }
  )

  test.each([{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: 'own' }] as Record<string, string>[])(
    'is told apart from requests of own pages and of programs: %o',
    async (headers) => {
      const own = headers.origin ? { origin: app.url } : headers
      const answer = await fetch(`${app.url}/users`, { ...form, headers: { ...own, accept: 'application/json' } })
      expect(answer.status).not.toBe(403)
    }
  )
})

/** Sends a header a character at a time, without end: what the server says before it hangs up. */
function sendHeadersWithoutEnd(): Promise<string> {
  const { port } = new URL(app.url)
  return new Promise((resolve) => {
    const socket = connectSocket(Number(port), '127.0.0.1')
    let answer = ''
    const trickle = setInterval(() => socket.write('x'), 500)
    socket.on('data', (data) => (answer += data))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(trickle)
      resolve(answer)
    })
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  })
}

describe.each(databases)('rate limits on the $name', ({ open }) => {
  let database: TestDatabase
  let services: TestServices
  let served: { url: string; close(): Promise<void> }
  let settings: Record<string, string>

  beforeAll(async () => {
    database = await open()
    const first = await openTestServices(database)
    await addSamples(first)
    await first.close()
  })
  afterAll(() => database.close())

  beforeEach(async () => {
    settings = { PREDICTIONS_PER_MINUTE: '3', ADDITIONS_PER_HOUR: '2', ADMIN_PASSWORD: PASSWORD }
    await start()
    await services.prisma.limit.deleteMany()
  })
  afterEach(async () => {
    await served.close()
    await services.close()
  })

  async function start(): Promise<void> {
    services = await openTestServices(database, settings)
    served = await serve(services)
  }

  /** The status of an answer, its message and its Retry-After. */
  function ask(path: string, headers: Record<string, string> = {}, method = 'GET', url = served.url): Promise<{ status: number; error: string; retryAfter?: string }> {
    return new Promise((resolve, reject) => {
      const asking = httpRequest(url + path, { method, headers: { accept: 'application/json', ...headers } }, (response) => {
        let body = ''
        response.on('data', (data) => (body += data))
        response.on('end', () => resolve({ status: response.statusCode!, error: (JSON.parse(body) as { error: string }).error, retryAfter: response.headers['retry-after'] }))
      })
      asking.once('error', reject).end()
    })
  }

  test('refuse predictions beyond the limit a minute, with a message and a time', async () => {
    for (let i = 0; i < 3; i++) expect((await ask(ASK)).status).toBe(200)
    const { status, error, retryAfter } = await ask(ASK)
    expect(status).toBe(429)
    expect(error).toMatch(/^That was a lot in one minute\. Please try again in \d+ s\.$/)
    expect(Number(retryAfter)).toBeGreaterThan(0)
    expect(Number(retryAfter)).toBeLessThanOrEqual(60)
    expect((await ask('/users')).status).toBe(200)
  })

  test('count requests at the same moment and in other processes', async () => {
    const other = await openTestServices(database, settings)
    const there = await serve(other)
    try {
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => ask(ASK, {}, 'GET', i % 2 ? there.url : served.url)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(9)
    } finally {
      await there.close()
      await other.close()
    }
  })

  test('refuse additions beyond the limit an hour', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await ask('/users/import', {}, 'POST')).status)
    expect(statuses).toEqual([415, 415, 429])
    expect((await ask('/users', {}, 'POST')).error).toMatch(/in the last hour\. Please try again in \d+ minutes\.$/)
  })

  test('cannot be evaded by a forged X-Forwarded-For without a proxy', async () => {
    for (let i = 0; i < 3; i++) await ask(ASK, { 'x-forwarded-for': `10.0.0.${i}` })
    expect((await ask(ASK, { 'x-forwarded-for': '10.0.0.99' })).status).toBe(429)
  })

  test('count for the address that the proxy adds, not for one that a visitor forges', async () => {
    await served.close()
    await services.close()
    settings = { ...settings, TRUST_PROXY: '1' }
    await start()
    for (let i = 0; i < 3; i++) await ask(ASK, { 'x-forwarded-for': `10.0.0.${i}, 192.0.2.1` })
    expect((await ask(ASK, { 'x-forwarded-for': '10.0.0.99, 192.0.2.1' })).status).toBe(429)
    expect((await ask(ASK, { 'x-forwarded-for': '10.0.0.99, 192.0.2.2' })).status).toBe(200)
  })

  test('allow ten wrong passwords, and then refuse also the right one', async () => {
    const authorization = (password: string): Record<string, string> =>
      ({ authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` })
    expect((await ask('/admin', authorization(PASSWORD))).status).toBe(200)
    for (let i = 0; i < 10; i++) expect((await ask('/admin', authorization(`guess ${i}`))).status).toBe(401)
    const { status, error } = await ask('/admin', authorization(PASSWORD))
    expect(status).toBe(429)
    expect(error).toMatch(/^Too many wrong passwords\./)
  })

  describe('of wrong passwords', () => {
    const from = (address: string, password: string) =>
      ask('/admin', { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`, 'x-forwarded-for': address })
    const statuses = async (tries: ReturnType<typeof ask>[]): Promise<number[]> => (await Promise.all(tries)).map(({ status }) => status)
    const times = (statuses: number[], status: number): number => statuses.filter((one) => one === status).length

    beforeEach(async () => {
      await served.close()
      await services.close()
      settings = { ADMIN_PASSWORD: PASSWORD, TRUST_PROXY: '1' }
      await start()
    })

    test('hold in a burst too: the right one late in it is not looked at', async () => {
      const burst = Array.from({ length: 120 }, (_, i) => from('10.0.0.1', i === 60 ? PASSWORD : `guess ${i}`))
      const all = await statuses(burst)
      expect(all[60]).toBe(429)
      expect(times(all, 401)).toBe(10)
      expect(times(all, 429)).toBe(110)
    })

    test('do not count the right one, however often it comes', async () => {
      for (let i = 0; i < 30; i++) expect((await from('10.0.0.1', PASSWORD)).status).toBe(200)
      expect(await services.prisma.limit.findMany({ where: { points: { gt: 0 }, NOT: { key: { startsWith: 'admin-known' } } } })).toEqual([])
    })

    test('hold for a /48 network of IPv6, where each /64 in it has tries of its own', async () => {
      // The right password first, so that the limit for strangers does not end the test.
      const networks = Array.from({ length: 5 }, (_, i) => `2001:db8:1:${i}::1`)
      for (const address of networks) expect((await from(address, PASSWORD)).status).toBe(200)
      const all = await statuses(networks.flatMap((address) => Array.from({ length: 9 }, (_, i) => from(address, `guess ${i}`))))
      expect(times(all, 401)).toBe(30)
      expect((await from('2001:db8:1:77::1', PASSWORD)).status).toBe(429)
      expect((await from('2001:db8:2::1', PASSWORD)).status).toBe(200)
    })

    test('hold for all strangers together, but an address that has had the right password comes in, and others do when the time is over', async () => {
      expect((await from('10.0.0.1', PASSWORD)).status).toBe(200)
      const all = await statuses(Array.from({ length: 60 }, (_, i) => from(`10.1.0.${i}`, `guess ${i}`)))
      expect(times(all, 401)).toBe(20)
      const stranger = await from('10.2.0.1', PASSWORD)
      expect(stranger).toMatchObject({ status: 429, retryAfter: expect.stringMatching(/^[1-9]/) })
      expect(Number(stranger.retryAfter)).toBeLessThanOrEqual(600)
      for (let i = 0; i < 20; i++) expect((await from('10.2.0.1', PASSWORD)).status).toBe(429) // and these do not count against it
      expect((await from('10.0.0.1', PASSWORD)).status).toBe(200)
      await services.prisma.limit.updateMany({ where: { key: { startsWith: 'admin-all' } }, data: { expire: new Date(0) } })
      expect((await from('10.2.0.1', PASSWORD)).status).toBe(200)
    })
  })

  test('do not apply where the setting is 0', async () => {
    await served.close()
    await services.close()
    settings = { PREDICTIONS_PER_MINUTE: '0' }
    await start()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(ASK)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })
})

test('a request whose headers never end is cut off with a 408', async () => {
  expect(await slowHeaders).toContain('408')
})
