// What the answers say with: numbers and times in words, users in JSON.

import type { CollectJob } from '../storage/collect-jobs.js'
import { count } from '../text/format.js'
import type { StoredUser } from '../storage/users.js'

const SOURCES = { x: 'from X', archive: 'from a file', sample: 'sample' }

/** Where a user's tweets come from, in a word or two. */
export function sourceName(source: keyof typeof SOURCES): string {
  return SOURCES[source]
}

/** A user as the JSON answers show them. */
export function userJson({ username, name, source, tweets, collectedAt }: StoredUser): object {
  return { username, name, source, tweets, collectedAt }
}

export const isUnderWay = ({ state }: CollectJob): boolean => state !== 'done' && state !== 'failed'

/** How far the collecting of a user has come. */
export function progressJson(collectJob: CollectJob): {
  username: string; state: CollectJob['state']; words: string; read: number; embedded: number; toRead: number; ended: boolean
} {
  const { username, state, read, embedded, toRead } = collectJob
  return { username, state, words: progressInWords(collectJob), read, embedded, toRead, ended: !isUnderWay(collectJob) }
}

function progressInWords({ state, message, read, toRead, kept, removed, embedded }: CollectJob): string {
  const n = (number: number): string => number.toLocaleString('en')
  if (state === 'failed') return message!
  if (state === 'done') return `${count(read, 'post')} read, ${count(kept, 'new tweet')} kept${removed ? `, ${n(removed)} removed that X no longer shows` : ''}.`
  if (state === 'waiting') return `${message!.replace(/\.$/, '')}; this goes on by itself.`
  if (state === 'queued') return 'Waiting for its turn…'
  const behind = embedded < kept ? `, ${n(embedded)} of ${n(kept)} embedded` : ''
  return `Reading posts… ${n(read)} of ${n(toRead)}${behind}`
}
