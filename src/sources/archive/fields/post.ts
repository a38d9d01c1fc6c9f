// The post in a record of a file, whatever the format calls its fields: see field-names.ts.

import { decodeText, tidyText } from '../../../text/normalize.js'
import { readDate, type DayOrder, type ReadDate } from './dates.js'
import { FIELDS, INSIDE, knownName, plainName, REPOSTED, WRAPPERS, type Field } from './field-names.js'
import { htmlToText } from './html.js'
import { beginsAsRepost, beginsWithName, isFilled, isReplyWord, isRepostWord, isYes, referenceOf } from './marks.js'
import { decodeNotation } from './notation.js'

/** A tweet from a file, its text as its author typed it. */
export interface ImportedTweet {
  id: string | null
  text: string
  createdAt: Date | null
}

/** What a post answers, as far as the file says. */
export interface ReplyTo {
  post: string | null
  /** The id and the name of the person. */
  person: string[]
}

/** A post, and what its record says of it. */
export interface Post extends ImportedTweet {
  isRepost: boolean
  replyTo: ReplyTo | null
  author: string | null
  authorId: string | null
  /** Its date, with what is unclear in it; null where it has none, or one that is not understood. */
  date: ReadDate | null
  /** A date that is not understood, as it stands there. */
  oddDate: string | null
  /** The first id that it had, the same for all versions of an edited post. */
  firstVersion: string | null
  /** Whether the record holds a longer text beside the cut one. */
  isCompleted: boolean
  /** From an export of ours, which is taken as it is. */
  exact: boolean
}

/** How a file's records are to be read. */
export interface RecordOptions {
  dayOrder: DayOrder
  /** The field or column of the text, where it has been chosen. */
  textName?: string
}

/** Stands in the field `exported_by` of each tweet that this app has exported. */
export const EXPORTED_BY = 'HypoTweet'

/** X's longest posts have 25,000 characters. */
export const MAX_POST_LENGTH = 25_000
// An entity, or a letter with its accents, is at most eight characters in the file for one in the text.
const MAX_RAW_LENGTH = 8 * MAX_POST_LENGTH
const MAX_DEPTH = 8 // of objects in a record
const OUR_ID = /^\w[\w:-]{0,63}$/ // "sample:ruth_demo:12" too
const TITLE = ['title'] // of an item of a feed, which may be all that there is
const HTML = /^<(p|div|span)\b[^]*<\/\1>$/i

type Fields = Map<string, unknown>

