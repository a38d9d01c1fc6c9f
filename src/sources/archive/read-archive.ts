// Tweets without the X API: from the archive that X gives its users, or from another file.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { readRows } from './detect-format.js'
import { createNewest, createSeen } from './newest.js'
import { MAX_POST_LENGTH, readPost, type ImportedTweet } from './post.js'
import { MAX_IMPORTED, type ImportReport } from './report.js'
import { decodeBytes, failIn, peek, type Row } from './lines.js'
import { brokenZip, isZip, openTweetFiles, type TweetFile } from './zip.js'
import { ExpectedError } from '../../core/errors.js'
import { duplicateKey } from '../../text/normalize.js'

export type { ImportedTweet }

const MAX_RECORDS = 2_000_000
const HEAD = 2 ** 14 // characters, by which the format is recognised
const CHUNK = 2 ** 14 // bytes: parsing them takes some milliseconds, for which nothing else runs

/**
 * The user's own tweets in an uploaded file, at most the newest 3,200 with 1,000,000 characters: newest first if their dates or
 * ids are known, otherwise, and in an export of our own, in the file's order. Of duplicates the first in the file stays. `path` is where the file lies, `fileName` its
 * name on the visitor's side; replies are left out unless `options.replies`.
 * @throws ExpectedError (422) that names the line of a mistake, or says what is wrong with the whole file: not UTF-8, no
 * tweets, a damaged, locked or oversized zip, more than 2,000,000 records
 */
export async function readArchive(
  path: string,
  fileName: string,
  options: { replies: boolean }
): Promise<{ tweets: ImportedTweet[]; report: ImportReport }> {
  const filter = createFilter(options)
  for await (const { name, bytes } of openFiles(path, fileName)) {
    const text = decodeBytes(bytes, name)
    try {
      const { head, whole } = await peek(text, HEAD)
      const fail = failIn(name)
      for await (const rows of readRows(head, whole, name ?? fileName, fail)) {
        for (const row of rows) filter.add(row, () => fail(row.line, 'has no text (text, tweet, full_text or content).'))
      }
    } finally {
      await text.return(undefined)
    }
  }
  return filter.take()
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
function createFilter({ replies }: { replies: boolean }) {
  const dropped = { retweets: 0, replies: 0, duplicates: 0, empty: 0, tooLong: 0 }
  const newest = createNewest(MAX_IMPORTED)
  const isRepeated = createSeen()
  let read = 0

  /** Keeps a record, or says why it is dropped. */
  function keep({ value }: Row, noText: () => never): keyof typeof dropped | null {
    const post = value === undefined ? 'tooLong' : (readPost(value) ?? noText())
    if (post === 'tooLong' || post.text.length > MAX_POST_LENGTH) return 'tooLong'
    if (post.retweet) return 'retweets'
    if (post.reply && !replies) return 'replies'
    const key = duplicateKey(post.text)
    if (key === '') return 'empty'
    if (isRepeated(key)) return 'duplicates'
    newest.add(post)
    return null
  }

  return {
    add(row: Row, noText: () => never): void {
      if (++read > MAX_RECORDS) throw new ExpectedError('unusable', 'This file holds more than 2,000,000 tweets.')
      const reason = keep(row, noText)
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
