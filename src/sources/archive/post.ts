// What a record of a file says of a tweet, whatever the format calls it.

import { decodeText } from '../../text/normalize.js'

/** A tweet of a file, its text as its author typed it. */
export interface ImportedTweet {
  id: string | null
  text: string
  createdAt: Date | null
}

/** A tweet and whether it is its user's own. */
export interface Post extends ImportedTweet {
  retweet: boolean
  reply: boolean
}

/** The longest posts of X have 25,000 characters. */
export const LONGEST_POST = 25_000
// Eight characters as they are written (an entity, a letter and its accents) make one at the least.
const MUCH_TOO_LONG = 8 * LONGEST_POST

// Names are compared in lower case without anything but letters: created_at, createdAt and "Created at" are one.
const TEXT = ['fulltext', 'text', 'tweet', 'content']
const ID = ['idstr', 'id', 'tweetid']
const DATE = ['createdat', 'date', 'timestamp']
const RETWEET = ['retweeted', 'retweetedstatus', 'retweetedstatusid']
const REPLY = ['statusid', 'statusidstr', 'userid', 'useridstr', 'screenname'].map((name) => `inreplyto${name}`)
const KNOWN = new Set([...TEXT, ...ID, ...DATE, ...RETWEET, ...REPLY])

const NOTHING = /^(|0|false|null|none|nan)$/i
const X_DATE = /^\w{3} \w{3} \d\d \d\d:\d\d:\d\d [+-]\d{4} \d{4}$/
const ISO_DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/i

/** Our name of a field that a file names in one of many ways; null for one that says nothing to us. */
export function fieldName(name: string): string | null {
  const plain = name.toLowerCase().replace(/[^a-z]/g, '')
  return KNOWN.has(plain) ? plain : null
}

/** Whether one of the fields, by our names, is the text of a tweet. */
export function hasText(names: Iterable<string | null>): boolean {
  return [...names].some((name) => name !== null && TEXT.includes(name))
}

/** The tweet in a value of JSON or a row of CSV: an object, one inside `{tweet}`, or just the text; null for others. */
export function readPost(value: unknown): Post | null {
  if (typeof value === 'string') return describe(value, new Map())
  if (!isObject(value)) return null
  const entries = Object.entries(isObject(value.tweet) ? value.tweet : value)
  const fields = new Map(entries.map(([name, field]) => [fieldName(name), field]))
  const text = first(fields, TEXT)
  if (text === undefined && !hasText(fields.keys())) return null
  return text === undefined || typeof text === 'string' ? describe(text ?? '', fields) : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(raw: string, fields: Map<string | null, unknown>): Post {
  const text = decodeText(calm(raw.trim().slice(0, MUCH_TOO_LONG)))
  return {
    id: toId(first(fields, ID)),
    text,
    createdAt: toDate(first(fields, DATE)),
    retweet: /^RT @/.test(text) || RETWEET.some((name) => says(fields.get(name))),
    // Where a file does not tell replies, their first word does: X shows what starts with a name as a reply.
    reply: /^@\w/.test(text) || REPLY.some((name) => says(fields.get(name)))
  }
}

// Composing text (NFC) takes the square of the time for combining marks in a row: a minute for half a million of them.
const calm = (raw: string): string => (raw.length < 1000 ? raw : raw.replace(/(\p{M}{30})\p{M}+/gu, '$1'))

/** The first of the named fields that holds anything. */
function first(fields: Map<string | null, unknown>, names: string[]): unknown {
  const name = names.find((name) => (fields.get(name) ?? '') !== '')
  return name && fields.get(name)
}

function says(value: unknown): boolean {
  return value !== undefined && value !== null && !(typeof value !== 'object' && NOTHING.test(String(value).trim()))
}

/** Ids of digits only: a spreadsheet's 1.05E+18 is none, and neither is a number that JSON has rounded. */
function toId(value: unknown): string | null {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null
  return (typeof value === 'string' || typeof value === 'number') && /^\d{1,20}$/.test(`${value}`.trim())
    ? `${value}`.trim()
    : null
}

/** X's dates, ISO 8601 (UTC unless it says otherwise) and seconds or milliseconds since 1970; null for any others. */
function toDate(value: unknown): Date | null {
  const text = typeof value === 'string' || typeof value === 'number' ? `${value}`.trim() : ''
  const [, day, time = '00:00', zone = 'Z'] = ISO_DATE.exec(text) ?? []
  const iso = day && `${day}T${time}${zone.replace(/^(.\d\d)(\d\d)$/, '$1:$2')}`.toUpperCase()
  const epoch = /^\d{10}$/.test(text) ? Number(text) * 1000 : /^\d{13}$/.test(text) ? Number(text) : null
  const date = new Date(iso ?? epoch ?? (X_DATE.test(text) ? text : NaN))
  return Number.isNaN(date.getTime()) ? null : date
}
