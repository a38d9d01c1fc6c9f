// Tweets without the X API: out of the archive that X gives its users, or out of a file of one's own.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { readRows } from './detect-format.js'
import { createNewest, createSeen } from './newest.js'
import { LONGEST_POST, readPost, type ImportedTweet } from './post.js'
import { decodeBytes, failIn, peek, type Row } from './lines.js'
import { brokenZip, isZip, openTweetFiles, type TweetFile } from './zip.js'
import { ExpectedError } from '../../core/errors.js'
import { duplicateKey } from '../../text/normalize.js'

export type { ImportedTweet }

/** What became of a file's records: read = kept + beyond + the sum of dropped. */
export interface ImportReport {
  read: number
  kept: number
  /** Good ones that are older than the 3,200 that are kept. */
  beyond: number
  dropped: { retweets: number; replies: number; duplicates: number; empty: number; tooLong: number }
}

/** X's API gives this many of a user's newest posts, so a file gives no more. */
export const MAX_IMPORTED_TWEETS = 3_200
const MOST_RECORDS = 2_000_000
const ENOUGH_TO_RECOGNISE = 2 ** 14
// Parsing a chunk holds up everything else: 16 kB take some milliseconds.
const CHUNK = 2 ** 14

/**
 * The user's own tweets in an uploaded file, the newest 3,200 at most, newest first where their dates or ids are known
 * and in the file's order where not. Of duplicates the file's first stays. `path` is where the file lies, `fileName`
 * what the visitor calls it; replies are left out unless `options.replies`.
 *
 * Throws a ExpectedError (422) that names the line where the file is broken, and for files that are not what they
 * should be: not UTF-8 text, no tweets, a damaged, locked or oversized zip, more than 2,000,000 records.
 */
export async function readArchive(
  path: string,
  fileName: string,
  options: { replies: boolean }
): Promise<{ tweets: ImportedTweet[]; report: ImportReport }> {
  const sieve = createSieve(options)
  for await (const { name, bytes } of openFiles(path, fileName)) {
    const text = decodeBytes(bytes, name)
    try {
      const { head, whole } = await peek(text, ENOUGH_TO_RECOGNISE)
      const fail = failIn(name)
      for await (const rows of readRows(head, whole, name ?? fileName, fail)) {
        for (const row of rows) sieve.add(row, () => fail(row.line, 'has no text (text, tweet, full_text or content).'))
      }
    } finally {
      await text.return(undefined)
    }
  }
  return sieve.take()
}

async function* openFiles(path: string, fileName: string): AsyncGenerator<TweetFile> {
  if (await startsAsZip(path)) return yield* openTweetFiles(path)
  if (/\.zip$/i.test(fileName)) throw brokenZip()
  yield { name: null, bytes: createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer> }
}

async function startsAsZip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return isZip(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/** Sorts records into those to keep and those to drop, and counts both. */
function createSieve({ replies }: { replies: boolean }) {
  const dropped = { retweets: 0, replies: 0, duplicates: 0, empty: 0, tooLong: 0 }
  const newest = createNewest(MAX_IMPORTED_TWEETS)
  const seen = createSeen()
  let read = 0

  /** Why a record is dropped; null for one that is kept. */
  function sift({ value }: Row, noText: () => never): keyof typeof dropped | null {
    const post = value === undefined ? 'tooLong' : (readPost(value) ?? noText())
    if (post === 'tooLong' || post.text.length > LONGEST_POST) return 'tooLong'
    if (post.retweet) return 'retweets'
    if (post.reply && !replies) return 'replies'
    const key = duplicateKey(post.text)
    if (key === '') return 'empty'
    if (seen(key)) return 'duplicates'
    newest.add(post)
    return null
  }

  return {
    add(row: Row, noText: () => never): void {
      if (++read > MOST_RECORDS) throw new ExpectedError('unusable', 'This file holds more than 2,000,000 tweets.')
      const reason = sift(row, noText)
      if (reason) dropped[reason]++
    },
    take(): { tweets: ImportedTweet[]; report: ImportReport } {
      if (read === 0) throw new ExpectedError('unusable', 'This file holds no tweets.')
      const { tweets, beyond, repeated } = newest.take()
      dropped.duplicates += repeated
      return { tweets, report: { read, kept: tweets.length, beyond, dropped } }
    }
  }
}
