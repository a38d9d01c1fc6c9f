import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { crc32, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { slices } from '../../../src/core/vectors.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

const SLOWEST = 5_000 // ms for any answer
const SCRIPT = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
const LIVE = /<script>alert|<img src=x|"'>/i
const SQL = [`'; DROP TABLE "User"; --`, `' OR 1=1 --`, `") OR ("1"="1`, String.raw`\'; DELETE FROM "Tweet"; --`, '$1', '%', '\0']
const ASK = '/predictions?users=ruth_demo&users=milo_demo&text='
const FORM = 'application/x-www-form-urlencoded'
const HERE = ['Mallory', SCRIPT, 'ivo_demo', 'milo_demo', 'ruth_demo', 'tara_demo'].sort()

let database: TestDatabase
let services: TestServices
let app: Awaited<ReturnType<typeof serve>>
let log = ''

beforeAll(async () => {
  database = await databases.at(-1)!.open()
  services = await openTestServices(database, { ADMIN_PASSWORD: 'a long password', X_BEARER_TOKEN: 'none', X_API_URL: 'http://127.0.0.1:9', WORK_QUEUE: 'false' })
  await addSamples(services)
  await saveUser('Mallory', Array.from({ length: 30 }, (_, i) => `${SCRIPT} ${i} &lt;script>alert(1)</script>`))
  await saveUser(SCRIPT, [SCRIPT])
  const written = new Writable({ write: (chunk, _encoding, done) => ((log += chunk), done()) })
  app = await serve({ ...services, log: pino({ base: undefined }, written) })
})
afterAll(async () => {
  await app?.close()
  await services?.close()
  await database?.close()
})
beforeEach(() => {
  log = ''
})
afterEach(async () => {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(logged().filter(({ msg }) => msg === 'failed')).toEqual([])
  const names = (await services.userStore.listUsers()).map(({ username }) => username)
  expect(names.filter((name) => HERE.includes(name)).sort()).toEqual(HERE)
})

async function saveUser(username: string, texts: string[]): Promise<void> {
  const vectors = slices(await services.threads.embed(texts), texts.length)
  const tweets = texts.map((text, i) => ({ id: `${i}${SCRIPT}`, text, createdAt: new Date(i), position: BigInt(i), embedding: vectors[i] }))
  const user = { id: `1${username}`, username, name: SCRIPT, pictureUrl: `javascript:alert(1)//${SCRIPT}`, source: 'x' as const }
  await services.tweetStore.saveTweets(user, null, tweets, await services.threads.encoderName())
}

const logged = (): { msg: string }[] => log.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { msg: string })

interface Asked {
  method?: string
  headers?: OutgoingHttpHeaders
  body?: string | Uint8Array
  within?: number
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** The answer to exactly this path, which `fetch` would normalise; of a stream of events only the headers. */
function ask(path: string, { method = 'GET', headers = {}, body, within = SLOWEST }: Asked = {}): Promise<Answer> {
  const { hostname: host, port } = new URL(app.url)
  return new Promise((resolve, reject) => {
    const asking = httpRequest({ host, port, path, method, headers, agent: false, signal: AbortSignal.timeout(within) }, (response) => {
      let said = ''
      const end = (): void => resolve({ status: response.statusCode!, headers: response.headers, body: said })
      response.on('data', (data) => (said += data)).on('end', end).on('error', reject)
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        end()
        asking.destroy()
      }
    })
    asking.once('error', reject).end(body)
  })
}

const page = (path: string, asked: Asked = {}): Promise<Answer> => ask(path, { ...asked, headers: { accept: 'text/html', ...asked.headers } })

const post = (path: string, fields: Record<string, string> | [string, string][]): Promise<Answer> =>
  page(path, { method: 'POST', headers: { 'content-type': FORM }, body: new URLSearchParams(fields).toString() })

async function upload(file: string | Buffer, { username = 'Kettle_Friend', name = 'tweets.txt', within = SLOWEST } = {}): Promise<Answer> {
  const form = new FormData()
  form.set('form', 'import')
  form.set('username', username)
  form.set('file', new File([file], name))
  const sent = new Response(form)
  const headers = { 'content-type': sent.headers.get('content-type')! }
  return page('/users/import', { method: 'POST', headers, body: new Uint8Array(await sent.arrayBuffer()), within })
}

