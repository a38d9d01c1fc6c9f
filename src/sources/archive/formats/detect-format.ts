// Which format a file has. Its content decides; its name only if the content could be read in two ways.

import { extname } from 'node:path'
import { csvShape, readCsv } from './csv.js'
import { readJsonLines, readList } from './json.js'
import { attempt, readLines, type Fail, type Row } from './lines.js'
import { ExpectedError } from '../../core/errors.js'

const YTD = /^window\.YTD\.(\w+)\.\w+\s*=/
const DOCUMENT = /^(<!doctype|<html|<\?xml|\{\\rtf)/i
const JSON_NAMES = ['.json', '.jsonl', '.ndjson']

/**
 * The records of a text, in batches. The format is found by the first characters and the file's name: a list of X's
 * archive or of plain JSON, JSON Lines, CSV, or one tweet on each line.
 * @throws ExpectedError (422) for any other format, and while reading for a broken line
 */
export function readRows(
  head: string,
  text: AsyncIterable<string>,
  fileName: string,
  fail: Fail
): AsyncGenerator<Row[]> {
  const start = head.trimStart()
  const extension = extname(fileName).toLowerCase()
  if (start === '') return readLines(text)
  if (isList(start, extension)) return readList(text, fail)
  if (extension === '.js') fail(1, 'does not start as the tweets.js of an X archive does: window.YTD.tweets.part0 = [')
  if (DOCUMENT.test(start)) fail(1, "starts a web page or a word processor's file. Save its text as plain text first.")
  if (JSON_NAMES.includes(extension) || /^\{\s*"/.test(start)) return readJsonLines(text, fail)
  const shape = csvShape(start)
  if (shape && (shape.columns > 1 || extension !== '.txt')) return readCsv(text, shape, fail)
  if (['.csv', '.tsv'].includes(extension)) fail(1, 'names no column text, tweet, full_text or content.')
  return isAllStrings(start) ? readJsonLines(text, fail) : readLines(text)
}

function isList(start: string, extension: string): boolean {
  const [, part] = YTD.exec(start) ?? []
  if (part && !/^tweets?$/i.test(part)) {
    throw new ExpectedError('unusable', `This is another part of an X archive (${part}). The tweets are in data/tweets.js.`)
  }
  return part !== undefined || /^\[\s*[{\]]/.test(start) || (start.startsWith('[') && JSON_NAMES.includes(extension))
}

/** Whether all lines in the beginning are JSON strings; a single one may also be a plain tweet in quotation marks. */
function isAllStrings(start: string): boolean {
  const complete = start.slice(0, start.lastIndexOf('\n') + 1 || undefined)
  const lines = complete.split('\n').filter((line) => line.trim())
  return start.startsWith('"') && lines.every((line) => typeof attempt(() => JSON.parse(line) as unknown) === 'string')
}
