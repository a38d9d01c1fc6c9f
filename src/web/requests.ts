// What visitors and programs send, checked. The descriptions are for the interface's own description (GET /api).

import { z } from 'zod'
import { MAX_ROUNDS } from '../prediction/play-round.js'
import { notHere } from '../prediction/user-page.js'
import { graphemesOf } from '../text/graphemes.js'
import { decodeText } from '../text/normalize.js'

export const MIN_CANDIDATES = 2
export const MAX_CANDIDATES = 4
export const MAX_TEXT_LENGTH = 4000

// As a parameter, each of these has to be there; zod-openapi takes what is preprocessed for optional.
const REQUIRED = { param: { required: true } }

const USERNAME = /^[A-Za-z0-9_]{1,15}$/
const NOT_A_USERNAME =
  'That is no X username: 1 to 15 letters, digits or underscores, such as @jack, or an address such as https://x.com/jack.'
const NOT_TWO_TO_FOUR = 'Pick two to four different users.'
const TOO_LONG = `That text is too long: ${MAX_TEXT_LENGTH.toLocaleString('en')} characters at the most.`
// Characters are counted as a reader sees them, which takes time: so this limit on UTF-16 code units comes first.
const MAX_UNITS = 8 * MAX_TEXT_LENGTH

/** A username as people type it: `@Name`, `name`, `https://x.com/name` or `twitter.com/name/status/1`. */
export const Username = z
  .preprocess((value) => (typeof value === 'string' ? bareUsername(value) : ''), z.string().regex(USERNAME, NOT_A_USERNAME))
  .meta({ ...REQUIRED, description: 'Also as @name or as an address on x.com.' })

/** The username in the path of a URL. A name that X cannot have belongs to nobody here. */
export function usernameIn({ username: name }: { username: string }): string {
  const username = Username.safeParse(name)
  if (!username.success) throw notHere(name)
  return username.data
}

/** One to four names, with spaces, commas or line breaks between them; a name that is given twice counts once. */
export const Usernames = z.preprocess(
  (value) => uniqueNames([value].flat().flatMap((names) => (typeof names === 'string' ? names.split(/[\s,;]+/).filter(Boolean) : []))),
  z.array(Username).min(1, NOT_A_USERNAME).max(MAX_CANDIDATES, 'Four users at a time, no more.')
).meta({ ...REQUIRED, description: 'Several names may also be one string with spaces or commas between them.' })

export const AddUsers = z.object({ username: Usernames }, NOT_A_USERNAME)

const MAX_ANSWERS = 50 // of which four are taken: for more, the question is asked again
const blankAsMissing = (value: unknown): unknown => (typeof value === 'string' && value.trim() === '' ? undefined : value)

export const ImportForm = z.object({
  username: z.preprocess(blankAsMissing, Username.optional())
    .meta({ description: 'Whose tweets they are; selects the tweets of this name in a file of several authors. Without it, whom the file names.' }),
  replies: z.stringbool().default(false).catch(false).meta({ description: 'Whether replies to others are kept too.', override: { type: 'boolean', default: false } })
})

/** The answer to a question about a file, which is kept meanwhile. */
export const ImportAnswer = z.object({
  upload: z.string('Send the file with the form on this page.').regex(/^[0-9a-f]{32}$/, 'Send the file with the form on this page.').meta({ description: 'From the question.' }),
  authors: z.preprocess(
    (value) => (value === undefined ? undefined : [value].flat()),
    z.array(z.string().min(1).max(200)).min(1).max(MAX_ANSWERS).optional()
  ).meta({ description: 'Up to four of the names that were asked about: each becomes a user.' }),
  text: z.string().max(1_000).optional().meta({ description: 'The column of the texts, where it was asked for.' })
})

export const PageNumber = z.object({
  page: z.coerce.number().int().min(1).max(1_000_000).catch(1)
    .meta({ description: 'Beyond the last page, the last one; the first for what is no number.' })
})

/** Two to four different users and a text. A user who is named twice counts once. */
export const AskPrediction = z.object({
  users: z.preprocess(
    (value) => uniqueNames([value].flat().filter((name) => typeof name === 'string')),
    z.array(Username).min(MIN_CANDIDATES, NOT_TWO_TO_FOUR).max(MAX_CANDIDATES, NOT_TWO_TO_FOUR)
  ).meta({ ...REQUIRED, description: 'Two to four different users; each also as @name or as an address on x.com.' }),
  text: z.preprocess(
    (value) => (typeof value === 'string' ? value.replaceAll('\r\n', '\n') : ''),
    z
      .string()
      .refine((text) => decodeText(text.slice(0, MAX_TEXT_LENGTH)) !== '', { error: 'Write a tweet first: there is no text to go by.' })
      .max(MAX_UNITS, { error: TOO_LONG, abort: true })
      .refine((text) => text.length <= MAX_TEXT_LENGTH || graphemesOf(text).length <= MAX_TEXT_LENGTH, { error: TOO_LONG })
  ).meta({ ...REQUIRED, description: `At most ${MAX_TEXT_LENGTH.toLocaleString('en')} characters as a reader counts them, and not only blanks.` })
})

const NO_GAME = 'This address is no game’s: its seed has 1 to 16 letters and digits.'
const NO_ROUND = `There is no such round: a game has ${MAX_ROUNDS} at the most.`
const NO_GUESS = 'A guess in this address names nobody who is in the game.'
const NO_ORDER = 'The round and the guesses in this address do not go together.'

/** A string of this form. With `abort`, a value of another form skips the checks of the whole game. */
const like = (form: RegExp, error: string): z.ZodString => z.string(error).regex(form, { error, abort: true })

/** A game as its URL has it: one digit for each guess, so that the score follows from the URL alone. */
export const AskRound = AskPrediction.pick({ users: true })
  .extend({
    seed: like(/^[A-Za-z0-9]{1,16}$/, NO_GAME)
      .meta({ description: 'Which tweets are dealt. Without it, or without users, the answer leads to a new game.' }),
    round: like(/^[1-9]\d?$/, NO_ROUND).default('1').transform(Number),
    guesses: like(/^\d*$/, NO_GUESS).max(MAX_ROUNDS, { error: NO_ROUND, abort: true }).default('')
      .transform((digits) => Array.from(digits, Number))
      .meta({ description: 'A digit a round, the place in candidates from 0; as many as the rounds before this one, or one more.' })
  })
  .refine(({ users, guesses }) => guesses.every((guess) => guess < users.length), NO_GUESS)
  .refine(({ round, guesses }) => guesses.length === round || guesses.length === round - 1, NO_ORDER)

/** What a visitor typed into the forms, to be shown again beside an error. */
export interface Typed {
  username: string
  users: string[]
  text: string
  /** Whether it was the import form. */
  importing: boolean
}

/** The forms' fields out of a query and a body; values of another type are left out. */
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
