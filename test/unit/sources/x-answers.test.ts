import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExpectedError } from '../../../src/core/errors.js'
import { readPostPage, readUser } from '../../../src/sources/x/x-answers.js'
import { decodeText } from '../../../src/text/normalize.js'

const POST = { id: '1800000000000000001', text: 'The kettle is on.', created_at: '2024-05-01T10:00:00.000Z' }
const pageOf = (...posts: unknown[]) => JSON.stringify({ data: posts, meta: { result_count: posts.length } })
const USER = { id: '1', username: 'Ann', name: 'Ann', public_metrics: { tweet_count: 3 } }
const MARKS = '\u0315\u0300\u05ae\u0327'.repeat(6250) // 25,000 combining marks

const oddText = fc.oneof(
  fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\ud800', '\udc00 x', 'a\0b', '\u2003\u3000\u200b', 'a' + MARKS, 'n'.repeat(300), '&lt;')
)
const oddId = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.constantFrom('0', '007', '-1', '12ab', '9223372036854775807', '9223372036854775808', '99999999999999999999', ' 1', '1e3')
)
const oddDate = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('-000001-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00.000Z', '2024-02-30', 'soon')
)
/** One of these, or a value of any other type. */
const or = <T>(value: fc.Arbitrary<T>) => fc.option(fc.oneof({ weight: 4, arbitrary: value as fc.Arbitrary<unknown> }, fc.jsonValue()), { nil: undefined })
const oddPost = fc.oneof({ weight: 9, arbitrary: fc.record({ id: or(oddId), text: or(oddText), created_at: or(oddDate), note_tweet: or(fc.record({ text: or(oddText) })) }) as fc.Arbitrary<unknown> }, fc.jsonValue())
const oddUser = fc.record({
  id: or(oddId), username: or(fc.constantFrom('Ann', '', 'a b')), name: or(oddText), protected: or(fc.boolean()), profile_image_url: or(oddText),
  public_metrics: or(fc.record({ tweet_count: or(fc.constantFrom(-1, 0.5, 2 ** 31, 1e300, 7)) }))
})

/** Whether Postgres takes it. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

describe('a page of posts', () => {
  test.each([
    ['a null', null],
    ['a text', 'post'],
    ['one without an id', { ...POST, id: undefined }],
    ['one with a null for an id', { ...POST, id: null }],
    ['one with an id of 20 digits', { ...POST, id: '99999999999999999999' }],
    ['one with an id of a bit too much', { ...POST, id: '9223372036854775808' }],
    ['one with a negative id', { ...POST, id: '-5' }],
    ['one with letters in its id', { ...POST, id: '18000x' }],
    ['one with a null for a text', { ...POST, text: null }]
  ])('is read without %s, which is counted', (_odd, odd) => {
    const page = readPostPage(pageOf(POST, odd), 'Ann', 100)
    expect(page.posts.map(({ id }) => id)).toEqual([POST.id])
    expect(page.sent).toBe(2)
  })

  test.each([
    ['no date', undefined], ['a null for a date', null], ['a date in the year 0', '0000-01-01T00:00:00.000Z'],
    ['a date in the year -1', '-000001-01-01T00:00:00.000Z'], ['a date in the year 275760', '+275760-09-13T00:00:00.000Z'], ['a word for a date', 'soon']
  ])('keeps a post with %s, as one whose time is not known', (_odd, created_at) => {
    expect(readPostPage(pageOf({ ...POST, created_at }), 'Ann', 100).posts).toEqual([{ id: POST.id, text: POST.text, createdAt: null }])
  })

  test('keeps a post whose other fields are null', () => {
    const { posts } = readPostPage(pageOf({ ...POST, note_tweet: null, lang: null }), 'Ann', 100)
    expect(posts).toEqual([{ id: POST.id, text: POST.text, createdAt: new Date(POST.created_at) }])
  })

  test('is the last one where its token is null', () => {
    expect(readPostPage(JSON.stringify({ data: [POST], meta: { next_token: null } }), 'Ann', 100)).toMatchObject({ sent: 1, nextToken: undefined })
  })

  test('counts no more posts than were asked for', () => {
    expect(readPostPage(pageOf(...Array(1000).fill(null)), 'Ann', 100)).toMatchObject({ posts: [], sent: 100 })
  })

  test('of a hundred posts of 25,000 combining marks each is read', () => {
    const { posts } = readPostPage(pageOf(...Array.from({ length: 100 }, (_, i) => ({ id: String(1000 + i), text: `a${MARKS}` }))), 'Ann', 100)
    expect(posts.map(({ text }) => decodeText(text).length)).toEqual(Array(100).fill(expect.toSatisfy((length: number) => length < 100)))
  })

  test('of any posts gives only what can be stored, and counts all', () => {
    fc.assert(fc.property(fc.array(oddPost, { maxLength: 8 }), (odd) => {
      const page = readPostPage(pageOf(...odd, POST), 'Ann', 100)
      expect(page.sent).toBe(odd.length + 1)
      expect(page.posts.map(({ id }) => id)).toContain(POST.id)
      for (const { id, text, createdAt } of page.posts) {
        expect(BigInt(id) > 0n && BigInt(id) < 2n ** 63n && String(BigInt(id)) === id).toBe(true)
        expect(isStorable(decodeText(text))).toBe(true)
        expect(createdAt === null || createdAt.getUTCFullYear() > 2000 && createdAt.getUTCFullYear() < 10_000).toBe(true)
      }
      const ids = page.posts.map(({ id }) => BigInt(id))
      expect(ids).toEqual([...ids].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)))
    }))
  })

  test('that is anything else is an answer that makes no sense, or an empty page', () => {
    fc.assert(fc.property(fc.jsonValue(), (answer) => {
      try {
        expect(readPostPage(JSON.stringify(answer), 'Ann', 100).posts).toEqual([])
      } catch (error) {
        expect(error).toBeInstanceOf(ExpectedError)
      }
    }))
  })
})

describe('a user', () => {
  test('whose other fields are null is read', () => {
    const user = readUser(JSON.stringify({ data: { ...USER, name: null, protected: null, profile_image_url: null, public_metrics: null } }), 'ann')
    expect(user).toEqual({ id: '1', username: 'Ann', name: 'Ann', pictureUrl: null, posts: null })
  })

  test.each([
    ['half of a character', 'Ann \ud83d', 'Ann \ufffd'],
    ['control characters', '\0Ann\u0007\nB', 'Ann B'],
    ['300 letters', 'n'.repeat(300), 'n'.repeat(100)],
    ['nothing but spaces of other scripts', '\u2003\u3000', 'Ann']
  ])('with %s for a name can be stored and shown', (_odd, name, shown) => {
    expect(readUser(JSON.stringify({ data: { ...USER, name } }), 'ann').name).toBe(shown)
  })

  test.each([-1, 2 ** 31, 1.5, 1e300, '7'])('with %s posts has an unknown number of them', (tweet_count) => {
    expect(readUser(JSON.stringify({ data: { ...USER, public_metrics: { tweet_count } } }), 'ann').posts).toBeNull()
  })

  test('of any fields can be stored, or is refused as an answer that makes no sense', () => {
    fc.assert(fc.property(oddUser, (data) => {
      try {
        const { id, name, username, posts } = readUser(JSON.stringify({ data }), 'ann')
        expect(isStorable(name) && name !== '' && name.length <= 100 && BigInt(id) > 0n && /^\w+$/.test(username)).toBe(true)
        expect(posts === null || Number.isInteger(posts) && posts < 2 ** 31).toBe(true)
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error
      }
    }))
  })
})
