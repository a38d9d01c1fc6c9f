// Tweets without the X API: from the archive that X gives its users, or from another file.
//
// A file is read once as it comes. Some things only the whole file tells: its encoding, whether 3/10 is in March, and who answers
// themselves. Where it has told that something was read wrongly, it is read once more.

import { decodeBytes, findEncoding, OtherEncoding } from './bytes/decode.js'
import { failIn, HEAD, peek, type Row } from './bytes/lines.js'
import { openFiles } from './bytes/open-files.js'
import type { TweetFile } from './bytes/zip.js'
import type { ImportedTweet } from './fields/post.js'
import { findTextField } from './fields/text-column.js'
import { readRows } from './formats/detect-format.js'
import { createReading, type ArchiveOptions, type ImportedPerson, type Known, type Reading } from './reading.js'
import { ExpectedError } from '../../core/errors.js'

export type { ArchiveOptions, ImportedPerson, ImportedTweet }

const MAX_READINGS = 8
const MAX_ACCOUNT = 2 ** 16 // characters

/** Asks for another reading, because a file is in another encoding. */
class EncodingFound extends Error {}

/**
 * The own posts of one or more authors in an uploaded file, of each at most the newest 3,200 with 1,000,000 characters: newest
 * first if their dates or ids are known, otherwise, and in an export of our own, in the file's order. Of duplicates the first in
 * the file stays. `path` is where the file lies, `fileName` its name on the visitor's side.
 * @throws ExpectedError (422) that names the line of a mistake, or says what is wrong with the whole file: no text, no tweets, a
 * damaged, locked or oversized zip, more than 2,000,000 records; FileQuestion where there are several authors or columns of text
 */
export async function readArchive(path: string, fileName: string, options: ArchiveOptions): Promise<ImportedPerson[]> {
  const known: Known = { encodings: new Map(), dayOrder: 'day', self: new Map(), isOneAuthor: false }
  for (let readings = 0; readings < MAX_READINGS; readings++) {
    try {
      const reading = await readOnce(path, fileName, options, known)
      if (!reading.learn()) return reading.people()
    } catch (error) {
      if (!(error instanceof EncodingFound)) throw error
    }
  }
  throw new ExpectedError('unusable', 'The files in this zip are written in several encodings. Save them as UTF-8 first.')
}

async function readOnce(path: string, fileName: string, options: ArchiveOptions, known: Known): Promise<Reading> {
  const reading = createReading(options, known)
  for await (const file of openFiles(path, fileName)) {
    if (file.role === 'account') reading.addAccount(await textOf(file))
    else await readFile(file, fileName, options, known, reading).catch((error) => lookForEncoding(error, file, path, fileName, known))
  }
  return reading
}

async function readFile({ name, role, bytes }: TweetFile, fileName: string, options: ArchiveOptions, known: Known, reading: Reading): Promise<void> {
  const text = decodeBytes(bytes, known.encodings.get(name), reading.addEncoding)
  try {
    const { head, whole } = await peek(text, HEAD)
    const fail = failIn(name)
    const { format, rows } = readRows(head, whole, name ?? fileName, fail, options.text)
    reading.begin({ name, role, format, fail })
    let isFirst = true
    for await (const batch of rows) {
      if (isFirst && batch.length > 0) {
        reading.readTextsFrom(unknownTextField(batch, reading, options.text))
        isFirst = false
      }
      for (const row of batch) reading.add(row)
    }
  } finally {
    await text.return(undefined)
  }
}

/** The field of the texts, where none of the records has one by a name that we know. */
function unknownTextField(batch: Row[], reading: Reading, chosen?: string): string | undefined {
  const values = batch.map(({ value }) => value)
  return values.some((value) => reading.isPost(value)) ? undefined : findTextField(values, chosen)
}

async function lookForEncoding(error: unknown, { name }: TweetFile, path: string, fileName: string, known: Known): Promise<never> {
  if (!(error instanceof OtherEncoding)) throw error
  for await (const file of openFiles(path, fileName)) {
    if (file.name === name) known.encodings.set(name, await findEncoding(file.bytes, name))
  }
  throw new EncodingFound()
}

async function textOf({ bytes }: TweetFile): Promise<string> {
  let text = ''
  for await (const chunk of bytes) {
    if ((text += chunk.toString('utf8')).length > MAX_ACCOUNT) return ''
  }
  return text
}
