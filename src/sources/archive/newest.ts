// The newest tweets of a file that may hold millions, with memory for a few thousand.

import { randomInt } from 'node:crypto'
import { hashText } from '../../core/hashing.js'
import { PairTable } from '../../core/pair-table.js'
import type { ImportedTweet } from './post.js'

interface DatedTweet extends ImportedTweet {
  time: number
  /** Where it stands in the file. */
  index: number
}

const MAX_KEYS = 2_000_000
const SECOND_MULTIPLIER = 0x9e3779b1
const X_EPOCH = 1_288_834_974_657n

/**
 * Returns a function that says whether it was called with the same key before, for up to 2,000,000 keys. It holds 64-bit
 * hashes in 48 MB, of which the system provides only the pages that are written; a Set of as many strings takes several times
 * that. Among 2,000,000 keys the chance that two share a hash is 1 in 10 million.
 */
export function createSeen(): (key: string) => boolean {
  const hashes = new PairTable(MAX_KEYS)
  const seed = randomInt(2 ** 32) // so that nobody can prepare a file whose hashes all fall into one slot
  return (key) => {
    const before = hashes.size
    hashes.getOrAdd(hashText(key, seed), hashText(key, ~seed, SECOND_MULTIPLIER), 0)
    return hashes.size === before
  }
}

/**
 * Keeps the newest `limit` of the tweets that are added: by date (a tweet's id contains its date too), then by id, and in
 * the file's order if neither is known. `take` returns them, newest first, and how many were too old (`beyond`) or had the
 * id of another one (`repeated`).
 */
export function createNewest(limit: number) {
  let kept: DatedTweet[] = []
  let oldest: DatedTweet | undefined // of those kept, once there are `limit`
  let [added, repeated] = [0, 0]

  function trim(): void {
    const sorted = kept.sort(newestFirst)
    const ids = new Set<string>()
    const once = sorted.filter(({ id }) => id === null || (!ids.has(id) && ids.add(id)))
    repeated += sorted.length - once.length
    kept = once.slice(0, limit)
    oldest = kept[limit - 1]
  }

  return {
    add({ id, text, createdAt }: ImportedTweet): void {
      const tweet = { id, text, createdAt, time: createdAt?.getTime() ?? timeOfId(id), index: added++ }
      if (oldest && newestFirst(oldest, tweet) < 0) return
      kept.push({ ...tweet, id: id && detach(id), text: detach(text) })
      if (kept.length >= 2 * limit) trim()
    },
    take(): { tweets: ImportedTweet[]; beyond: number; repeated: number } {
      trim()
      const tweets = kept.map(({ id, text, createdAt }) => ({ id, text, createdAt }))
      return { tweets, beyond: added - repeated - tweets.length, repeated }
    }
  }
}

// V8 keeps the whole string in memory for a part of it: 3,200 lines would keep 3,200 chunks.
const detach = (text: string): string => Buffer.from(text).toString()

/** Since November 2010 an id's upper bits are its time in milliseconds: https://docs.x.com/fundamentals/x-ids */
function timeOfId(id: string | null): number {
  const isTimed = id !== null && id.length >= 15
  return isTimed ? Number((BigInt(id) >> 22n) + X_EPOCH) : Number.MIN_SAFE_INTEGER
}

function newestFirst(a: DatedTweet, b: DatedTweet): number {
  return b.time - a.time || compareIds(b.id ?? '', a.id ?? '') || a.index - b.index
}

/** Compares ids as numbers without converting them: a longer one is greater. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
