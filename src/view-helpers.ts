// What the answers say with: numbers and times in words, users in JSON.

import type { Collection } from './collections.js'
import type { StoredUser } from './store.js'

/** 0.0374 → "3.7%"; never "100%" or "0%" for what is not certain. */
export function percent(probability: number): string {
  if (probability > 0 && probability < 0.001) return '< 0.1%'
  if (probability < 1 && probability > 0.999) return '> 99.9%'
  return `${(probability * 100).toFixed(1).replace(/\.0$/, '')}%`
}

// Made once: a new one for each date takes longer than the rest of a page.
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
const NUMBER = new Intl.NumberFormat('en')

/** A date as readers of any country read it, in UTC: "21 Nov 2026, 07:05 UTC". */
export function when(date: Date): string {
  return `${DATE.format(date)} UTC`
}

/** "1 tweet", "2 tweets" */
export function count(n: number, noun: string): string {
  return `${NUMBER.format(n)} ${noun}${n === 1 ? '' : 's'}`
}

const SOURCES = { x: 'from X', archive: 'from a file', sample: 'sample' }

/** Where a user's tweets come from, in a word or two. */
export function sourceName(source: keyof typeof SOURCES): string {
  return SOURCES[source]
}

/** A user as the JSON answers show them. */
export function userJson({ username, name, source, tweets, collectedAt }: StoredUser): object {
  return { username, name, source, tweets, collectedAt }
}

export const isUnderWay = ({ state }: Collection): boolean => state !== 'done' && state !== 'failed'

/** How far the collecting of a user has come. */
export function progressJson(collection: Collection): {
  username: string; state: Collection['state']; words: string; read: number; embedded: number; toRead: number; ended: boolean
} {
  const { username, state, read, embedded, toRead } = collection
  return { username, state, words: progressInWords(collection), read, embedded, toRead, ended: !isUnderWay(collection) }
}

function progressInWords({ state, message, read, toRead, kept, removed, embedded }: Collection): string {
  const n = (number: number): string => number.toLocaleString('en')
  if (state === 'failed') return message!
  if (state === 'done') return `${count(read, 'post')} read, ${count(kept, 'new tweet')} kept${removed ? `, ${n(removed)} removed that X no longer shows` : ''}.`
  if (state === 'waiting') return `${message!.replace(/\.$/, '')}; this goes on by itself.`
  if (state === 'queued') return 'Waiting for its turn…'
  const behind = embedded < kept ? `, ${n(embedded)} of ${n(kept)} embedded` : ''
  return `Reading posts… ${n(read)} of ${n(toRead)}${behind}`
}

const LEFT_OUT = {
  retweets: 'reposts', replies: 'replies', duplicates: 'repeated', empty: 'without words', tooLong: 'too long', beyond: 'older than the newest 3,200'
}

/** How many records of a file were read and kept, and why the others were not. */
export function importInWords(counts: Record<'read' | 'kept' | keyof typeof LEFT_OUT, number>): string {
  const reasons = Object.entries(LEFT_OUT).flatMap(([key, words]) => {
    const n = counts[key as keyof typeof LEFT_OUT]
    return n > 0 ? [`${words} (${n.toLocaleString('en')})`] : []
  })
  const left = reasons.length ? ` Left out: ${reasons.join(', ')}.` : ''
  return `${counts.read.toLocaleString('en')} read, ${counts.kept.toLocaleString('en')} kept.${left}`
}
