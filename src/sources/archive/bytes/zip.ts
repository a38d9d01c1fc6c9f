// Tweets inside the archive that X gives its users, or in another zip. Only entries with known names are read, as streams and never
// to disk, so the names and contents of other entries do no harm. The sizes that a zip states are checked before anything is
// unpacked, and yauzl stops at the first byte beyond them.

import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from 'yauzl'
import { ExpectedError } from '../../../core/errors.js'

/** What a file in an archive holds: posts, the whole texts of posts that stand cut in another file, or who the archive is of. */
export type Role = 'posts' | 'long posts' | 'account'

/** A file to read tweets from. */
export interface TweetFile {
  /** Its name inside a zip; null for a file that was uploaded by itself. */
  name: string | null
  role: Role
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

const FOLDER = '(?:(?!\\.\\.?/)[^/:]+/)??'
const named = (pattern: string, folder = FOLDER): RegExp => new RegExp(`^${folder}(${pattern})$`)

/**
 * Which files are read, each kind by the form of its name; the number in the name is the part's. Only the first set of which
 * there is a file with posts counts: the newer archives of X (each may lie inside one folder), those of 2012 to 2018, and any zip.
 */
const SETS: { role: Role; name: RegExp }[][] = [
  [
    { role: 'account', name: named('(?:data/)?account\\.js') },
    { role: 'posts', name: named('(?:data/)?tweets?(?:-part(\\d{1,3}))?\\.js') },
    { role: 'posts', name: named('(?:data/)?(?:community-tweet|twitter-circle-tweet)s?(?:-part(\\d{1,3}))?\\.js') },
    { role: 'long posts', name: named('(?:data/)?note-tweets?(?:-part(\\d{1,3}))?\\.js') }
  ],
  [{ role: 'posts', name: named('data/js/tweets/\\d{4}_\\d\\d\\.js') }],
  [{ role: 'posts', name: named('[^.][^/:]*\\.(?:csv|tsv|json|jsonl|ndjson|rss|atom)(?:\\.gz)?', '(?:(?!__MACOSX/|\\.)[^/:]+/)*') }],
  [{ role: 'posts', name: named('(?!readme|license)[^.][^/:]*\\.txt', '(?:(?!__MACOSX/|\\.)[^/:]+/)*') }]
]

/** What other programs' files are, which are zips too. */
const DOCUMENTS: [RegExp, string][] = [
  [/^xl\/workbook\.(xml|bin)$/, 'This is an Excel workbook. In Excel, save its sheet as "CSV UTF-8" and upload that file.'],
  [/^word\/document\.xml$/, 'This is a Word document. Save it as plain text in UTF-8 and upload that file.'],
  [/^content\.xml$/, 'This is a document of LibreOffice or OpenOffice. Save it as CSV, or as plain text in UTF-8, and upload that file.'],
  [/^Index\/Document\.iwa$/, 'This is a document of Numbers or Pages. Export it as CSV in UTF-8 and upload that file.']
]
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
    const found = await withExpectedErrors(() => findTweets(zip))
    for (const { name, role, entry } of found) yield { name, role, bytes: unpack(zip, entry) }
  } finally {
    zip.close()
  }
}

interface Found {
  name: string
  role: Role
  part: number
  entry: Entry
}

const ORDER: Role[] = ['account', 'posts', 'long posts']

async function findTweets(zip: ZipFile): Promise<Found[]> {
  if (zip.entryCount > MAX_ENTRIES) throw new ExpectedError('unusable', `This zip holds more than 20,000 files. ${UNPACK}`)
  const sets: Found[][] = SETS.map(() => [])
  for await (const entry of zip.eachEntry()) {
    const path = nameOf(entry)
    const [, document] = DOCUMENTS.find(([name]) => name.test(path)) ?? []
    if (document) throw new ExpectedError('unusable', document)
    SETS.forEach((kinds, i) => sets[i].push(...kinds.flatMap((kind) => matched(path, kind, entry))))
    if (sets.some(({ length }) => length > MAX_PARTS)) throw new ExpectedError('unusable', 'This zip holds more than 100 files of tweets.')
  }
  const found = sets.find((files) => files.some(({ role }) => role === 'posts')) ?? sets.find((files) => files.some(({ role }) => role === 'long posts')) ?? []
  found.forEach(({ name, entry }) => checkEntry(name, entry))
  const total = found.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0)
  if (total > MAX_TOTAL_SIZE) throw new ExpectedError('unusable', 'The tweets in this zip are larger than 600 MB when unpacked.')
  if (found.length > 0) return found.sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.part - b.part)
  throw new ExpectedError('unusable', 'This zip holds no data/tweets.js, as the archive that X gives its users does, and no CSV, JSON or text file.')
}

function matched(path: string, { role, name: pattern }: (typeof SETS)[number][number], entry: Entry): Found[] {
  const [, name, part = '0'] = pattern.exec(path) ?? []
  return name ? [{ name, role, part: Number(part), entry }] : []
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
