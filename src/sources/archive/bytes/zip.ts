// Tweets inside the archive that X gives its users. Only entries with known names are read, as streams and never to disk,
// so the names and contents of other entries do no harm. The sizes that a zip states are checked before anything is
// unpacked, and yauzl stops at the first byte beyond them.

import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from 'yauzl'
import { ExpectedError } from '../../core/errors.js'

/** A file to read tweets from. */
export interface TweetFile {
  /** Its name inside a zip; null for a file that was uploaded by itself. */
  name: string | null
  bytes: AsyncIterable<Buffer>
}

const MEGABYTE = 2 ** 20
const MAX_ENTRIES = 20_000
const MAX_PARTS = 100
const MAX_FILE_SIZE = 300 * MEGABYTE
const MAX_TOTAL_SIZE = 600 * MEGABYTE
// Files of tweets shrink to a tenth, a zip bomb to a thousandth. Small files may shrink as much by chance, and do no harm.
const MAX_RATIO = 200
const MIN_SIZE_FOR_RATIO = 10 * MEGABYTE

// data/tweets.js, data/tweets-part1.js, …; in older archives data/tweet.js or tweet.js; each may lie inside one folder.
const TWEETS = /^(?:(?!\.\.?\/)[^/:]+\/)??((?:data\/)?tweets?(?:-part(\d{1,3}))?\.js)$/
const UNPACK = 'Unpack it yourself and upload data/tweets.js instead.'
const REFUSALS: [(entry: Entry) => boolean, string][] = [
  [(entry) => entry.isEncrypted(), `is locked with a password. ${UNPACK}`],
  [(entry) => !entry.canDecodeFileData(), `is packed in a way that can't be read here. ${UNPACK}`],
  [(entry) => entry.uncompressedSize > MAX_FILE_SIZE, 'is larger than 300 MB when unpacked: too large.'],
  [
    ({ uncompressedSize: size, compressedSize }) => size > MIN_SIZE_FOR_RATIO && size > MAX_RATIO * compressedSize,
    'would be more than 200 times as large when unpacked, which no file of tweets is.'
  ]
]

/** Whether a file that starts with these bytes is a zip. */
export function isZip(start: Buffer): boolean {
  return start.length >= 4 && ['PK\x03\x04', 'PK\x05\x06'].includes(start.toString('latin1', 0, 4))
}

/** The error (422) for a damaged zip. */
export function brokenZip(): ExpectedError {
  return new ExpectedError('unusable', 'This zip is damaged, or a part of it is missing. Download it again.')
}

/**
 * The files of tweets in a zip, in the order of their parts.
 * @throws ExpectedError (422), also while their bytes are read, if the zip is damaged, locked, without tweets or too large
 */
export async function* openTweetFiles(path: string): AsyncGenerator<TweetFile> {
  const zip = await withExpectedErrors(() => openPromise(path, { decodeStrings: false, autoClose: false }))
  try {
    const entries = await withExpectedErrors(() => findTweets(zip))
    for (const [name, entry] of entries) yield { name, bytes: unpack(zip, entry) }
  } finally {
    zip.close()
  }
}

async function findTweets(zip: ZipFile): Promise<[string, Entry][]> {
  if (zip.entryCount > MAX_ENTRIES) throw new ExpectedError('unusable', `This zip holds more than 20,000 files. ${UNPACK}`)
  const found: [string, Entry, number][] = []
  for await (const entry of zip.eachEntry()) {
    const [, name, part = '0'] = TWEETS.exec(nameOf(entry)) ?? []
    if (name) found.push([name, entry, Number(part)])
    if (found.length > MAX_PARTS) throw new ExpectedError('unusable', 'This zip holds more than 100 files of tweets.')
  }
  found.forEach(([name, entry]) => checkEntry(name, entry))
  const total = found.reduce((sum, [, entry]) => sum + entry.uncompressedSize, 0)
  if (total > MAX_TOTAL_SIZE) throw new ExpectedError('unusable', 'The tweets in this zip are larger than 600 MB when unpacked.')
  if (found.length > 0) return found.sort((a, b) => a[2] - b[2]).map(([name, entry]) => [name, entry])
  throw new ExpectedError('unusable', 'This zip holds no data/tweets.js, so it is not the archive that X gives its users.')
}

// Names are decoded here because yauzl refuses a whole zip for one entry with an unsafe name, even if it is not read.
function nameOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  return getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false)
}

function checkEntry(name: string, entry: Entry): void {
  const [, why] = REFUSALS.find(([applies]) => applies(entry)) ?? []
  if (why) throw new ExpectedError('unusable', `${name} in this zip ${why}`)
}

async function* unpack(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  try {
    yield* await zip.openReadStreamPromise(entry)
  } catch (error) {
    throw toExpectedError(error)
  }
}

async function withExpectedErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toExpectedError(error)
  }
}

/** The zip's errors are reported to the visitor; those of the system (no such file, too many open) are ours. */
function toExpectedError(error: unknown): unknown {
  return error instanceof ExpectedError || (error instanceof Error && 'syscall' in error) ? error : brokenZip()
}
