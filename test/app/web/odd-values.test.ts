import { parse } from 'node:querystring'
import ejs from 'ejs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

const LONGEST = 15_000 // ms: an answer that has not come by then never will
const LONGEST_RUN = 8_000 // ms for each test: a slow machine makes fewer requests
const MAX_SENT = 60_000 // bytes of a query or a body, which servers bound
const BROKEN = '%E0%A4%A' // a percent-encoded character that ends too early

let database: TestDatabase
let services: TestServices
let app: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  database = await databases.at(-1)!.open()
  services = await openTestServices(database, { X_BEARER_TOKEN: 'none', X_API_URL: 'http://127.0.0.1:9', WORK_QUEUE: 'false' })
  await addSamples(services)
  app = await serve(services)
})
afterAll(async () => {
  await app?.close()
  await services?.close()
  await database?.close()
})

// What programs and people have sent where a short word or a small number was meant.
const numbers = ['-1', '0', '-0', '007', '1e309', 'NaN', 'Infinity', '12a', '0x10', '1.5', '9223372036854775807', '9223372036854775808', '18446744073709551616', '9'.repeat(300), '-9'.repeat(20)]
const years = ['-1', '-000001', '0000', '0', '9999', '10000', '275760', '275761'].map((year) => `${year}-01-01T00:00:00Z`)
const texts = [
  '', ' ', '\0', 'a\0b', '\ud800', 'a\udfffb', '\udc00\ud800', 'e' + '\u0301'.repeat(25_000), '\u3000', '\u2003\u00a0', '\u1680\u2028\u2029', '\ufeff', '\u202eabc', 'n'.repeat(300), '漢'.repeat(300),
  '@ruth_demo', 'ruth_demo', 'https://x.com/ruth_demo', '٣', 'ruth_demo,milo_demo\0', '__proto__', 'constructor', '</textarea>', BROKEN
]
const word = fc.oneof(fc.constantFrom(...texts, ...numbers, ...years), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 40 }))
const field = fc.constantFrom('users', 'users', 'text', 'text', 'username', 'seed', 'round', 'guesses', 'page', 'read', 'kept', 'beyond', 'retweets', 'replies', 'duplicates', 'empty', 'tooLong', 'form')

/** Percent-encoded; half of a surrogate pair as the three bytes that UTF-8 forbids, and a broken sequence as it is. */
function encoded(text: string): string {
  return text.split(BROKEN).map((part) => Array.from(part, encodedCharacter).join('')).join(BROKEN)
}

function encodedCharacter(character: string): string {
  if (character.isWellFormed()) return encodeURIComponent(character)
  const unit = character.charCodeAt(0)
  return `%ED%${(0x80 | ((unit >> 6) & 0x3f)).toString(16)}%${(0x80 | (unit & 0x3f)).toString(16)}`
}

/** A value of a form as Express reads it: one with a broken sequence stays as it was sent. (In an address, U+FFFD takes its place.) */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

// What is right but for one or two fields, which would otherwise stop at the first check. A field may come twice.
const rest = fc.constantFrom('', 'users=ruth_demo&users=milo_demo', 'users=ruth_demo&users=milo_demo&text=kettle', 'users=ruth_demo&users=milo_demo&seed=a', 'users=ruth_demo&users=milo_demo&seed=a&round=1&guesses=0', 'read=1&kept=1&beyond=0&retweets=0&replies=0&duplicates=0&empty=0&tooLong=0')
const odd = fc.array(fc.tuple(field, word), { maxLength: 3 }).map((all) => all.map(([name, value]) => `${name}=${encoded(value)}`).join('&'))
const query = fc.tuple(rest, odd).map((parts) => parts.filter(Boolean).join('&')).filter((some) => some.length <= MAX_SENT)
const json = fc.oneof(
  fc.dictionary(field, fc.oneof(word, fc.array(word, { maxLength: 5 }), fc.array(fc.array(word), { maxLength: 3 }), fc.dictionary(word, word), fc.double(), fc.constantFrom(null, true, [], {}, [null], [[[]]]))),
  fc.jsonValue()
).map((value) => JSON.stringify(value)).filter((some) => Buffer.byteLength(some) <= MAX_SENT)
const name = fc.oneof(fc.constantFrom('ruth_demo', 'RUTH_DEMO', '%', '%00', '%ff', BROKEN, '%ED%A0%80'), word.map(encoded)).filter((some) => some.length <= MAX_SENT / 2)
const path = fc.oneof(
  fc.constantFrom('/', '/users', '/predictions', '/predictions', '/predictions/card.png', '/play', '/play', '/progress', '/health', '/api', '/admin', '/metrics', '/assets'),
  name.chain((some) => fc.constantFrom(`/users/${some}`, `/users/${some}/tweets.csv`, `/users/${some}/tweets.jsonl`, `/${some}`, `/assets/${some}`))
)
const accept = fc.constantFrom('text/html', 'application/json')

