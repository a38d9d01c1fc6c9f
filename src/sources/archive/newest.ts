// The newest tweets of a file that may hold millions, in the memory of a few thousand.

import { randomInt } from 'node:crypto'
import type { ImportedTweet } from './post.js'

interface Candidate extends ImportedTweet {
  time: number
  place: number
}

const SLOTS = 2 ** 22
const X_EPOCH = 1_288_834_974_657n

/**
 * Tells whether a key was there before, for up to 2,000,000 keys. It keeps 53-bit hashes in 32 MB of table, of which
 * only the pages that are written count: a Set of as many strings takes ten times that. Two keys share a hash with a
 * chance of 1 in 5,000 among 2,000,000.
 */
export function createSeen(): (key: string) => boolean {
  const table = new Float64Array(SLOTS)
  const seed = randomInt(2 ** 32) // Nobody can prepare a file whose hashes all meet in one place.
  return (key) => {
    const hash = hash53(key, seed) || 1
    let slot = hash % SLOTS
    while (table[slot] !== 0 && table[slot] !== hash) slot = (slot + 1) % SLOTS
    const seen = table[slot] === hash
    table[slot] = hash
    return seen
  }
}

/** Two rounds of multiplying and mixing side by side (cyrb53, public domain), cut to what a double holds exactly. */
function hash53(key: string, seed: number): number {
  let [a, b] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ seed]
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    a = Math.imul(a ^ code, 2_654_435_761)
    b = Math.imul(b ^ code, 1_597_334_677)
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909)
  return 4_294_967_296 * (b & 0x1fffff) + (a >>> 0)
}

/**
 * Keeps the newest `limit` of the tweets that are added: by date (a tweet's id tells its date too), then by id, and as
 * they stand in the file where neither is known. `take` returns them, newest first, and how many were left over, or
 * had the id of another one.
 */
export function createNewest(limit: number) {
  let kept: Candidate[] = []
  let last: Candidate | undefined
  let [added, repeated] = [0, 0]

  function trim(): void {
    const sorted = kept.sort(newestFirst)
    const ids = new Set<string>()
    const once = sorted.filter(({ id }) => id === null || (!ids.has(id) && ids.add(id)))
    repeated += sorted.length - once.length
    kept = once.slice(0, limit)
    last = kept[limit - 1]
  }

  return {
    add({ id, text, createdAt }: ImportedTweet): void {
      const candidate = { id, text, createdAt, time: createdAt?.getTime() ?? timeOfId(id), place: added++ }
      if (last && newestFirst(last, candidate) < 0) return
      kept.push({ ...candidate, id: id && detach(id), text: detach(text) })
      if (kept.length >= 2 * limit) trim()
    },
    take(): { tweets: ImportedTweet[]; beyond: number; repeated: number } {
      trim()
      const tweets = kept.map(({ id, text, createdAt }) => ({ id, text, createdAt }))
      return { tweets, beyond: added - repeated - tweets.length, repeated }
    }
  }
}

// A piece of a string keeps all of it in memory: 3,200 lines would keep 3,200 chunks.
const detach = (text: string): string => Buffer.from(text).toString()

/** Since November 2010 ids start with their time in milliseconds: https://docs.x.com/fundamentals/x-ids */
function timeOfId(id: string | null): number {
  const isTimed = id !== null && id.length >= 15
  return isTimed ? Number((BigInt(id) >> 22n) + X_EPOCH) : Number.MIN_SAFE_INTEGER
}

function newestFirst(a: Candidate, b: Candidate): number {
  return b.time - a.time || compareIds(b.id ?? '', a.id ?? '') || a.place - b.place
}

/** Compares ids as numbers without making any: a longer one is greater. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
