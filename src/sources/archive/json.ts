// JSON, too big to parse in one piece: lists (`window.YTD.tweets.part0 = [ … ]`, or a bare `[ … ]`) are cut at the
// commas between their elements, which takes no more than counting brackets outside of strings. JSON.parse judges each
// piece.

import { attempt, LONGEST_RECORD, readLines, type Fail, type Row } from './lines.js'

const [NEWLINE, SPACE, QUOTE, COMMA, BACKSLASH] = [10, 32, 34, 44, 92]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, SEMICOLON] = [91, 93, 123, 125, 59]

interface Cursor {
  line: number
  start: number | null
  depth: number
  quoted: boolean
  escaped: boolean
  closed: boolean
}

/** The elements of a list of JSON, in batches. What stands before the list is skipped: it has been looked at. */
export async function* readList(chunks: AsyncIterable<string>, fail: Fail): AsyncGenerator<Row[]> {
  const cursor: Cursor = { line: 1, start: null, depth: 0, quoted: false, escaped: false, closed: false }
  let rest = ''
  for await (const chunk of chunks) {
    const rows: Row[] = []
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const opens = cursor.depth === 0
      if (!cuts(cursor, chunk.charCodeAt(i), fail)) continue
      const text = rest + chunk.slice(from, i)
      if (!opens && cursor.start !== null) rows.push(parseElement(text, cursor.start, fail))
      rest = ''
      from = i + 1
      cursor.start = null
    }
    rest += chunk.slice(from)
    checkLength(rest, cursor, fail)
    yield rows
  }
  if (!cursor.closed) fail(cursor.line, 'is the last one, in the middle of the list: the end of the file is missing.')
}

/** Moves on by one character; whether it is one that elements are cut at. */
function cuts(cursor: Cursor, code: number, fail: Fail): boolean {
  if (code === NEWLINE) {
    if (cursor.quoted) fail(cursor.line, 'is no JSON: its last quotation mark is never closed.')
    cursor.line++
    return false
  }
  if (code <= SPACE) return false
  if (cursor.closed && code !== SEMICOLON) fail(cursor.line, 'goes on after the end of the list of tweets.')
  if (cursor.quoted) return inString(cursor, code)
  if (cursor.depth === 1 && code !== COMMA && code !== CLOSE_LIST) cursor.start ??= cursor.line
  if (code === QUOTE) cursor.quoted = true
  else if (code === OPEN_LIST || code === OPEN_OBJECT) return cursor.depth++ === 0
  else if (code === CLOSE_LIST || code === CLOSE_OBJECT) return (cursor.closed = --cursor.depth <= 0)
  return code === COMMA && cursor.depth === 1
}

function inString(cursor: Cursor, code: number): false {
  if (cursor.escaped) cursor.escaped = false
  else if (code === BACKSLASH) cursor.escaped = true
  else if (code === QUOTE) cursor.quoted = false
  return false
}

function parseElement(text: string, line: number, fail: Fail): Row {
  const value = attempt(() => JSON.parse(text) as unknown)
  if (value === undefined) fail(line, 'is no JSON: the tweet that starts there has a mark too many or too few.')
  return { line, value }
}

function checkLength(rest: string, { start, line }: Cursor, fail: Fail): void {
  if (rest.length <= LONGEST_RECORD) return
  fail(start ?? line, 'starts a tweet that is longer than 250,000 characters: a bracket is probably missing.')
}

/** The values of JSON Lines, in batches. */
export async function* readJsonLines(chunks: AsyncIterable<string>, fail: Fail): AsyncGenerator<Row[]> {
  for await (const lines of readLines(chunks)) yield lines.map((row) => parseLine(row, fail))
}

function parseLine({ line, value }: Row, fail: Fail): Row {
  if (value === undefined) return { line, value }
  const parsed = attempt(() => JSON.parse(value as string) as unknown)
  if (parsed === undefined) fail(line, 'is no JSON: each line has to be {"text": "…"} or "…", complete on that line.')
  return { line, value: parsed }
}