describe('HTML and script in what is sent', () => {
  const text = encodeURIComponent(SCRIPT)

  test.each([
    '/', `/?users=${text}&username=${text}&text=${text}&form=import`, '/users/mallory', `/users/mallory?read=${text}`, `/users/${text}`, `/${text}`,
    `${ASK}${text}`, `/predictions?users=mallory&users=ruth_demo&text=${text}`, `/predictions?users=${text}&users=mallory&text=${text}`,
    '/play?users=mallory&users=ruth_demo&seed=a', '/play?users=mallory&users=ruth_demo&seed=a&round=1&guesses=0',
    `/play?users=mallory&users=ruth_demo&seed=${text}`, `/play?users=${text}&users=mallory`, `/users/${text}/tweets.csv`, `/progress?users=${text}`
  ])('is shown as text on %s', async (path) => {
    for (const headers of [{}, { host: SCRIPT, 'x-forwarded-host': SCRIPT, 'x-forwarded-proto': SCRIPT, 'x-request-id': SCRIPT, referer: SCRIPT }]) {
      const { status, headers: { 'content-type': type }, body } = await page(path, { headers })
      expect(status).toBeLessThan(500)
      expect(type).toMatch(/^text\/html/)
      expect(body).not.toMatch(LIVE)
    }
  })

  test('is shown as text on the admin page', async () => {
    const authorization = `Basic ${Buffer.from('admin:a long password').toString('base64')}`
    const { status, body } = await page('/admin', { headers: { authorization } })
    expect(status).toBe(200)
    expect(body).not.toMatch(LIVE)
  })

  test('is shown as text in a form that is refused', async () => {
    for (const { status, body } of [await post('/users', { username: SCRIPT, text: SCRIPT, users: SCRIPT }), await upload(SCRIPT, { username: SCRIPT, name: SCRIPT })]) {
      expect(status).toBe(400)
      expect(body).toContain('&lt;script&gt;alert(1)')
      expect(body).not.toMatch(LIVE)
    }
  })

  test.each([
    [`${SCRIPT}.txt`, (i: number) => `${i} ${SCRIPT}`],
    ['a.csv', (i: number) => (i ? `"${i} ${SCRIPT.replaceAll('"', '""')}"` : 'text')],
    ['a.jsonl', (i: number) => JSON.stringify({ id: SCRIPT, text: `${i} ${SCRIPT}`, created_at: SCRIPT })]
  ])('is shown as text from the imported file %s', async (name, line) => {
    const answer = await upload(Array.from({ length: 30 }, (_, i) => line(i)).join('\n'), { name })
    expect(answer.status).toBe(200)
    const shown = [await page('/users/kettle_friend'), answer, await page('/predictions?users=kettle_friend&users=ruth_demo&text=alert'), await page('/')]
    for (const { status, body } of shown) {
      expect(status).toBe(200)
      expect(body).not.toMatch(LIVE)
    }
    expect(shown[0].body).toContain('&lt;script&gt;alert(1)')
  })
})

test.each(SQL)('SQL in what is sent is never run: %s', async (sql) => {
  const it = encodeURIComponent(sql)
  const texts = [`${ASK}${it}`, `/?users=${it}&username=${it}&text=${it}`, `/users/ruth_demo?page=${it}&read=${it}`]
  const names = [`/users/${it}`, `/users/${it}/tweets.csv`, `/users/${it}/tweets.jsonl`, `/predictions?users=${it}&users=ruth_demo&text=${it}`, `/play?users=${it}&users=ruth_demo`,
    `/play?users=milo_demo&users=ruth_demo&seed=${it}`, `/play?users=milo_demo&users=ruth_demo&seed=a&round=${it}&guesses=${it}`, `/progress?users=${it}`, `/${it}`]
  for (const path of texts) expect((await page(path)).status, path).toBe(sql === '\0' && path.startsWith('/pred') ? 400 : 200)
  for (const path of names) expect([400, 404], path).toContain((await page(path)).status)
  expect((await post('/users', { username: sql })).status).toBe(400)
  expect((await upload(`${sql}\n`.repeat(30), { username: sql, name: sql })).status).toBe(400)
  expect((await page('/admin', { headers: { authorization: sql.replace('\0', '') } })).status).toBe(401)
})

