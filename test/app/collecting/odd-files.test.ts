import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dropDuplicates, tidyText } from '../../../src/text/normalize.js'
import { openEmbeddedDatabase, openRealDatabase, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

const real = process.env.TEST_DATABASE_URL
let database: TestDatabase
let services: TestServices
let app: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  database = await (real ? openRealDatabase(real) : openEmbeddedDatabase())
  services = await openTestServices(database)
  app = await serve(services)
})
beforeEach(() => services.userStore.reset())
afterAll(async () => {
  await app?.close()
  await services?.close()
  await database?.close()
})

interface Report { read: number; kept: number; beyond: number; dropped: Record<string, number> }

async function send(username: string, file: string | Blob, name: string): Promise<{ status: number; error?: string; report: Report; user: { tweets: number } }> {
  const form = new FormData()
  form.set('username', username)
  form.set('replies', 'true')
  form.set('file', new File([file], name))
  const answer = await fetch(`${app.url}/users/import`, { method: 'POST', body: form, headers: { accept: 'application/json' } })
  return { status: answer.status, ...(await answer.json() as { error?: string; report: Report; user: { tweets: number } }) }
}

const storedOf = (username: string): Promise<{ id: string; text: string; createdAt: Date | null }[]> => services.prisma.tweet.findMany({
  select: { id: true, text: true, createdAt: true }, where: { userId: `archive:${username}` }, orderBy: [{ position: 'desc' }, { id: 'desc' }]
})

const SPACES = ['\u00a0', '\u1680', '\u2003', '\u2028', '\u3000', '\ufeff', '\u200b', '\u2060', '\u180e', '\t', '\v']
const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('\ud83d', 'a\udc00b', '\0', 'a\0b', '&lt;b&gt;', '&amp;amp;', "'=1", '=1+1', ...SPACES),
  fc.constantFrom(...SPACES).map((space) => `${space}tea${space}rain${space}`), fc.integer({ min: 0, max: 40 }).map((n) => `e${'\u0301\u0323'.repeat(n)}`)
)
const oddId = fc.oneof(
  fc.constantFrom('-1', '0', '00', '05', '1e3', '١٢٣', '１２', '0x1f', 'NaN', '9223372036854775808', '99999999999999999999', '1'.repeat(21), '1'.repeat(300), 'abc', "'1", ' 7 ', '__proto__', ''),
  fc.integer({ min: 1, max: 6 }).map(String), fc.constantFrom<unknown>(null, -1, 1e300, 0.5, true, [], {}, [1]), fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String)
)
const oddDate = fc.oneof(
  fc.constantFrom<unknown>('0000-01-01', '-0001-01-01', '-000001-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '0001-01-01', '9999-12-31T23:59:59-12:00', '9999-12-31', '+275760-09-13T00:00:00Z', '275760-09-13',
    '+275760-09-14', '2024-02-30', '2024-01-01T24:00:00Z', '2024-01-01T25:00', '2024-01-01 10:00 +9999', 'Wed Oct 10 20:19:24 +0000 0000', 'Wed Oct 10 20:19:24 +0000 9999', 'Wed Foo 99 99:99:99 +0000 2018', 0, -1,
    9999999999, 9999999999999, 8.64e15, '-62167219200', '9'.repeat(300), null, {}, [], true, ''),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()), fc.date({ noInvalidDate: true }).map((date) => date.getTime())
)
const oddRecord = fc.record(
  { text: oddText, id: oddId, created_at: oddDate, retweeted: fc.constantFrom<unknown>(true, 'false', {}, 0), in_reply_to_user_id: oddId, exported_by: fc.constantFrom<unknown>('HypoTweet', 'somebody', 1) },
  { requiredKeys: ['text'] }
)
const oddRecords = fc.array(oddRecord, { minLength: 1, maxLength: 12 })

const cell = (value: unknown): string => `"${(typeof value === 'string' ? value : JSON.stringify(value) ?? '').replaceAll('"', '""').replaceAll('\0', '')}"`
const COLUMNS = ['id', 'created_at', 'text', 'exported_by'] as const
const formats: [string, (records: { [name: string]: unknown }[]) => string][] = [
  ['a.jsonl', (records) => records.map((record) => JSON.stringify(record)).join('\n')],
  ['a.json', (records) => JSON.stringify(records)],
  ['tweets.js', (records) => `window.YTD.tweets.part0 = ${JSON.stringify(records.map((tweet) => ({ tweet })))}`],
  ['a.csv', (records) => [COLUMNS.join(','), ...records.map((record) => COLUMNS.map((name) => cell(record[name])).join(','))].join('\n').toWellFormed()]
]