interface Answer { status: number; body: string; accept: string }

async function ask(path: string, accept: string, init: RequestInit = {}): Promise<Answer> {
  const sent = { ...init, headers: { ...init.headers, accept }, redirect: 'manual', signal: AbortSignal.timeout(LONGEST) } as const
  const answer = await fetch(app.url + path, sent)
  return { status: answer.status, body: await answer.text(), accept }
}

/** No failure of ours; a refusal says why, in the form that was asked for. */
function expectAnswer({ status, body, accept }: Answer): void {
  expect(status).toBeLessThan(500)
  if (status < 400) return
  const said = accept === 'text/html' ? /role="alert">([^<]+)</.exec(body)?.[1] : (JSON.parse(body) as { error: string }).error
  expect(said).toMatch(/^\S[^]{10,}[.]$/)
}

/** The form shows the text that was typed, as far as a page can hold it. */
function expectTyped({ status, body, accept }: Answer, typed: unknown): void {
  if (status < 400 || accept !== 'text/html' || typeof typed !== 'string') return
  expect(body).toContain(`\n${ejs.escapeXML(typed.toWellFormed())}</textarea>`)
}

// fast-check prints the seed and the smallest request that fails.
test('no odd value in an address gives a 500 or no answer, and what was typed is kept', () =>
  fc.assert(
    fc.asyncProperty(path, query, accept, async (path, query, accept) => {
      // Who is being collected has a stream that goes on; its head comes at once.
      const isStream = path === '/progress'
      const answer = await ask(`${path}?${query}`, accept, { method: isStream ? 'HEAD' : 'GET' })
      if (isStream) return void expect(answer.status).toBeLessThan(500)
      expectAnswer(answer)
      expectTyped(answer, parse(query).text)
    }),
    { numRuns: 200, interruptAfterTimeLimit: LONGEST_RUN }
  ))

test('no odd value in a body gives a 500 or no answer, and what was typed is kept', () =>
  fc.assert(
    fc.asyncProperty(fc.oneof(query.map((sent) => ['application/x-www-form-urlencoded', sent]), json.map((sent) => ['application/json', sent])), accept, async ([type, body], accept) => {
      const answer = await ask('/users', accept, { method: 'POST', headers: { 'content-type': type }, body })
      expectAnswer(answer)
      const typed: unknown = type === 'application/json' ? JSON.parse(body) : parse(body, '&', '=', { decodeURIComponent: decoded })
      expectTyped(answer, (typed as { text?: unknown } | null)?.text)
    }),
    { numRuns: 150, interruptAfterTimeLimit: LONGEST_RUN, examples: [[['application/x-www-form-urlencoded', `text=${BROKEN}`], 'text/html']] }
  ))

test('no odd value in a file gives a 500, and the user’s pages are answered afterwards', () => {
  const post = fc.dictionary(
    fc.constantFrom('id', 'id_str', 'text', 'full_text', 'created_at', 'date', 'in_reply_to_user_id'),
    fc.oneof(word, fc.constantFrom(null, {}, [], -1, 0, 2 ** 64, 1e300, true, 'Sat Jan 01 00:00:00 +0000 0000', ...years)),
    { maxKeys: 5 }
  )
  return fc.assert(
    fc.asyncProperty(fc.array(post, { minLength: 1, maxLength: 6 }), accept, async (posts, accept) => {
      const form = new FormData()
      form.append('form', 'import')
      form.append('username', 'kettle_friend')
      const lines = posts.map((some) => JSON.stringify({ text: 'the kettle is on', ...some }))
      form.append('file', new Blob([lines.join('\n')]), 'odd.jsonl')
      expectAnswer(await ask('/users/import', accept, { method: 'POST', body: form }))
      for (const path of ['', '/tweets.csv', '/tweets.jsonl']) expectAnswer(await ask(`/users/kettle_friend${path}`, accept))
    }),
    { numRuns: 40, interruptAfterTimeLimit: LONGEST_RUN }
  )
})
