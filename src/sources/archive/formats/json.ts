// JSON that is too big to parse at once, in every shape in which posts come: a list, JSON Lines, values one after another, a list
// inside an object ({"data": […]}), and lists behind an assignment (window.YTD.tweets.part0 = […]). It is cut into the records,
// for which it is enough to count brackets outside strings; JSON.parse reads each of them.

import { attempt, MAX_RECORD_LENGTH, type Row } from '../bytes/lines.js'

const [NEWLINE, SPACE, QUOTE, COMMA, COLON, BACKSLASH] = [10, 32, 34, 44, 58, 92]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125]

/** Under these names an object holds its list of posts. One that a stranger's file has can be added here. */
export const LISTS = new Set(['data', 'tweets', 'statuses', 'posts', 'items', 'orderedItems', 'results', 'records', 'feed', 'toots', 'messages', 'list'])
/** Objects that may stand around such a list. */
const AROUND = new Set(['data', 'result', 'results', 'response', 'outbox'])

const ASSIGNMENT = /^(?:export default|(?:(?:var|let|const) )?[\w$.]+ *=)?$/
const MAX_PAGE_LENGTH = 2 ** 22 // characters of an object that may hold a list, before the list begins
const NO_JSON = 'is no JSON: the tweet that starts there has a mark too many or too few.'
const NO_LINE = 'is no JSON: each line has to be {"text": "…"} or "…", complete on that line.'
const OPEN_STRING = 'is no JSON: its last quotation mark is never closed.'
const AFTER_END = 'goes on after the end of the list of tweets.'
const TOO_LONG = 'starts a tweet that is longer than 250,000 characters: a bracket is probably missing.'
const CUT = 'is the last one, in the middle of the list: the end of the file is missing.'

/**
 * The values of a text, in batches: of lists and of objects around a list the elements. What cannot be read is odd.
 * @param isLines whether each line is a value by itself, so that reading goes on with the next line after one that is odd
 */
export async function* readJson(chunks: AsyncIterable<string>, isLines: boolean): AsyncGenerator<Row[]> {
  const cutter = createCutter(isLines)
  for await (const chunk of chunks) yield cutter.read(chunk)
  yield cutter.end()
}

