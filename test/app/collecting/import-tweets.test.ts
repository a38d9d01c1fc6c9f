import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { importTweets } from '../../../src/collecting/import-tweets.js'
import { openThreads, type Threads } from '../../../src/threads/pool.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

const LINES = Array.from({ length: 30 }, (_, i) => `The ${['kettle', 'tram', 'heron'][i % 3]} was late again, ${i} minutes`)

describe.each(databases)('importing a file on the $name', ({ open }) => {
  let threads: Threads
  let database: TestDatabase
  let services: TestServices
  let app: { url: string; close(): Promise<void> }
  const temporary = process.env.TMPDIR

  beforeAll(async () => {
    process.env.TMPDIR = await mkdtemp(join(tmpdir(), 'hypotweet-imports-'))
    threads = openThreads()
    database = await open()
    services = await openTestServices(database, {}, threads)
    app = await serve(services)
  })
  beforeEach(() => services.userStore.reset())
  afterEach(async () => expect((await readdir(process.env.TMPDIR!)).filter((name) => name.includes('upload'))).toEqual([]))
  afterAll(async () => {
    if (temporary === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = temporary
    await app?.close()
    await services?.close()
    await database?.close()
    await threads.close()
  })

  async function send(text: string, { username = '@Kettle_Friend', name = 'tweets.txt', accept = 'application/json', replies = '' } = {}) {
    const form = new FormData()
    form.set('form', 'import')
    form.set('username', username)
    if (replies) form.set('replies', replies)
    form.set('file', new File([text], name))
    return fetch(`${app.url}/users/import`, { method: 'POST', body: form, headers: { accept }, redirect: 'manual' })
  }

  test('stores its tweets under the name, and says how many were read, kept and dropped', async () => {
    const file = [...LINES, LINES[0], 'RT @somebody: no', '@somebody yes'].join('\n')
    const answer = await send(file)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      user: { username: 'Kettle_Friend', source: 'archive', tweets: 30 },
      report: { read: 33, kept: 30, dropped: { retweets: 1, replies: 1, duplicates: 1 } }
    })
  })

  test('does not replace a user who came from X while the file was read', async () => {
    const user = { id: '7', username: 'kettle_friend', name: 'K', pictureUrl: null, source: 'x' as const }
    const slow = { ...services, threads: { ...threads, embed: async (texts: string[]) => {
      await services.tweetStore.saveTweets(user, '9', [], 'encoder')
      return threads.embed(texts)
    } } }
    const path = join(process.env.TMPDIR!, 'race.txt')
    await writeFile(path, LINES.join('\n'))
    await expect(importTweets(slow, { username: 'Kettle_Friend', path, fileName: 'race.txt', replies: false })).rejects.toThrow('here already, read from X')
    expect(await services.userStore.listUsers()).toMatchObject([{ id: '7', source: 'x' }])
  })

  test('does not take a name that is being read from X', async () => {
    await services.collectJobs.request('Kettle_Friend', 20)
    const answer = await send(LINES.join('\n'))
    expect([answer.status, await answer.json()]).toEqual([422, { error: '@Kettle_Friend is being read from X at the moment. Choose another name for the file.' }])
    await services.collectJobs.reset()
  })

  test('is answered with a page that says the same, with examples, and leads to the user', async () => {
    const answer = await send([...LINES, 'RT @somebody: no'].join('\n'), { accept: 'text/html' })
    expect(answer.status).toBe(200)
    const page = await answer.text()
    expect(page).toContain('31 read, 30 kept. Left out: reposts (1).')
    expect(page).toContain('<li>Line 31: <bdi>RT @somebody: no</bdi></li>')
    expect(page).toContain('Read as plain text, UTF-8. They have no dates, so their order is the file’s.')
    expect(await (await fetch(`${app.url}${/href="(\/users\/\w+)"/.exec(page)![1]}`)).text()).toContain('from a file')
  })

  test('keeps replies when asked to', async () => {
    const answer = await send([...LINES, '@somebody yes'].join('\n'), { replies: 'true' })
    expect(await answer.json()).toMatchObject({ report: { kept: 31, dropped: { replies: 0 } } })
  })

  test('again replaces the tweets of the old file by those of the new one', async () => {
    await send(LINES.join('\n'))
    await send(LINES.slice(0, 25).map((line) => `${line}!`).join('\n'), { username: 'kettle_friend' })
    expect(await services.userStore.listUsers()).toMatchObject([{ username: 'kettle_friend', tweets: 25 }])
  })

  test('can be used for predictions at once', async () => {
    await send(LINES.join('\n'))
    await send(LINES.map((line) => line.toUpperCase() + '!!!').join('\n'), { username: 'Loud_Friend' })
    const query = 'users=kettle_friend&users=loud_friend&text=THE+HERON+IS+LATE!!!'
    const answer = await fetch(`${app.url}/predictions?${query}`, { headers: { accept: 'application/json' } })
    expect(await answer.json()).toMatchObject({ author: 'Loud_Friend' })
  })

  test.each([
    ['a name that X cannot have', LINES.join('\n'), { username: 'not a name' }, 400, 'no X username'],
    ['nothing but reposts', 'RT @a: b\nRT @a: c', {}, 422, 'no tweets of @Kettle_Friend'],
    ['a broken line', '{"text": "fine"}\n{"text": \n{"text": "fine too"}', { name: 'x.jsonl' }, 422, 'Line 2'],
    ['bytes that are no text', '\u0000\u0001PK\u0003', { name: 'x.zip' }, 422, 'zip']
  ])('with %s is refused with a reason, and stores nothing', async (_, text, options, status, words) => {
    const answer = await send(text, options)
    expect(answer.status).toBe(status)
    expect(((await answer.json()) as { error: string }).error).toContain(words)
    expect(await services.userStore.listUsers()).toEqual([])
  })

  test('keeps the typed name in the form when it is refused', async () => {
    const page = await (await send('RT @a: b', { accept: 'text/html' })).text()
    expect(page).toMatch(/id="import-username"[^>]* value="@Kettle_Friend"/)
    expect(page).toMatch(/<details class="card" open>/)
  })

  test('does not change a user from X with the same name', async () => {
    const user = { id: '123', username: 'Kettle_Friend', name: 'K', pictureUrl: null, source: 'x' as const }
    await services.tweetStore.saveTweets(user, null, [], 'encoder')
    const answer = await send(LINES.join('\n'))
    expect(answer.status).toBe(422)
    expect(await services.userStore.listUsers()).toMatchObject([{ source: 'x', tweets: 0 }])
  })

  test('over 50 MB is refused with a 413', async () => {
    const answer = await send('x'.repeat(51 * 2 ** 20))
    expect(answer.status).toBe(413)
    expect(await answer.json()).toEqual({ error: 'That file is too large: 50 MB at the most.' })
  })

  test.each([
    ['without a file', async () => {
      const form = new FormData()
      form.set('username', 'Kettle_Friend')
      return fetch(`${app.url}/users/import`, { method: 'POST', body: form, headers: { accept: 'application/json' } })
    }, 400],
    ['as another kind of form', () => fetch(`${app.url}/users/import`, {
      method: 'POST', body: new URLSearchParams({ username: 'Kettle_Friend' }), headers: { accept: 'application/json' }
    }), 415],
    ['cut off in the middle', () => fetch(`${app.url}/users/import`, {
      method: 'POST',
      body: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
      headers: { accept: 'application/json', 'content-type': 'multipart/form-data; boundary=b' }
    }), 400]
  ])('%s is refused with a reason', async (_, ask, status) => {
    const answer = await ask()
    expect(answer.status).toBe(status)
    expect(((await answer.json()) as { error: string }).error).toMatch(/\.$/)
  })
})

