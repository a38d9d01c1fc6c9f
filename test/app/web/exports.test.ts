import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'csv-parse/sync'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'
import { sharedThreads } from '../../support/threads.js'

const threads = sharedThreads()

const ODD_TEXTS = [
  'plain', 'a, comma and a "quote"', 'two\nlines', '=HYPERLINK("https://example.org")', '@somebody hello', '-1 +1', 'emoji 🌱 ünïcode', "'tis"
]

describe.each(databases)('the export of tweets from the $name', ({ open }) => {
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>

  beforeAll(async () => {
    database = await open()
    services = await openTestServices(database, {}, threads)
    app = await serve(services)
    const tweets = Array.from({ length: 1203 }, (_, i) => ({
      id: String(i), text: ODD_TEXTS[i] ?? `number ${i}`, createdAt: i % 2 ? new Date(Date.UTC(2026, 0, 1) + i * 1000) : null,
      position: BigInt(Math.floor(i / 3)), embedding: new Float32Array(4)
    }))
    await services.tweetStore.saveTweets({ id: 'archive:wren', username: 'Wren', name: 'Wren', pictureUrl: null, source: 'archive' }, null, tweets, 'e')
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
    await database?.close()
  })

  const get = (path: string) => fetch(`${app.url}${path}`)
  const inOrder = async (): Promise<{ id: string; text: string; createdAt: Date | null }[]> => {
    const orderBy = [{ position: 'desc' as const }, { id: 'desc' as const }]
    return services.prisma.tweet.findMany({ select: { id: true, text: true, createdAt: true }, orderBy })
  }

  test('has every stored tweet once as JSON Lines, newest first, unchanged and without vectors', async () => {
    const answer = await get('/users/wren/tweets.jsonl')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/jsonl; charset=utf-8')
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="Wren.jsonl"')
    const lines = (await answer.text()).trimEnd().split('\n').map((line) => JSON.parse(line))
    expect(lines).toEqual((await inOrder()).map(({ id, text, createdAt }) => ({ id, created_at: createdAt?.toISOString() ?? null, text, exported_by: 'HypoTweet' })))
    expect(lines).toHaveLength(1203)
  })

  test('has every stored tweet as CSV, and no text that a spreadsheet would run as a formula', async () => {
    const answer = await get('/users/Wren/tweets.csv')
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const body = Buffer.from(await answer.arrayBuffer())
    expect([...body.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    const records = parse(body, { columns: true, bom: true }) as { id: string; created_at: string; text: string }[]
    const safe = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
    expect(records).toEqual((await inOrder()).map(({ id, text, createdAt }) => ({ id, created_at: createdAt?.toISOString() ?? '', text: safe(text), exported_by: 'HypoTweet' })))
  })

  test('can be imported again', async () => {
    const form = new FormData()
    form.set('username', 'again')
    form.set('replies', 'true')
    form.set('file', new Blob([await (await get('/users/wren/tweets.jsonl')).arrayBuffer()]), 'wren.jsonl')
    const answer = await fetch(`${app.url}/users/import`, { method: 'POST', body: form, headers: { accept: 'application/json' } })
    expect(answer.status).toBe(200)
    const [before, after] = await Promise.all(['archive:wren', 'archive:again'].map(async (id) => (await services.tweetStore.listTexts(id)).map(({ text }) => text)))
    expect(after.sort()).toEqual(before.sort())
  })

  test('is an empty file for a user without tweets, and a 404 with a message for one who is not here', async () => {
    await services.tweetStore.saveTweets({ id: 'archive:none', username: 'none', name: 'none', pictureUrl: null, source: 'archive' }, null, [], 'e')
    expect(await (await get('/users/none/tweets.jsonl')).text()).toBe('')
    expect((await (await get('/users/none/tweets.csv')).text()).trim()).toBe('id,created_at,text,exported_by')
    for (const path of ['/users/nobody/tweets.csv', '/users/not%20a%20name/tweets.jsonl']) {
      const answer = await get(path)
      expect(answer.status).toBe(404)
      expect(await answer.text()).toContain('has not been added here')
    }
  })

  test('comes in batches of few bytes, however long the texts are', async () => {
    const user = { id: 'archive:long', username: 'long', name: 'long', pictureUrl: null, source: 'archive' as const }
    const tweets = Array.from({ length: 30 }, (_, i) => ({ id: String(i), text: '語'.repeat(i % 3 ? 20_000 : 1), createdAt: null, position: BigInt(i), embedding: new Float32Array(4) }))
    await services.tweetStore.saveTweets(user, null, tweets, 'e')
    const batches: string[][] = []
    for await (const batch of services.tweetStore.readTweets(user.id)) batches.push(batch.map(({ id }) => id))
    expect(batches.flat()).toEqual(tweets.map(({ id }) => id).reverse())
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThan(10)
  })

  test('is refused at once to an address that has four open', async () => {
    const readTweets = async function* (): ReturnType<typeof services.tweetStore.readTweets> {
      yield [{ id: '1', text: 'one', createdAt: null }]
      await new Promise(() => {})
    }
    const slow = await serve({ ...services, tweetStore: { ...services.tweetStore, readTweets } })
    const ask = () => fetch(`${slow.url}/users/wren/tweets.jsonl`)
    const open = await Promise.all([ask(), ask(), ask(), ask()])
    const refused = await ask()
    expect([...open, refused].map(({ status }) => status)).toEqual([200, 200, 200, 200, 429])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    await open[0].body!.cancel()
    await expect.poll(async () => (await ask()).status).toBe(200)
    await slow.close()
  })

  test('ends the connection where the database fails half-way, and is logged once', async () => {
    const failing = async function* (): ReturnType<typeof services.tweetStore.readTweets> {
      yield [{ id: '1', text: 'one', createdAt: null }]
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw new Error('gone')
    }
    const slow = await serve({ ...services, tweetStore: { ...services.tweetStore, readTweets: failing } })
    const answer = await fetch(`${slow.url}/users/wren/tweets.jsonl`)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
    expect((await fetch(`${slow.url}/health/alive`)).status).toBe(200)
    await slow.close()
  })

  test("is linked from the user's page in both formats", async () => {
    const page = await (await fetch(`${app.url}/users/Wren`, { headers: { accept: 'text/html' } })).text()
    expect(page).toContain('href="/users/Wren/tweets.csv"')
    expect(page).toContain('href="/users/Wren/tweets.jsonl"')
  })
})