function createCutter(isLines: boolean) {
  let rows: Row[] = []
  let line = 1
  let stack: number[] = [] // the open brackets
  let keys: (string | null)[] = [] // the key under which each of them stands
  let base = 0 // how many of them are around the records
  let start: number | null = null // the line on which the present record begins
  let parts: string[] = [] // of the record, or of what stands between records, from earlier chunks
  let length = 0
  let [quoted, escaped, isSkipping, isOverlong] = [false, false, false, false]
  let lastString = ''
  let stringHead = '' // of the present string, from earlier chunks
  let stringStart = 0
  let mayDescend = false // a list has just been opened that may be the list of posts

  function reset(): void {
    ;[stack, keys, base, start, parts, length] = [[], [], 0, null, [], 0]
    ;[quoted, escaped, isSkipping, isOverlong, mayDescend] = [false, false, false, false, false]
  }

  function odd(at: number, why: string, isCut = false): void {
    rows.push({ line: at, value: null, odd: why, ...(isCut && { isCut }) })
  }

  /** Ends the record, of which `last` is the end. */
  function endRecord(last: string): void {
    if (isSkipping) {
      isSkipping = stack.length > 0
    } else if (isOverlong) {
      if (isLines) rows.push({ line: start!, value: undefined })
    } else {
      const value = attempt(() => JSON.parse(parts.join('') + last) as unknown)
      if (value === undefined) odd(start!, isLines ? NO_LINE : NO_JSON)
      else rows.push({ line: start!, value })
    }
    ;[start, parts, length, isOverlong] = [null, [], 0, false]
  }

  /** Makes the elements of the innermost list the records. */
  function descend(): void {
    base = stack.length
    ;[start, parts, length, mayDescend] = [null, [], 0, false]
  }

  function isPostList(): boolean {
    if (base !== 0 || isSkipping || stack.length > 4) return false
    const [around, name] = [keys.slice(1, -1), keys.at(-1)]
    return typeof name === 'string' && LISTS.has(name) && around.every((key) => key !== null && AROUND.has(key))
  }

  /** What stands before a value at the top: nothing, or an assignment. */
  function checkBetween(text: string): void {
    const between = (parts.join('') + text).replace(/[\s;,\ufeff]+/g, ' ').trim()
    if (between !== '' && (isLines || !ASSIGNMENT.test(between))) odd(line, isLines ? NO_LINE : AFTER_END)
    ;[parts, length] = [[], 0]
  }

  function openAt(code: number, chunk: string, from: number, i: number): number {
    let begin = from
    if (start === null && !isSkipping) {
      if (base === 0) checkBetween(chunk.slice(from, i))
      else [parts, length] = [[], 0]
      start = line
      begin = i
    }
    stack.push(code)
    keys.push(stack.length === 1 ? null : stack.at(-2) === OPEN_OBJECT ? lastString : null)
    if (code !== OPEN_LIST) return begin
    if (stack.length === 1 && base === 0) descend()
    else mayDescend = isPostList()
    return stack.length === 1 ? i + 1 : begin
  }

  /** Closes a bracket. @returns where what follows begins */
  function closeAt(code: number, chunk: string, from: number, i: number): number {
    const open = stack.pop()
    keys.pop()
    mayDescend = false
    if (open === undefined || (open === OPEN_LIST) !== (code === CLOSE_LIST)) {
      odd(start ?? line, isLines ? NO_LINE : open === undefined ? AFTER_END : NO_JSON)
      reset()
      return i + 1
    }
    if (stack.length < base) {
      endElement(chunk.slice(from, i))
      base = 0
      isSkipping = stack.length > 0
      return i + 1
    }
    if (stack.length > base) return from
    if (start === null && !isSkipping) return i + 1
    endRecord(chunk.slice(from, i + 1))
    return i + 1
  }

  /** Ends an element of a list that is no object and no list, at the comma or bracket after it. */
  function endElement(last: string): void {
    if (start !== null) endRecord(last)
    ;[parts, length] = [[], 0]
  }

  /** A line's end inside of a string, and in JSON Lines inside of a record. @returns where what follows begins */
  function endLine(chunk: string, from: number, i: number): number {
    const isOpen = start !== null || isSkipping
    if (quoted) odd(line, isLines ? NO_LINE : OPEN_STRING)
    else if (isLines && isOpen && stack.length === 0) endElement(chunk.slice(from, i))
    else if (isLines && (isOpen || base > 0)) odd(start ?? line, NO_LINE)
    else if (isLines) checkBetween(chunk.slice(from, i))
    const isOver = quoted || isLines
    line++
    if (!isOver) return from
    const wasInList = !isLines && base > 0
    const around = { stack: stack.slice(0, base), keys: keys.slice(0, base), base }
    reset()
    if (wasInList) ({ stack, keys, base } = around)
    return i + 1
  }

  function readString(code: number, chunk: string, i: number): void {
    if (escaped) escaped = false
    else if (code === BACKSLASH) escaped = true
    else if (code === QUOTE) {
      quoted = false
      lastString = stringHead + chunk.slice(stringStart, i)
    }
  }

  function step(code: number, chunk: string, from: number, i: number): number {
    if (code === QUOTE) {
      quoted = true
      stringHead = ''
      stringStart = i + 1
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (mayDescend && code === OPEN_OBJECT) {
        descend()
        return openAt(code, chunk, i, i)
      }
      return openAt(code, chunk, from, i)
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) return closeAt(code, chunk, from, i)
    else if (code === COMMA && stack.length === base && base > 0) {
      endElement(chunk.slice(from, i))
      return i + 1
    }
    mayDescend = false
    if (start === null && !isSkipping && (base > 0 || code === QUOTE || isLines) && code !== COMMA) {
      if (base === 0) checkBetween(chunk.slice(from, i))
      start = line
      ;[parts, length] = [[], 0]
      return i
    }
    return from
  }

  return {
    read(chunk: string): Row[] {
      rows = []
      let from = 0
      for (let i = 0; i < chunk.length; i++) {
        const code = chunk.charCodeAt(i)
        if (code === NEWLINE) from = endLine(chunk, from, i)
        else if (quoted) {
          readString(code, chunk, i)
          if (!quoted && start !== null && stack.length === 0) {
            endRecord(chunk.slice(from, i + 1)) // a text at the top
            from = i + 1
          }
        } else if (code > SPACE && code !== COLON && code !== 0xfeff) from = step(code, chunk, from, i)
      }
      hold(chunk.slice(from), chunk)
      return rows
    },
    end(): Row[] {
      rows = []
      if (isOverlong) rows.push(...(isLines ? [{ line: start!, value: undefined }] : [])) // said already, where it is no line
      else if (start !== null && stack.length === 0 && isLines && !quoted) endElement('')
      else if (quoted || stack.length > 0) odd(start ?? line, start !== null && isLines ? NO_LINE : CUT, true)
      else checkBetween('')
      return rows
    }
  }

  /** Keeps the beginning of what goes on in the next chunk. */
  function hold(text: string, chunk: string): void {
    if (quoted && base === 0 && stringHead.length < 100) stringHead += chunk.slice(stringStart, stringStart + 100)
    stringStart = 0
    if (isSkipping || isOverlong) return
    parts.push(text)
    length += text.length
    if (length <= (base === 0 && stack.length > 0 ? MAX_PAGE_LENGTH : MAX_RECORD_LENGTH)) return
    if (start !== null && !isLines) odd(start, TOO_LONG)
    isOverlong = start !== null
    ;[parts, length] = [[], 0]
  }
}