describe('imports of an address', () => {
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    database = await databases.at(-1)!.open()
    services = await openTestServices(database, { IMPORTED_MB_PER_DAY: '0.1', STORAGE_LIMIT_MB: '0.15', TRUST_PROXY: '1' })
    app = await serve(services)
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
    await database?.close()
  })

  async function send(username: string, address: string): Promise<{ status: number; words: string; retryAfter: string | null }> {
    const form = new FormData()
    form.set('username', username)
    form.set('file', new File([LINES.join('\n')], 'a.txt'))
    const answer = await fetch(`${app.url}/users/import`, { method: 'POST', body: form, headers: { accept: 'application/json', 'x-forwarded-for': address } })
    return { status: answer.status, words: await answer.text(), retryAfter: answer.headers.get('retry-after') }
  }

  test('are refused in words beyond so much a day, and for all when the room is used up; what is stored stays', async () => {
    expect(await send('one', '10.0.0.1')).toMatchObject({ status: 200 })
    expect(await send('two', '10.0.0.1')).toMatchObject({ status: 429, words: expect.stringContaining('More than 0.1 MB were added from your address within a day'), retryAfter: expect.stringMatching(/^\d+$/) })
    expect(await send('three', '10.0.0.2')).toMatchObject({ status: 200 })
    expect(await send('four', '10.0.0.3')).toMatchObject({ status: 503, words: expect.stringContaining('no room left') })
    expect((await services.userStore.listUsers()).map(({ username }) => username).sort()).toEqual(['one', 'three'])
  })
})
