// The tweet in a record of a file, whatever the format calls its fields.

import { decodeText, tidyText } from '../../text/normalize.js'

/** A tweet from a file, its text as its author typed it. */
export interface ImportedTweet {
  id: string | null
  text: string
  createdAt: Date | null
}

/** A tweet, and whether it is a repost or a reply. */
export interface Post extends ImportedTweet {
  retweet: boolean
  reply: boolean
  /** From an export of ours, which is taken as it is. */
  exact: boolean
}

/** Stands in the field `exported_by` of each tweet that this app has exported. */
export const EXPORTED_BY = 'HypoTweet'

/** X's longest posts have 25,000 characters. */
export const MAX_POST_LENGTH = 25_000
// An entity, or a letter with its accents, is at most eight characters in the file for one in the text.
const MAX_RAW_LENGTH = 8 * MAX_POST_LENGTH

// Field names are compared by their letters only, in lower case: created_at, createdAt and "Created at" are the same.
const TEXT = ['fulltext', 'text', 'tweet', 'content']
const ID = ['idstr', 'id', 'tweetid']
const DATE = ['createdat', 'date', 'timestamp']
const RETWEET = ['retweeted', 'retweetedstatus', 'retweetedstatusid']
const REPLY = ['statusid', 'statusidstr', 'userid', 'useridstr', 'screenname'].map((name) => `inreplyto${name}`)
const EXPORTED = 'exportedby'
const KNOWN_FIELDS = new Set([...TEXT, ...ID, ...DATE, ...RETWEET, ...REPLY, EXPORTED])

const NOTHING = /^(|0|false|null|none|nan)$/i
const OUR_ID = /^\w[\w:-]{0,63}$/ // "sample:ruth_demo:12" too
const X_DATE = /^\w{3} \w{3} \d\d \d\d:\d\d:\d\d [+-]\d{4} \d{4}$/
const [EARLIEST, LATEST] = [new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59.999Z')]
const ISO_DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/i

/** Our name of a field, which files write in many ways; null for a field that we do not use. */
export function fieldName(name: string): string | null {
  const plain = name.toLowerCase().replace(/[^a-z]/g, '')
  return KNOWN_FIELDS.has(plain) ? plain : null
}

/** Whether one of the fields (by our names) is the text of a tweet. */
export function hasText(names: Iterable<string | null>): boolean {
  return [...names].some((name) => name !== null && TEXT.includes(name))
}

/** The tweet in a JSON value or a CSV row: an object, an object inside `{tweet}`, or just the text; null for anything else. */
export function readPost(value: unknown): Post | null {
  if (typeof value === 'string') return postFrom(value, new Map())
  if (!isObject(value)) return null
  const entries = Object.entries(isObject(value.tweet) ? value.tweet : value)
  const fields = new Map(entries.map(([name, field]) => [fieldName(name), field]))
  const text = firstFilled(fields, TEXT)
  if (text === undefined && !hasText(fields.keys())) return null
  return text === undefined || typeof text === 'string' ? postFrom(text ?? '', fields) : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function postFrom(raw: string, fields: Map<string | null, unknown>): Post {
  if (fields.get(EXPORTED) === EXPORTED_BY) return exactPostFrom(raw, fields)
  const text = decodeText(raw.trim().slice(0, MAX_RAW_LENGTH))
  return {
    exact: false,
    id: toId(firstFilled(fields, ID)),
    text,
    createdAt: toDate(firstFilled(fields, DATE)),
    retweet: /^RT @/.test(text) || RETWEET.some((name) => isTrue(fields.get(name))),
    // Also without such a field: X shows a post that starts with a name as a reply.
    reply: /^@\w/.test(text) || REPLY.some((name) => isTrue(fields.get(name)))
  }
}

/** A post of our own export: its text holds no entities, and what is a repost or a reply was decided before it was stored. */
function exactPostFrom(raw: string, fields: Map<string | null, unknown>): Post {
  const id = firstFilled(fields, ID)
  return {
    exact: true,
    id: typeof id === 'string' && OUR_ID.test(id) ? id : null,
    text: tidyText(raw.slice(0, MAX_RAW_LENGTH)),
    createdAt: toDate(firstFilled(fields, DATE)),
    retweet: false,
    reply: false
  }
}

/** The value of the first of these fields that is not empty. */
function firstFilled(fields: Map<string | null, unknown>, names: string[]): unknown {
  const name = names.find((name) => (fields.get(name) ?? '') !== '')
  return name && fields.get(name)
}

/** Whether a field that marks a repost or a reply is set: to true, to an id, or to an object. */
function isTrue(value: unknown): boolean {
  return value !== undefined && value !== null && !(typeof value !== 'object' && NOTHING.test(String(value).trim()))
}

/** An id has digits only. A spreadsheet's 1.05E+18 and a number that JSON has rounded are no ids: null. */
function toId(value: unknown): string | null {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null
  return (typeof value === 'string' || typeof value === 'number') && /^\d{1,20}$/.test(`${value}`.trim())
    ? `${value}`.trim()
    : null
}

/**
 * X's dates, ISO 8601 (in UTC unless a zone is given), seconds or milliseconds since 1970; null for anything else, and for
 * years that have not four digits in UTC, which Postgres and ISO 8601 write differently.
 */
function toDate(value: unknown): Date | null {
  const text = typeof value === 'string' || typeof value === 'number' ? `${value}`.trim() : ''
  const [, day, time = '00:00', zone = 'Z'] = ISO_DATE.exec(text) ?? []
  const iso = day && `${day}T${time}${zone.replace(/^(.\d\d)(\d\d)$/, '$1:$2')}`.toUpperCase()
  const epoch = /^\d{10}$/.test(text) ? Number(text) * 1000 : /^\d{13}$/.test(text) ? Number(text) : null
  const date = new Date(iso ?? epoch ?? (X_DATE.test(text) ? text : NaN))
  return date >= EARLIEST && date <= LATEST ? date : null
}
