import { describe, expect, test } from 'vitest'
import { AddUsers, AskPrediction, MAX_TEXT_LENGTH, PageNumber, typedIn, Username } from '../../../src/web/requests.js'

/** The first message to the visitor; none for valid input. */
function complaint(schema: typeof AskPrediction | typeof AddUsers, input: unknown): string | undefined {
  return schema.safeParse(input).error?.issues[0].message
}

/** All messages to the visitor. */
const complaints = (input: unknown): string[] =>
  AskPrediction.safeParse(input).error?.issues.map(({ message }) => message) ?? []

const NO_USERNAME = /^That is no X username: .*@jack.*https:\/\/x\.com\/jack/
const PICK = 'Pick two to four different users.'
const WRITE = /^Write a tweet first/
const TOO_LONG = /too long: 4,000 characters/

describe('a username', () => {
  test.each([
    ['Name_1', 'Name_1'],
    ['@Name_1', 'Name_1'],
    ['  @Name_1 \n', 'Name_1'],
    ['https://x.com/Name_1', 'Name_1'],
    ['https://x.com/Name_1/', 'Name_1'],
    ['https://x.com/Name_1?s=20', 'Name_1'],
    ['https://x.com/Name_1#top', 'Name_1'],
    ['https://x.com/Name_1/status/1234567890?s=20&t=abc', 'Name_1'],
    ['http://twitter.com/Name_1', 'Name_1'],
    ['https://www.twitter.com/Name_1', 'Name_1'],
    ['https://mobile.twitter.com/Name_1/with_replies', 'Name_1'],
    ['https://mobile.x.com/Name_1', 'Name_1'],
    ['x.com/Name_1', 'Name_1'],
    ['twitter.com/@Name_1', 'Name_1'],
    ['HTTPS://X.COM/Name_1', 'Name_1'],
    ['a', 'a'],
    ['_', '_'],
    ['123', '123'],
    ['fifteen_letters', 'fifteen_letters']
  ])('is read from %j', (given, username) => {
    expect(AddUsers.parse({ username: given })).toEqual({ username: [username] })
  })

  test.each([
    '', ' ', '@', '@@name', 'a-b', 'a.b', 'ünsal', '名前', 'na\0me', 'sixteen_letters_', '😀',
    'https://x.com/', 'https://x.com', 'https://x.com//name', 'https://example.org/name',
    'https://x.com.example.org/name', 'https://notx.com/name', 'javascript:alert(1)', '<b>', '../admin', 'name\n/status'
  ])('cannot be %j, and the message says what a name looks like', (given) => {
    expect(complaint(AddUsers, { username: given })).toMatch(NO_USERNAME)
  })

  test.each([
    [[12]], [{ name: 'name' }], [12], [null], [undefined], [true], [[]]
  ])('cannot be a value of another type: %j', (given) => {
    expect(complaint(AddUsers, { username: given })).toMatch(NO_USERNAME)
  })

  test.each([
    ['a b', ['a', 'b']],
    ['@a, @b;c\nhttps://x.com/d', ['a', 'b', 'c', 'd']],
    [['a', 'b c'], ['a', 'b', 'c']],
    ['Jack @jack x.com/JACK', ['Jack']]
  ])('can be one of several: %j', (given, usernames) => {
    expect(AddUsers.parse({ username: given }).username.map((name) => name.toLowerCase())).toEqual(usernames.map((name) => name.toLowerCase()))
  })

  test('can be one of four at the most', () => {
    expect(complaint(AddUsers, { username: 'a b c d e' })).toBe('Four users at a time, no more.')
  })

  test('is refused with the others where one of them is invalid', () => {
    expect(complaint(AddUsers, { username: 'jack two-words' })).toMatch(NO_USERNAME)
  })

  test('is asked for where it is missing', () => {
    expect(complaint(AddUsers, {})).toMatch(NO_USERNAME)
  })

  test.each([undefined, null, 'username=a', 7, []])('is asked for where the body is not a form: %j', (body) => {
    expect(complaint(AddUsers, body)).toMatch(NO_USERNAME)
  })

  test('is refused where it has a hundred thousand characters', () => {
    expect(Username.safeParse('/'.repeat(100_000)).success).toBe(false)
    expect(Username.safeParse('@'.repeat(100_000)).success).toBe(false)
  })
})

