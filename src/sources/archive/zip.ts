// Tweets inside the archive that X gives its users. Only entries of known names are read, as streams and never to disk,
// so what other entries are called or hold does no harm. What a zip says of its sizes is judged before anything is
// unpacked, and yauzl stops at the first byte beyond it.

import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from 'yauzl'
import { ExpectedError } from '../../core/errors.js'

/** A file to read tweets from: its name where it is one of several, and its bytes. */
export interface TweetFile {
  name: string | null
  bytes: AsyncIterable<Buffer>
}

const MEGABYTE = 2 ** 20
const MOST_ENTRIES = 20_000
const MOST_PARTS = 100
const LARGEST_FILE = 300 * MEGABYTE
const LARGEST_TOTAL = 600 * MEGABYTE
// Tweets shrink to a tenth. A bomb gets to a thousandth; small files may by chance, and do no harm.
const HIGHEST_RATIO = 200
const RATIO_COUNTS_FROM = 10 * MEGABYTE

// data/tweets.js, data/tweets-part1.js, …; in older archives data/tweet.js or tweet.js; all perhaps inside one folder.
const TWEETS = /^(?:(?!\.\.?\/)[^/:]+\/)??((?:data\/)?tweets?(?:-part(\d{1,3}))?\.js)$/
const UNPACK = 'Unpack it yourself and upload data/tweets.js instead.'
const REFUSALS: [(entry: Entry) => boolean, string][] = [
  [(entry) => entry.isEncrypted(), `is locked with a password. ${UNPACK}`],
  [(entry) => !entry.canDecodeFileData(), `is packed in a way that can't be read here. ${UNPACK}`],
  [(entry) => entry.uncompressedSize > LARGEST_FILE, 'is larger than 300 MB when unpacked: too large.'],
  [
    ({ uncompressedSize: size, compressedSize }) => size > RATIO_COUNTS_FROM && size > HIGHEST_RATIO * compressedSize,
    'would be more than 200 times as large when unpacked, which no file of tweets is.'
  ]
]

/** Whether a file that starts with these bytes is a zip. */
export function isZip(start: Buffer): boolean {
  return start.length >= 4 && ['PK\x03\x04', 'PK\x05\x06'].includes(start.toString('latin1', 0, 4))
}

/** The error (422) for a zip that is not whole. */
export function brokenZip(): ExpectedError {
  return new ExpectedError('unusable', 'This zip is damaged, or a part of it is missing. Download it again.')
}

/**
 * The files of tweets in a zip, in the order of their parts. Throws a ExpectedError (422), also while their bytes are
 * read, where the zip is damaged, locked, has none, or unpacks to more than it should.
 */
export async function* openTweetFiles(path: string): AsyncGenerator<TweetFile> {
  const zip = await worded(() => openPromise(path, { decodeStrings: false, autoClose: false }))
  try {
    const entries = await worded(() => findTweets(zip))
    for (const [name, entry] of entries) yield { name, bytes: unpack(zip, entry) }
  } finally {
    zip.close()
  }
}

async function findTweets(zip: ZipFile): Promise<[string, Entry][]> {
  if (zip.entryCount > MOST_ENTRIES) throw new ExpectedError('unusable', `This zip holds more than 20,000 files. ${UNPACK}`)
  const found: [string, Entry, number][] = []
  for await (const entry of zip.eachEntry()) {
    const [, name, part = '0'] = TWEETS.exec(nameOf(entry)) ?? []
    if (name) found.push([name, entry, Number(part)])
    if (found.length > MOST_PARTS) throw new ExpectedError('unusable', 'This zip holds more than 100 files of tweets.')
  }
  found.forEach(([name, entry]) => refuse(name, entry))
  const total = found.reduce((sum, [, entry]) => sum + entry.uncompressedSize, 0)
  if (total > LARGEST_TOTAL) throw new ExpectedError('unusable', 'The tweets in this zip are larger than 600 MB when unpacked.')
  if (found.length > 0) return found.sort((a, b) => a[2] - b[2]).map(([name, entry]) => [name, entry])
  throw new ExpectedError('unusable', 'This zip holds no data/tweets.js, so it is not the archive that X gives its users.')
}

// The names are decoded here because yauzl gives up a whole zip for one entry with an unsafe name, read or not.
function nameOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  return getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false)
}

function refuse(name: string, entry: Entry): void {
  const [, words] = REFUSALS.find(([applies]) => applies(entry)) ?? []
  if (words) throw new ExpectedError('unusable', `${name} in this zip ${words}`)
}

async function* unpack(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  try {
    yield* await zip.openReadStreamPromise(entry)
  } catch (error) {
    throw wordError(error)
  }
}

async function worded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw wordError(error)
  }
}

/** A zip's own errors are the visitor's; those of the system (no such file, too many open) are ours. */
function wordError(error: unknown): unknown {
  return error instanceof ExpectedError || (error instanceof Error && 'syscall' in error) ? error : brokenZip()
}
