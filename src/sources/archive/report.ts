// What the report of an import says.

import type { Choice } from './question.js'

/**
 * How much of a file is kept. X's API gives 3,200 of a user's newest posts, so a file gives no more; so many of the usual
 * length, 280 characters, are within the bound on characters, of which a fit reads an eighth.
 */
export const MAX_IMPORTED = { tweets: 3_200, characters: 1_000_000 }

/** Why records are left out, and what the report calls them. */
export const LEFT_OUT = {
  retweets: 'reposts', replies: 'replies', duplicates: 'repeated', versions: 'earlier versions of edited posts', empty: 'without words', tooLong: 'too long',
  others: 'of other authors', odd: 'not readable'
} as const

export type LeftOut = keyof typeof LEFT_OUT

const BEYOND = 'older than the newest 3,200 or 1,000,000 characters'
const MAX_EXAMPLES = 3
const EXAMPLE_LENGTH = 100

/** A record that was left out. */
export interface Example {
  line: number
  /** The beginning of its text, or why it cannot be read. */
  text: string
}

/** What became of a file's records: read = kept + beyond + the sum of dropped. */
export interface ImportReport {
  read: number
  kept: number
  /** Good ones that are older than the newest 3,200, or come after 1,000,000 characters. */
  beyond: number
  dropped: Record<LeftOut, number>
  /** Some of each. */
  examples: Partial<Record<LeftOut, Example[]>>
  /** Kept posts whose whole text stood in another place than the cut one. */
  completed: number
  /** All authors that the file names, with their posts: most first. */
  authors: Required<Pick<Choice, 'name' | 'posts'>>[]
  format: string
  encoding: string
  /** Of the posts that could be kept. */
  dates: {
    read: number
    none: number
    odd: number
    /** One that is not understood. */
    example: string | null
    /** Whether the day or the month comes first in dates such as 3/10/2017; null where there are none. */
    order: 'day' | 'month' | null
  }
}

export const noneDropped = (): Record<LeftOut, number> => Object.fromEntries(Object.keys(LEFT_OUT).map((reason) => [reason, 0])) as Record<LeftOut, number>

/** Keeps the first examples of each reason. */
export function createExamples() {
  const examples: Partial<Record<LeftOut, Example[]>> = {}
  return {
    add(reason: LeftOut, line: number, text: string): void {
      const some = (examples[reason] ??= [])
      if (some.length < MAX_EXAMPLES) some.push({ line, text: Buffer.from(text.slice(0, EXAMPLE_LENGTH)).toString() })
    },
    all: (): typeof examples => examples
  }
}

/** How many records of a file were read and kept, and why the others were not. */
export function importInWords({ read, kept, beyond, dropped }: Pick<ImportReport, 'read' | 'kept' | 'beyond' | 'dropped'>): string {
  const reasons = [...Object.entries(LEFT_OUT).map(([reason, words]) => [words, dropped[reason as LeftOut]] as const), [BEYOND, beyond] as const]
    .flatMap(([words, n]) => (n > 0 ? [`${words} (${n.toLocaleString('en')})`] : []))
  const leftOut = reasons.length ? ` Left out: ${reasons.join(', ')}.` : ''
  return `${read.toLocaleString('en')} read, ${kept.toLocaleString('en')} kept.${leftOut}`
}

/** What else the visitor has to know of how a file was read, a sentence each. */
export function importNotes({ completed, dates, format, encoding, authors, kept }: ImportReport): string[] {
  const posts = (n: number): string => `${n.toLocaleString('en')} ${n === 1 ? 'post' : 'posts'}`
  const inOrder = dates.read > 0 ? '' : ' They have no dates, so their order is the file’s.'
  return [
    `Read as ${format}, ${encoding}.${kept > 0 ? inOrder : ''}`,
    ...(authors.length > 0 ? [`${authors.length === 1 ? 'The author' : 'Authors'} in the file: ${authors.slice(0, 5).map(({ name, posts: n }) => `${name} (${n.toLocaleString('en')})`).join(', ')}${authors.length > 5 ? ' and others' : ''}.`] : []),
    ...(completed > 0 ? [`${posts(completed)} completed that stood cut in the file.`] : []),
    ...(dates.odd > 0 ? [`The dates of ${posts(dates.odd)} were not understood, such as “${dates.example}”.`] : []),
    ...(dates.read > 0 && dates.none > 0 ? [`${posts(dates.none)} without a date come last.`] : []),
    ...(dates.order ? [`Dates such as 3/10/2017 were read with the ${dates.order} first.`] : [])
  ]
}