describe('a line break in what is sent', () => {
  const BREAK = '%0d%0aX-Evil:%20yes%0d%0aLocation:%20//evil.example%0d%0a%0d%0a'

  test('adds no header and no line to the log', async () => {
    const paths = [`/users/ruth_demo${BREAK}`, `/users/ruth_demo${BREAK}/tweets.csv`, `/play?users=ruth_demo${BREAK}&users=milo_demo`, `/play?users=ruth_demo/${BREAK}&users=milo_demo`,
      `/predictions?users=ruth_demo&users=milo_demo&text=${BREAK}`, `/${BREAK}`, `/users/a%0a{"level":60,"msg":"failed"}`]
    const answers = await Promise.all(paths.map((path) => page(path, { headers: { referer: decodeURIComponent(BREAK).replace(/\s+/g, ' ') } })))
    answers.push(await post('/users', { username: `ruth_demo${decodeURIComponent(BREAK)}` }), await post('/users', { username: `ruth_demo/${decodeURIComponent(BREAK)}` }))
    for (const { status, headers } of answers) {
      expect(status).toBeLessThan(500)
      expect(headers).not.toHaveProperty('x-evil')
      expect(headers.location ?? '').not.toContain('evil')
    }
    await expect.poll(() => logged().length).toBe(answers.length)
  })

  test.each(['//evil.example/', '//evil.example/%2e%2e', '/assets//evil.example/%2e%2e', '//evil.example/assets/pico', '/assets/pico', '/\\evil.example', '/users?next=//evil.example'])(
    'never redirects to another site: %s',
    async (path) => {
      const { status, headers: { location = '/' } } = await page(path)
      expect(status).toBeLessThan(500)
      expect(new URL(location, app.url).origin).toBe(app.url)
    }
  )
})

test.each([
  '/assets/../package.json', '/assets/%2e%2e/package.json', '/assets/%2e%2e%2fpackage.json', '/assets/..%5cpackage.json', '/assets/....//package.json', '/assets/pico/../../package.json',
  '/assets/pico/%2e%2e/%2e%2e/package.json', '/assets/..%00/package.json', '/assets/style.css%00.png', '/assets/%252e%252e/package.json', '/assets/.env', '/assets//etc/passwd', '/assets/%', '/%', '/%ff',
  '/users/..%2f..%2fetc%2fpasswd', '/users/..%2f..%2fetc%2fpasswd/tweets.csv', '/users/%00', '/users/%', '/../../etc/passwd', '/.git/config', '/assets', '/assets/'
])('the path %s shows no file of the server', async (path) => {
  const { status, body } = await ask(path)
  expect([301, 400, 403, 404]).toContain(status)
  expect(body).not.toMatch(/"dependencies"|root:|\[core\]|DATABASE_URL=/)
})

