import { z } from 'zod'
import { graphemesOf } from '../text/graphemes.js'
import { decodeText } from '../text/normalize.js'

export const MIN_CANDIDATES = 2
export const MAX_CANDIDATES = 4
export const MAX_TEXT_LENGTH = 4000

const USERNAME = /^[A-Za-z0-9_]{1,15}$/
const NOT_A_USERNAME =
  'That is no X username: 1 to 15 letters, digits or underscores, such as @jack, or an address such as https://x.com/jack.'
const NOT_TWO_TO_FOUR = 'Pick two to four different users.'
const TOO_LONG = `That text is too long: ${MAX_TEXT_LENGTH.toLocaleString('en')} characters at the most.`
// Characters are counted as a reader counts them; this cap on code units comes first, since counting takes time.
const MOST_UNITS = 8 * MAX_TEXT_LENGTH

/** A username as people give it: `@Name`, `name`, `https://x.com/name` or `twitter.com/name/status/1`. */
export const Username = z
  .preprocess((value) => (typeof value === 'string' ? bareUsername(value) : ''), z.string().regex(USERNAME, NOT_A_USERNAME))

/** One to four names, with spaces, commas or line breaks between them; who is named twice counts once. */
export const Usernames = z.preprocess(
  (value) => uniqueNames([value].flat().flatMap((names) => (typeof names === 'string' ? names.split(/[\s,;]+/).filter(Boolean) : []))),
  z.array(Username).min(1, NOT_A_USERNAME).max(MAX_CANDIDATES, 'Four users at a time, no more.')
)

export const AddUsers = z.object({ username: Usernames }, NOT_A_USERNAME)

export const ImportForm = z.object({ username: Username, replies: z.stringbool().catch(false) })

const Count = z.coerce.number().int().min(0)

/** What an import's address says of it: how many records were read, kept and dropped. */
export const ImportCounts = z.object({
  read: Count, kept: Count, beyond: Count, retweets: Count, replies: Count, duplicates: Count, empty: Count, tooLong: Count
})

export const PageNumber = z.object({ page: z.coerce.number().int().min(1).max(1_000_000).catch(1) })

/** Two to four different users and a text. A user who is named twice counts once. */
export const AskPrediction = z.object({
  users: z.preprocess(
    (value) => uniqueNames([value].flat().filter((name) => typeof name === 'string')),
    z.array(Username).min(MIN_CANDIDATES, NOT_TWO_TO_FOUR).max(MAX_CANDIDATES, NOT_TWO_TO_FOUR)
  ),
  text: z.preprocess(
    (value) => (typeof value === 'string' ? value.replaceAll('\r\n', '\n') : ''),
    z
      .string()
      .refine((text) => decodeText(text.slice(0, MAX_TEXT_LENGTH)) !== '', { error: 'Write a tweet first: there is no text to go by.' })
      .max(MOST_UNITS, { error: TOO_LONG, abort: true })
      .refine((text) => graphemesOf(text).length <= MAX_TEXT_LENGTH, { error: TOO_LONG })
  )
})

/** What a visitor typed into the forms, to be shown to them again beside an error. */
export interface Typed {
  username: string
  users: string[]
  text: string
  /** Whether it was the import form. */
  importing: boolean
}

/** The form's fields out of a query and a body, whatever they hold. */
export function typedIn(...sources: unknown[]): Typed {
  const fields = Object.assign({}, ...sources) as Record<string, unknown>
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    username: text(fields.username),
    users: [fields.users].flat().filter((name) => typeof name === 'string').slice(0, 100),
    text: text(fields.text),
    importing: text(fields.form) === 'import'
  }
}

function bareUsername(value: string): string {
  return value
    .trim()
    .replace(/^(https?:\/\/)?(www\.|mobile\.)?(x|twitter)\.com\//i, '')
    .replace(/[/?#].*$/, '')
    .replace(/^@/, '')
}

function uniqueNames(names: string[]): string[] {
  return [...new Map(names.map((name) => [bareUsername(name).toLowerCase(), name])).values()]
}