/** Reads records; it remembers how the names that it has seen compare. */
export function createRecordReader({ dayOrder, textName }: RecordOptions): (value: unknown) => Post | null {
  const plain = new Map<string, string>()

  function collect(object: object, prefix: string, depth: number, fields: Fields): void {
    for (const [name, value] of Object.entries(object)) {
      let own = plain.get(name)
      if (own === undefined) plain.set(name, (own = plainName(name)))
      const path = prefix ? `${prefix}.${own}` : own
      const isInside = isObject(value) && depth < MAX_DEPTH
      if (isInside && WRAPPERS.has(own)) collect(value, prefix, depth + 1, fields)
      else if (isInside && INSIDE.has(path)) collect(value, path, depth + 1, fields)
      if ((knownName(path) || path.startsWith(REPOSTED) || TITLE.includes(path)) && !isFilled(fields.get(path)) && (!fields.has(path) || isFilled(value))) fields.set(path, value)
    }
  }

  /** The post in a JSON value or a CSV row: an object, or just the text; null where it has no text. */
  return (value) => {
    if (typeof value === 'string') return postFrom(value, new Map(), dayOrder)
    if (!isObject(value)) return null
    const fields: Fields = new Map()
    collect(value, '', 0, fields)
    const long = textOf(first(fields, 'longText'))
    const text = textName === undefined ? long || textIn(fields) : textOf(value[textName])
    // A repost may have no text of its own.
    if (text === null) return isMarkedRepost(fields) ? postFrom('', fields, dayOrder) : null
    return { ...postFrom(text, fields, dayOrder), isCompleted: Boolean(long) && long !== textIn(fields) }
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** The first text that is one; '' where the fields for it are empty, null where there are none. */
function textIn(fields: Fields): string | null {
  const values = TEXTS.map((name) => fields.get(name)).filter((value): value is string | null => value === null || typeof value === 'string')
  return values.find((value) => value !== null && value.trim() !== '') ?? (values.length > 0 ? '' : null)
}

/** The value of the field's first name that is filled. */
function first(fields: Fields, field: Field): unknown {
  for (const name of PLAIN[field]) {
    const value = fields.get(name)
    if (isFilled(value)) return value
  }
  return undefined
}

const PLAIN = Object.fromEntries(Object.entries(FIELDS).map(([field, names]) => [field, names.map(plainName)])) as unknown as Record<Field, string[]>
const TEXTS = [...PLAIN.text, ...PLAIN.html, ...TITLE]

function postFrom(raw: string, fields: Fields, dayOrder: DayOrder): Post {
  const isExact = fields.get('exportedby') === EXPORTED_BY
  const typed = raw.trim().slice(0, MAX_RAW_LENGTH)
  const text = isExact ? tidyText(raw.slice(0, MAX_RAW_LENGTH)) : decodeText(HTML.test(typed) ? htmlToText(typed) : decodeNotation(typed))
  const given = first(fields, 'date')
  const date = dateIn(fields, dayOrder)
  const versions = first(fields, 'versions')
  return {
    exact: isExact,
    id: isExact ? ourId(first(fields, 'id')) : (idOf(first(fields, 'id')) ?? idIn(first(fields, 'address'))),
    text,
    createdAt: date?.date ?? null,
    date,
    oddDate: date || !isFilled(given) ? null : String(given).slice(0, 40),
    // What is a repost or a reply was decided before it was stored here.
    isRepost: !isExact && (beginsAsRepost(text) || isMarkedRepost(fields)),
    replyTo: isExact ? null : replyTo(text, fields),
    author: nameOf(fields),
    authorId: idText(first(fields, 'authorId')),
    firstVersion: Array.isArray(versions) ? idText(versions[0]) : idText(/\d{5,}/.exec(String(versions ?? ''))?.[0]),
    isCompleted: false
  }
}

/** The first date that is understood; the time of day may stand in a field of its own. */
function dateIn(fields: Fields, dayOrder: DayOrder): ReadDate | null {
  for (const name of PLAIN.date) {
    const value = fields.get(name)
    if (!isFilled(value)) continue
    const clock = fields.get('time')
    const hasClock = name !== 'time' && typeof value === 'string' && !value.includes(':') && typeof clock === 'string' && /^\d{1,2}:\d\d/.test(clock)
    const read = (hasClock ? readDate(`${value} ${clock}`, dayOrder) : null) ?? readDate(value, dayOrder)
    if (read) return read
  }
  return null
}

function isMarkedRepost(fields: Fields): boolean {
  for (const [name, value] of fields) {
    const field = knownName(name)?.field
    if (field === 'repostOf' && isFilled(value)) return true
    if (field === 'references' && (referenceOf(value, 'retweeted') !== null || isRepostWord(value))) return true
    if (name.startsWith(REPOSTED) && !name.endsWith('count') && isFilled(value)) return true
    if (field !== 'repostFlag') continue
    if (isRepostWord(value)) return true
    // Where X also says how often others have reposted the post, `retweeted` says that the person who asked X has: maybe of their own.
    if (isYes(value) && !(name === 'retweeted' && PLAIN.repostCount.some((count) => fields.has(count)))) return true
  }
  return false
}

function replyTo(text: string, fields: Fields): ReplyTo | null {
  const referenced = referenceOf(first(fields, 'references'), 'replied_to')
  const post = idText(first(fields, 'replyToPost')) ?? referenced
  const person = [first(fields, 'replyToId'), first(fields, 'replyToName')].flatMap((value) => idText(value) ?? [])
  const isFlagged = [...fields].some(([name, value]) => {
    const field = knownName(name)?.field
    return (field === 'replyFlag' && (isYes(value) || (isObject(value) && isFilled(value)))) || (field === 'repostFlag' && isReplyWord(value))
  })
  const isReply = post !== null || person.length > 0 || isFlagged
  // Also without such a field: X shows a post that starts with a name as a reply.
  if (isReply || beginsWithName(text)) return { post: post || null, person: isReply ? person : [/@(\w+)/.exec(text)![1]] }
  return null
}

/** The author's name. A number is no name. */
function nameOf(fields: Fields): string | null {
  for (const name of PLAIN.author) {
    const value = fields.get(name)
    if (typeof value === 'string' && isFilled(value) && !/^\d+(\.\d+)?$/.test(value.trim())) return value.trim().slice(0, 100)
  }
  return null
}

function idText(value: unknown): string | null {
  return (typeof value === 'string' && value.trim() !== '') || typeof value === 'number' ? String(value).trim().slice(0, 200) : null
}

const ourId = (id: unknown): string | null => (typeof id === 'string' && OUR_ID.test(id) ? id : null)

/** An id has digits only; rtweet puts an x before them. A spreadsheet's 1.05E+18 and a number that JSON has rounded are no ids: null. */
function idOf(value: unknown): string | null {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null
  if (typeof value !== 'string' && typeof value !== 'number') return null
  return /^["'x]?(\d{1,20})["']?$/.exec(`${value}`.trim())?.[1] ?? null
}

const idIn = (address: unknown): string | null => (typeof address === 'string' ? (/\/status(?:es)?\/(\d{1,20})\b/.exec(address)?.[1] ?? null) : null)