describe('the prototype of all objects', () => {
  const json = (body: string): Asked => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const bodies = ['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"username":{"__proto__":{"polluted":1}}}', '{"username":["__proto__",{"__proto__":{"polluted":1}}]}',
    '{"users":{"__proto__":{"polluted":1}},"__proto__":{"text":"x","users":["y"]}}', '[{"__proto__":{"polluted":1}}]', '{"__proto__":null}', `${'['.repeat(30_000)}${']'.repeat(30_000)}`]

  test.each(bodies.flatMap((body) => ['/users', '/users/import', '/admin/reset', '/nowhere'].map((path) => [body.slice(0, 80), path, body])))('is not changed by %s to %s', async (_, path, body) => {
    const { status } = await page(path, json(body))
    expect([200, 303, 400, 401, 404, 415, 422]).toContain(status) // __proto__ is a valid name on X
  })

  test.each(['users[__proto__]=x', 'users[constructor][prototype][polluted]=1', '__proto__[polluted]=1', '__proto__=x&__proto__=y', 'users=__proto__&users=constructor&text=x', 'hasOwnProperty=x&toString=y',
    `users${'[a]'.repeat(500)}=x`, 'users=x&'.repeat(10_000)].map((query) => [query.slice(0, 60), query]))('is not changed by %s', async (_, query) => {
    for (const path of ['/', '/predictions', '/predictions/card.png', '/play', '/progress', '/users/ruth_demo', '/nowhere']) expect((await page(`${path}?${query}`)).status, path).toBeLessThan(500)
    expect([400, 413]).toContain((await page('/users', { method: 'POST', headers: { 'content-type': FORM }, body: query.slice(0, 60_000) })).status)
  })

  test('is not changed by the fields of an upload', async () => {
    const form = ['__proto__', 'constructor', 'toString', '__proto__[polluted]'].map((name) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nx\r\n`).join('')
    const file = '--b\r\nContent-Disposition: form-data; name="__proto__"; filename="__proto__"\r\n\r\nx\r\n--b--\r\n'
    expect((await page('/users/import', { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: form + file })).status).toBe(400)
  })
})

describe('a request that is too large', () => {
  test.each([[FORM, `username=${'x'.repeat(70_000)}`], ['application/json', JSON.stringify({ username: 'x'.repeat(70_000) })]])('is refused with a 413 as %s', async (type, body) => {
    for (const path of ['/users', '/admin/reset', '/nowhere']) expect((await page(path, { method: 'POST', headers: { 'content-type': type }, body })).status).toBe(413)
    const gzip = { 'content-type': type, 'content-encoding': 'deflate' }
    expect((await page('/users', { method: 'POST', headers: gzip, body: deflateRawSync(Buffer.alloc(50 * 2 ** 20, 'x')) })).status).toBeOneOf([400, 413])
  })

  test('that comes slowly keeps nobody else waiting', async () => {
    const { hostname: host, port } = new URL(app.url)
    const slow = Array.from({ length: 100 }, (_, i) => {
      const path = i % 2 ? '/users' : '/users/import'
      const asking = httpRequest({ host, port, path, method: 'POST', headers: { 'content-type': i % 2 ? FORM : 'multipart/form-data; boundary=b', 'content-length': 50_000 } })
      asking.on('error', () => {}).write('u')
      return asking
    })
    const trickle = setInterval(() => slow.forEach((asking) => asking.write('u')), 50)
    try {
      for (const path of ['/', `${ASK}slow`, '/health/alive', '/users/ruth_demo']) expect((await page(path)).status).toBe(200)
    } finally {
      clearInterval(trickle)
      slow.forEach((asking) => asking.destroy())
      await vi.waitFor(async () => expect((await upload('')).status).not.toBe(429), SLOWEST) // the app has seen that they are gone
    }
  })

  const space = Buffer.alloc(280 * 2 ** 20, ' ')
  const noise = Buffer.from(randomBytes(2_000_000).toString('base64')) // compresses by a quarter

  test.each([
    ['declares how large it unpacks', space, undefined, /more than 200 times as large/],
    ['declares a smaller size', space, 1_000, /damaged/],
    ['stays below the ratio', Buffer.concat([space.subarray(0, 20 * 2 ** 20), noise]), undefined, /1 read, 0 kept/],
    ['is an endless array', Buffer.concat([Buffer.from('window.YTD.tweets.part0 = ['), space, noise]), undefined, /longer than 250,000 characters/]
  ])('is refused, or read in part, as a zip that %s', async (_, data, declared, words) => {
    const uploading = upload(zip('data/tweets.js', data, declared), { name: 'a.zip', within: 30_000 }) // takes long to unpack, but others are answered meanwhile
    let waiting = true
    void uploading.catch(() => {}).then(() => (waiting = false))
    for (; waiting; await pause(100)) expect((await page('/')).status).toBe(200)
    const { status, body } = await uploading
    const message = /<p class="error" role="alert">([^]*?)<\/p>/.exec(body)?.[1]
    expect({ status, message }).toEqual({ status: 422, message: expect.stringMatching(words) })
  })
})

test.each(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary="', `multipart/form-data; boundary=${'b'.repeat(500)}`, 'multipart/form-dataX; boundary=b', 'multipart/mixed; boundary=b'])(
  'a file sent as %s is refused with a message',
  async (type) => {
    const { status, body } = await page('/users/import', { method: 'POST', headers: { 'content-type': type }, body: '--b--' })
    expect([400, 415]).toContain(status)
    expect(body).toMatch(/role="alert">[^<]+\.</)
  }
)

function zip(name: string, data: Buffer, declared = data.length): Buffer {
  const packed = deflateRawSync(data)
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(crc32(data), 10)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(declared, 18)
  fields.writeUInt16LE(name.length, 22)
  const file = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed])
  const directory = Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, Buffer.alloc(14), Buffer.from(name)])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(file.length, 16)
  return Buffer.concat([file, directory, end])
}

test.each(['a', 't.co/', 'https://', 'https://t.co/', '@', '@a ', '#', '\u200d', '👩‍👩‍👧‍👦', '🏳️‍🌈', 'e\u0301', '\u0301', '-', ' -', '. ', ' \n', '\t', '&amp;', '&', '"', "'", '!?', '1,', '한', '漢', '\u202e', 'RT @a: ', '=', '\\', '](', 'A', 'Aa', '\uFFFC'])(
  'a text that repeats %j is answered like any other',
  async (some) => {
    const text = `x${some.repeat(Math.min(3_990 / [...new Intl.Segmenter().segment(some)].length, 12_000 / some.length))}`
    const path = `?users=ruth_demo&users=milo_demo&text=${encodeURIComponent(`${text}y`)}`
    expect((await page(`/predictions${path}`)).status).toBe(200)
    expect((await page(`/predictions/card.png${path}`)).status).toBe(200)
    expect([200, 422]).toContain((await upload([`${text} 1`, `2 ${text}`, `${text} x`].join('\n'))).status)
    expect((await page('/users/kettle_friend')).status).toBe(200)
  }
)

test('HEAD /progress is answered at once while collecting goes on', async () => {
  await post('/users', { username: 'Some_body' })
  expect((await page('/progress?users=some_body', { method: 'HEAD' })).status).toBe(200)
})

test('no random request crashes the app, gives a 500 or makes it wait', async () => {
  const odd = fc.constantFrom(...SQL, SCRIPT, 'ruth_demo', 'milo_demo', 'mallory', '__proto__', 'constructor', '@ruth_demo', 'https://x.com/ruth_demo', '0', '1', '-1', '1e309', '9999999999999999999', 'NaN', '', ' ', '\n')
  const value = fc.oneof(odd, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 300 }))
  const key = fc.oneof(fc.constantFrom('users', 'users', 'text', 'username', 'seed', 'round', 'guesses', 'page', 'read', 'kept', 'form', 'replies', 'users[]', 'users[0][a]', '__proto__', 'text[constructor]'), fc.string())
  const pairs = fc.array(fc.tuple(key, value), { maxLength: 8 }).map((all) => all.map((pair) => pair.map(encodeURIComponent).join('=')).join('&'))
  const query = fc.oneof(pairs, pairs.map((some) => `users=ruth_demo&username=milo_demo&users=milo_demo&text=x&${some}`),
    value.map((some) => `users=mallory&users=ruth_demo&username=Some_body&seed=a&text=${encodeURIComponent(some)}`), fc.constantFrom('%', 'text=%ff', '&&==', 'users=%ED%A0%80', 'a'.repeat(60_000)))
  const named = fc.oneof(value.map(encodeURIComponent), fc.constantFrom('ruth_demo', 'mallory', '%', '%ff', '..', '%2e%2e'))
  const path = fc.oneof(
    fc.constantFrom('/', '/users', '/users/import', '/predictions', '/predictions', '/predictions/card.png', '/play', '/play', '/progress', '/health', '/health/alive', '/metrics', '/admin', '/admin/update', '/admin/reset', '/nowhere'),
    named.chain((name) => fc.constantFrom(`/users/${name}`, `/users/${name}/tweets.csv`, `/users/${name}/tweets.jsonl`, `/${name}`, `/assets/${name}`))
  )
  const type = fc.oneof(fc.constantFrom(FORM, FORM, 'application/json', 'application/json', 'application/json; charset=x', 'multipart/form-data', 'multipart/form-data; boundary=b', 'text/plain', ';', `${FORM}; charset=utf-16`), fc.string())
  const headers = fc.record({
    accept: fc.oneof(fc.constantFrom('text/html', 'application/json', '*/*', 'image/png', ';q=', 'text/html;q=nan', ','), fc.string()),
    'x-request-id': fc.string(), host: fc.oneof(fc.constantFrom('x', '[::1', 'a:b:c', ''), fc.string()),
    authorization: fc.constantFrom('Basic', 'Basic ====', 'Bearer x'), origin: fc.string(),
    'sec-fetch-site': fc.constantFrom('same-origin', 'none', 'same-origin', 'none', 'cross-site', ''), 'content-encoding': fc.constantFrom('identity', 'identity', 'identity', 'gzip', 'x'),
    'accept-encoding': fc.string(), range: fc.string(), 'if-modified-since': fc.string(), 'x-forwarded-for': fc.string()
  }, { requiredKeys: ['accept', 'sec-fetch-site'] })
  const field = value.map((some) => `--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nKettle_Friend\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="${some}"\r\n\r\n${some}\r\n--b--`)
  const json = fc.oneof(fc.json(), fc.object({ key, values: [value, fc.double()] }).map((some) => JSON.stringify(some)))
  const body = fc.oneof(
    fc.tuple(fc.constant(FORM), query), fc.tuple(fc.constant('application/json'), json), fc.tuple(fc.constant('multipart/form-data; boundary=b'), field),
    fc.tuple(type, fc.oneof(query, json, field, fc.uint8Array()))
  )
  const method = fc.constantFrom('GET', 'GET', 'GET', 'POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH')

  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (method, path, query, headers, [type, body]) => {
      const sent = Object.entries({ ...headers, 'content-type': type }).map(([name, said]) => [name, said.replace(/[^\x20-\x7e]/g, '')])
      const answer = await ask(`${path}?${query}`, { method, headers: Object.fromEntries(sent), ...(method !== 'GET' && method !== 'HEAD' && { body }) })
      if (answer.status >= 500) expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('Please try again') })
      if (answer.headers['content-type']?.startsWith('text/html')) expect(answer.body).not.toMatch(LIVE)
    }),
    { numRuns: 300 }
  )
})
