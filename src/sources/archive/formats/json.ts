// JSON that is too big to parse at once. Lists (`window.YTD.tweets.part0 = [ … ]`, or just `[ … ]`) are cut at the commas
// between their elements, for which it is enough to count brackets outside strings; JSON.parse reads each element.

import { attempt, MAX_RECORD_LENGTH, readLines, type Fail, type Row } from './lines.js'

const [NEWLINE, SPACE, QUOTE, COMMA, BACKSLASH] = [10, 32, 34, 44, 92]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, SEMICOLON] = [91, 93, 123, 125, 59]

interface Cursor {
  line: number
  /** The line on which the present element starts; null before it does. */
  start: number | null
  /** How many brackets are open. */
  depth: number
  /** Inside a string; after a backslash there. */
  quoted: boolean
  escaped: boolean
  /** After the end of the list. */
  closed: boolean
}

/** The elements of a JSON list, in batches. What stands before the list is skipped: detect-format.ts has checked it. */
export async function* readList(chunks: AsyncIterable<string>, fail: Fail): AsyncGenerator<Row[]> {
  const cursor: Cursor = { line: 1, start: null, depth: 0, quoted: false, escaped: false, closed: false }
  let rest = ''
  for await (const chunk of chunks) {
    const rows: Row[] = []
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const opens = cursor.depth === 0
      if (!advance(cursor, chunk.charCodeAt(i), fail)) continue
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

/** Reads one character; true if it begins or ends an element: a comma of the list, or the list's own brackets. */
function advance(cursor: Cursor, code: number, fail: Fail): boolean {
  if (code === NEWLINE) {
    if (cursor.quoted) fail(cursor.line, 'is no JSON: its last quotation mark is never closed.')
    cursor.line++
    return false
  }
  if (code <= SPACE) return false
  if (cursor.closed && code !== SEMICOLON) fail(cursor.line, 'goes on after the end of the list of tweets.')
  if (cursor.quoted) return advanceInString(cursor, code)
  if (cursor.depth === 1 && code !== COMMA && code !== CLOSE_LIST) cursor.start ??= cursor.line
  if (code === QUOTE) cursor.quoted = true
  else if (code === OPEN_LIST || code === OPEN_OBJECT) return cursor.depth++ === 0
  else if (code === CLOSE_LIST || code === CLOSE_OBJECT) return (cursor.closed = --cursor.depth <= 0)
  return code === COMMA && cursor.depth === 1
}

function advanceInString(cursor: Cursor, code: number): false {
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
  if (rest.length <= MAX_RECORD_LENGTH) return
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
