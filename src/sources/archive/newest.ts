// The newest tweets of a file that may hold millions, with memory for a few thousand.

import { randomInt } from 'node:crypto'
import { hashText } from '../../core/hashing.js'
import { PairTable } from '../../core/pair-table.js'
import type { ImportedTweet, Post } from './fields/post.js'

interface DatedTweet extends ImportedTweet {
  time: number
  /** Where it stands in the file. */
  index: number
  /** The first id of an edited post, which all of its versions have in common. */
  version: string | null
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

/** How much of a file is kept. */
interface Bounds {
  tweets: number
  /** Of all texts together. */
  characters: number
}

/**
 * Keeps the newest of the tweets that are added, until the next one would go beyond a bound: by date (a tweet's id contains
 * its date too), then by id, and in the file's order if neither is known. An export of ours is in the right order already: if
 * the first tweet is of one, the file's order stays. `take` returns them, newest first, and how many come after those kept
 * (`beyond`), had the id of another one (`repeated`) or are earlier versions of one that was edited (`versions`). Meanwhile at most twice as much is held in memory.
 */
export function createNewest(bounds: Bounds) {
  let held: DatedTweet[] = []
  let characters = 0 // of all that is held
  let cut: DatedTweet | undefined // the newest one beyond the bounds: whatever comes after it is beyond them too
  let order = newestFirst
  let [added, repeated, versions] = [0, 0, 0]

  function trim(): void {
    const sorted = held.sort(order)
    const ids = new Set<string>()
    const once = sorted.filter((tweet) => isFirst(tweet, ids))
    held = fitting(once, bounds)
    characters = held.reduce((sum, { text }) => sum + text.length, 0)
    cut = once[held.length] ?? cut
  }

  function isFirst({ id, version }: DatedTweet, ids: Set<string>): boolean {
    if (id !== null && ids.has(id)) repeated++
    else if (version !== null && ids.has(`first ${version}`)) versions++
    else {
      if (id !== null) ids.add(id)
      if (version !== null) ids.add(`first ${version}`)
      return true
    }
    return false
  }

  return {
    add({ id, text, createdAt, exact, firstVersion }: Pick<Post, keyof ImportedTweet | 'exact' | 'firstVersion'>): void {
      if (added === 0 && exact) order = byIndex
      const tweet = { id, text, createdAt, time: createdAt?.getTime() ?? timeOfId(id), index: added++, version: firstVersion && detach(firstVersion) }
      if (cut && order(cut, tweet) < 0) return
      held.push({ ...tweet, id: id && detach(id), text: detach(text) })
      characters += text.length
      if (held.length >= 2 * bounds.tweets || characters >= 2 * bounds.characters) trim()
    },
    take(): { tweets: ImportedTweet[]; beyond: number; repeated: number; versions: number } {
      trim()
      const tweets = held.map(({ id, text, createdAt }) => ({ id, text, createdAt }))
      return { tweets, beyond: added - repeated - versions - tweets.length, repeated, versions }
    }
  }
}

/** The first tweets that are within the bounds together. */
function fitting(tweets: DatedTweet[], bounds: Bounds): DatedTweet[] {
  let characters = 0
  const end = tweets.findIndex(({ text }, i) => i === bounds.tweets || (characters += text.length) > bounds.characters)
  return end < 0 ? tweets : tweets.slice(0, end)
}

// V8 keeps the whole string in memory for a part of it: 3,200 lines would keep 3,200 chunks.
const detach = (text: string): string => Buffer.from(text).toString()

/** Since November 2010 an id's upper bits are its time in milliseconds: https://docs.x.com/fundamentals/x-ids */
function timeOfId(id: string | null): number {
  const isTimed = id !== null && /^\d{15,}$/.test(id)
  return isTimed ? Number((BigInt(id) >> 22n) + X_EPOCH) : Number.MIN_SAFE_INTEGER
}

const byIndex = (a: DatedTweet, b: DatedTweet): number => a.index - b.index

function newestFirst(a: DatedTweet, b: DatedTweet): number {
  return b.time - a.time || compareIds(b.id ?? '', a.id ?? '') || byIndex(a, b)
}

/** Compares ids as numbers without converting them: a longer one is greater. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