describe('the users of a prediction', () => {
  const ask = (users: unknown): unknown => ({ users, text: 'hello' })

  test.each([
    ['two', ['ann', 'bob'], ['ann', 'bob']],
    ['four', ['ann', 'bob', 'cem', 'dee'], ['ann', 'bob', 'cem', 'dee']],
    ['in other ways of writing', ['@ann', 'https://x.com/bob'], ['ann', 'bob']],
    ['one twice beside another', ['ann', 'bob', 'ann'], ['ann', 'bob']],
    ['four, with one of them twice', ['ann', 'bob', 'cem', 'dee', 'bob'], ['ann', 'bob', 'cem', 'dee']],
    ['one twice in other ways of writing', ['ann', '@ann', 'https://x.com/ann?s=20', 'bob'], ['ann', 'bob']]
  ])('can be %s', (_, users, taken) => {
    expect(AskPrediction.parse(ask(users)).users).toEqual(taken)
  })

  test('count once where they differ only in case', () => {
    const { users } = AskPrediction.parse(ask(['Ann', 'bob', 'ANN']))
    expect(users.map((name) => name.toLowerCase())).toEqual(['ann', 'bob'])
  })

  test.each([
    ['none', []],
    ['nothing at all', undefined],
    ['one', ['ann']],
    ['one that is no list', 'ann'],
    ['one twice and no other', ['ann', 'ann']],
    ['one twice in other cases', ['ann', 'ANN', '@Ann']],
    ['five', ['ann', 'bob', 'cem', 'dee', 'eve']],
    ['a thousand', Array.from({ length: 1000 }, (_, i) => `user${i}`)],
    ['of other shapes', [{ a: 1 }, 5, null, ['ann', 'bob']]],
    ['an object', { 0: 'ann', 1: 'bob' }],
    ['one and an object', ['ann', { username: 'bob' }]]
  ])('cannot be %s', (_, users) => {
    expect(complaint(AskPrediction, ask(users))).toBe(PICK)
  })

  test('cannot have names that X does not allow', () => {
    expect(complaint(AskPrediction, ask(['ann', 'b b']))).toMatch(NO_USERNAME)
    expect(complaint(AskPrediction, ask(['ann', 'bob', '']))).toMatch(NO_USERNAME)
  })
})

describe('the text of a prediction', () => {
  const ask = (text: unknown): unknown => ({ users: ['ann', 'bob'], text })

  test.each(['a', ' a ', 'two\nlines', '😀', 'x'.repeat(MAX_TEXT_LENGTH)])('is kept unchanged', (text) => {
    expect(AskPrediction.parse(ask(text))).toEqual({ users: ['ann', 'bob'], text })
  })

  test('counts each line ending of a form as one character', () => {
    expect(MAX_TEXT_LENGTH).toBe(4000)
    expect(AskPrediction.parse(ask('a\r\n'.repeat(2000))).text).toBe('a\n'.repeat(2000))
  })

  test.each(['', ' ', '\n', '\r\n\r\n', ' \t\u00a0\u3000 '])('cannot be blank: %j', (text) => {
    expect(complaint(AskPrediction, ask(text))).toMatch(WRITE)
  })

  test.each([undefined, null, 7, {}, [], ['a'], ['a', 'b'], true])('cannot be a value of another type: %j', (text) => {
    expect(complaint(AskPrediction, ask(text))).toMatch(WRITE)
  })

  test.each([4001, 100_000])('cannot be of %i characters', (length) => {
    expect(complaint(AskPrediction, ask('x'.repeat(length)))).toMatch(TOO_LONG)
  })

  test('is reported together with wrong users', () => {
    expect(complaints({ users: [], text: '' })).toEqual([PICK, expect.stringMatching(WRITE)])
    expect(complaints({})).toEqual([PICK, expect.stringMatching(WRITE)])
  })

  test('comes without fields that are not asked for', () => {
    const asked = AskPrediction.parse({ users: ['ann', 'bob'], text: 'a', admin: 'yes' })
    expect(asked).toEqual({ users: ['ann', 'bob'], text: 'a' })
  })
})

describe('a page number', () => {
  test.each([
    ['1', 1],
    ['17', 17],
    ['1000000', 1_000_000]
  ])('is %j', (page, number) => {
    expect(PageNumber.parse({ page })).toEqual({ page: number })
  })

  test.each(['0', '-1', '1.5', 'x', '', undefined, null, ['2', '3'], {}, '1e99', 'NaN', '1000001'])(
    'is 1 for the invalid value %j',
    (page) => {
      expect(PageNumber.parse({ page })).toEqual({ page: 1 })
    }
  )
})

describe('what a visitor typed', () => {
  test('is read unchanged from the query and the body', () => {
    expect(typedIn({ users: ['ann', 'b b'], text: ' hi \r\n' }, { username: ' @x y' })).toEqual({
      username: ' @x y', users: ['ann', 'b b'], text: ' hi \r\n', importing: false
    })
  })

  test('is read from the body rather than from the query', () => {
    const typed = typedIn({ text: 'address', username: 'one' }, { text: 'body' })
    expect(typed).toEqual({ username: 'one', users: [], text: 'body', importing: false })
  })

  test('is a list of one for one user', () => {
    expect(typedIn({ users: 'ann' }).users).toEqual(['ann'])
  })

  test.each([
    ['nothing', []],
    ['undefined and null', [undefined, null]],
    ['other shapes', [{ username: ['a'], users: { 0: 'a' }, text: { toString: 'x' } }]],
    ['nested lists', [{ users: [[['a']]], text: [], username: 5 }]],
    ['values that are no fields', ['text', 7, true]],
    ['a list', [['a', 'b']]]
  ])('is empty for %s', (_, sources) => {
    expect(typedIn(...sources)).toEqual({ username: '', users: [], text: '', importing: false })
  })

  test('has at most a hundred users', () => {
    expect(typedIn({ users: Array.from({ length: 5000 }, (_, i) => `user${i}`) }).users).toHaveLength(100)
  })

  test('cannot reach the prototype of other objects', () => {
    typedIn(JSON.parse('{"__proto__": {"polluted": "yes"}, "constructor": {"prototype": {"polluted": "yes"}}}'))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