describe.each(formats)('a file %s of odd ids, dates and texts', (name, format) => {
  test('is stored whole or refused in words: nothing breaks, and what is left out is counted', async () => {
    await fc.assert(fc.asyncProperty(oddRecords, async (records) => {
      await services.userStore.reset()
      const { status, error, report, user } = await send('odd', format(records), name)
      const stored = await storedOf('odd')
      if (status !== 200) {
        expect([status, error]).toEqual([422, expect.stringMatching(/\.$/)])
        expect(stored).toEqual([])
        return
      }
      const { read, kept, beyond, dropped } = report
      expect([read, kept]).toEqual([records.length, stored.length])
      expect(read).toBe(kept + beyond + Object.values(dropped).reduce((sum, n) => sum + n, 0))
      expect(user.tweets).toBe(kept)
      for (const { text } of stored) expect([text.isWellFormed(), text.trim() === text, text.includes('\0'), text === '']).toEqual([true, true, false, false])
      expect((await fetch(`${app.url}/users/odd`, { headers: { accept: 'text/html' } })).status).toBe(200)
    }), { numRuns: 40 })
  })
})

test('a post of 25,000 combining marks is left out or kept, in time, and the rest with it', async () => {
  const marks = ['\u0301', '\u0323', '\u0301\u0323', '\u{1d167}'].map((mark) => ({ text: `e${mark.repeat(25_000 / mark.length)}` }))
  const { status, report } = await send('marks', [...marks, { text: 'tea' }].map((record) => JSON.stringify(record)).join('\n'), 'a.jsonl')
  expect(status).toBe(200)
  expect(report.read).toBe(5)
})

test('numbers given to posts without an id are not those of other posts', async () => {
  const records = [{ id: '1', text: 'one' }, { text: 'two' }, { text: 'three' }, { id: '3', text: 'four' }, { text: 'five' }, { id: '8', text: 'six' }]
  const { status } = await send('mixed', records.map((record) => JSON.stringify(record)).join('\n'), 'a.jsonl')
  expect(status).toBe(200)
  const stored = await storedOf('mixed')
  expect(stored.map(({ text }) => text).sort()).toEqual(records.map(({ text }) => text).sort())
  expect(new Set(stored.map(({ id }) => id)).size).toBe(6)
})

test.each(['a'.repeat(300), 'é', 'a\u2003b', '\0', '١٢٣', '-1', "'; DROP"])('the name %j is refused, and its file is not stored', async (name) => {
  const { status, error } = await send(name, 'tea\nrain', 'a.txt')
  expect([status, error]).toEqual([400, expect.stringContaining('no X username')])
  expect(await services.userStore.listUsers()).toEqual([])
})

describe('an export that is imported again', () => {
  const text = fc.oneof(
    oddText, fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('&lt;b&gt; &amp;', "''=1", "'=1", '=1', '-1 +1', '@somebody hello', 'RT @somebody: no', '＝1', "'tis", "'", 'a "quote", and; more\tof it', 'two\n\nlines', '[1]', '{"text":"x"}', '0', 'null')
  )
  const tweet = fc.record({ id: fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String), fc.constantFrom('1', '2', '05')), text, at: fc.option(fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })) })

  test.each(['jsonl', 'csv'])('as .%s has every text, id, date and place as it was', async (kind) => {
    await fc.assert(fc.asyncProperty(fc.array(tweet, { minLength: 1, maxLength: 10 }), async (tweets) => {
      await services.userStore.reset()
      await store(tweets)
      const before = await storedOf('first')
      fc.pre(before.length > 0)
      const exported = await (await fetch(`${app.url}/users/first/tweets.${kind}`)).blob()
      expect(await send('second', exported, `first.${kind}`)).toMatchObject({ status: 200 })
      expect(await storedOf('second')).toEqual(before)
    }), { numRuns: 40 })
  })

  /** Stores tweets in this order, their texts as every source stores them: tidy, and no two alike. */
  async function store(tweets: { id: string; text: string; at: Date | null }[]): Promise<void> {
    const tidy = dropDuplicates(tweets.map(({ text, ...tweet }) => ({ ...tweet, text: tidyText(text) })), ({ text }) => text)
    const once = [...new Map(tidy.map((tweet) => [tweet.id, tweet])).values()]
    const rows = once.map(({ id, text, at }, i) => ({ id, text, createdAt: at, position: BigInt(once.length - i), embedding: new Float32Array(4) }))
    await services.tweetStore.replaceUsers([{ user: { id: 'archive:first', username: 'first', name: 'first', pictureUrl: null, source: 'archive' }, tweets: rows }], 'e')
  }
})
