// Functions that the views call: what they say in words.

import { isUnderWay, type CollectJob } from '../storage/collect-jobs.js'
import type { StoredUser } from '../storage/users.js'
import { count } from '../text/format.js'

const SOURCES = { x: 'from X', archive: 'from a file', sample: 'sample' }

/** Where a user's tweets come from, in a word or two. */
export function sourceName(source: keyof typeof SOURCES): string {
  return SOURCES[source]
}

export { isUnderWay }

/** How far the collecting of a user has come, or why it failed. */
export function progressInWords({ state, message, read, toRead, kept, removed, embedded }: CollectJob): string {
  const n = (number: number): string => number.toLocaleString('en')
  if (state === 'failed') return message!
  const gone = removed ? `, ${n(removed)} removed that X no longer shows` : ''
  if (state === 'done') return `${count(read, 'post')} read, ${count(kept, 'new tweet')} kept${gone}.`
  if (state === 'waiting') return `${message!.replace(/\.$/, '')}; this goes on by itself.`
  if (state === 'queued') return 'Waiting for its turn…'
  const embeddedSoFar = embedded < kept ? `, ${n(embedded)} of ${n(kept)} embedded` : ''
  return `Reading posts… ${n(read)} of ${n(toRead)}${embeddedSoFar}`
}

/** 0.824 → 82: how many times in 100. */
export const inHundred = (share: number): number => Math.round(100 * share)

/** Where a stored tweet can be read on X; undefined for tweets that were never there. */
export function postUrl({ username, source }: StoredUser, id: string): string | undefined {
  const isPost = source !== 'sample' && /^\d{15,20}$/.test(id) // shorter numbers are places in a file
  return isPost ? `https://x.com/${username}/status/${id}` : undefined
}
