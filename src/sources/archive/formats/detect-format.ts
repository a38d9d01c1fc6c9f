// Which format a file has. Its content decides; its name only if the content could be read in two ways. To read another format,
// add it to FORMATS: the first one whose `recognises` says yes reads the file.

import { extname } from 'node:path'
import { attempt, readLines, type Fail, type Row } from '../bytes/lines.js'
import { csvShape, readCsv, type CsvShape } from './csv.js'
import { readFeed } from './feed.js'
import { readJson } from './json.js'
import { readPython } from './python.js'
import { ExpectedError } from '../../../core/errors.js'

/** The beginning of a file, and what the visitor has said of it. */
interface Start {
  /** The first characters, without spaces before them. */
  text: string
  extension: string
  /** The column of the texts, where it was asked for. */
  textName?: string
}

interface Format {
  /** As the report calls it. */
  name: string
  /** What `read` needs to know of the file; null or false where it has another format. */
  recognises(start: Start): unknown
  read(chunks: AsyncIterable<string>, known: unknown, fail: Fail): AsyncGenerator<Row[]>
}

const JSON_NAMES = ['.json', '.jsonl', '.ndjson']
const CSV_NAMES = ['.csv', '.tsv', '.tab']
const YTD = /^window\.YTD\.(\w+)\.\w+\s*=/
const OWN_POSTS = /^(tweets?|note_tweets?|community_tweets?|twitter_circle_tweets?)$/i
const SCRIPT = /^(?:window\.YTD\.\w+\.\w+|Grailbird\.data\.\w+|module\.exports|export default|(?:(?:var|let|const)\s+)?\w+)\s*=?\s*(?=[[{])/
const FEED = /^(?:<\?xml[^>]*>\s*)?(?:<!--[^]*?-->\s*|<\?[^>]*>\s*)*<(?:rss|feed|rdf:RDF)\b/i

const FORMATS: Format[] = [
  { name: 'plain text', recognises: ({ text }) => text === '', read: readLines },
  { name: 'an archive of X', recognises: isArchive, read: (chunks) => readJson(chunks, false) },
  { name: 'a feed', recognises: ({ text }) => FEED.test(text), read: readFeed },
  { name: "Python's notation", recognises: ({ text }) => /^\{\s*'[^'\n]*'\s*:/.test(text), read: readPython },
  { name: 'JSON', recognises: ({ text, extension }) => isList(text, extension), read: (chunks) => readJson(chunks, false) },
  { name: 'JSON Lines', recognises: (start) => isJsonLines(start), read: (chunks) => readJson(chunks, true) },
  { name: 'JSON', recognises: ({ text, extension }) => /^\{\s*("|\})/.test(text) || JSON_NAMES.includes(extension), read: (chunks) => readJson(chunks, false) },
  { name: 'CSV', recognises: shapeOf, read: (chunks, shape, fail) => readCsv(chunks, shape as CsvShape, fail) },
  { name: 'plain text', recognises: ({ extension }) => !CSV_NAMES.includes(extension), read: readLines }
]

const NO_TEXTS = 'names no column of texts (such as text, tweet, full_text or content), and none of the columns holds sentences.'

/** What a file is that holds no posts we read, and what to do. */
const OTHERS: [(start: Start) => boolean, string][] = [
  [({ text, extension }) => extension === '.js' && !SCRIPT.test(text) && text !== '', 'does not start as the tweets.js of an X archive does: window.YTD.tweets.part0 = ['],
  [({ text }) => /^(<!doctype|<html)/i.test(text), 'starts a web page. Save its text as plain text first.'],
  [({ text }) => /^\{\\rtf/.test(text), "starts a word processor's file. Save its text as plain text first."],
  [({ text }) => /^<\?xml/i.test(text) && !FEED.test(text), 'starts XML that is neither RSS nor Atom.'],
  [({ text }) => /^%PDF/.test(text), 'starts a PDF. Save its text as plain text first.'],
  [({ text }) => /^\[?\w+\(\w+=/.test(text), "is in Python's notation of objects. Write the records with json.dumps, and upload that file."]
]

/**
 * The records of a text, in batches, and the name of the format that was found by the first characters and the file's name.
 * @throws ExpectedError (422) for any other format; FileQuestion where one has to know more
 */
export function readRows(head: string, text: AsyncIterable<string>, fileName: string, fail: Fail, textName?: string): { format: string; rows: AsyncGenerator<Row[]> } {
  const start = { text: head.trimStart(), extension: extname(fileName.replace(/\.gz$/i, '')).toLowerCase(), textName }
  for (const [isOther, words] of OTHERS) if (isOther(start)) fail(1, words)
  for (const { name, recognises, read } of FORMATS) {
    const known = recognises(start)
    if (known) return { format: name, rows: read(text, known, fail) }
  }
  return fail(1, NO_TEXTS)
}

function isArchive({ text, extension }: Start): boolean {
  const [, part] = YTD.exec(text) ?? []
  if (part && !OWN_POSTS.test(part)) {
    throw new ExpectedError('unusable', `This is another part of an X archive (${part}). The tweets are in data/tweets.js.`)
  }
  return part !== undefined || (SCRIPT.test(text) && !/^[[{]/.test(text) && (extension === '.js' || /^(Grailbird|module\.exports)/.test(text)))
}

function isList(text: string, extension: string): boolean {
  return /^\[\s*[{\]]/.test(text) || (text.startsWith('[') && JSON_NAMES.includes(extension))
}

/** Whether the first line is a value by itself. Of lines that are JSON strings all have to be: a single one may also be a tweet in quotation marks. */
function isJsonLines({ text, extension }: Start): boolean {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1 || undefined).split('\n').filter((line) => line.trim())
  const parsed = lines.map((line) => attempt(() => JSON.parse(line) as unknown))
  if (/^\{\s*"/.test(text)) return (parsed[0] !== undefined && text.includes('\n')) || (['.jsonl', '.ndjson'].includes(extension) && !/^\{\s*\n/.test(text))
  if (['.jsonl', '.ndjson'].includes(extension)) return true
  return text.startsWith('"') && parsed.every((value) => typeof value === 'string')
}

/** A text file is CSV only where its first line has a column that we know. */
function shapeOf({ text, extension, textName }: Start): CsvShape | null {
  const isCsv = CSV_NAMES.includes(extension)
  const shape = csvShape(text, isCsv, textName)
  return shape && (shape.names.length > 1 || extension !== '.txt') ? shape : null
}
