// Reading a text before its format is known: text → lines, a chunk at a time, so that only a chunk and an unfinished record are
// in memory.

import { ExpectedError } from '../../../core/errors.js'

/** A record of a file. */
export interface Row {
  /** The line it starts on, from 1. */
  line: number
  /** Text, JSON or the cells of a CSV row by plain names; undefined for a record that is too long. */
  value: unknown
  /** Why it cannot be read: "Line 17 is no JSON." without its first two words. */
  odd?: string
  /** Whether it is odd because the file ends in it, as a stopped program leaves it. */
  isCut?: boolean
}

/** Throws an error for the visitor that names a line: `fail(17, 'is no JSON.')`. */
export type Fail = (line: number, message: string) => never

/** In characters. X's longest posts take 150,000 if each character is escaped. */
export const MAX_RECORD_LENGTH = 2 ** 18

/** Characters of a file's beginning, by which its format is recognised. */
export const HEAD = 2 ** 14

const LINE_END = /\r\n|\n|\r(?!$)/

/** The errors (422) of a file; `name` is its name inside a zip (`In data/tweets.js, line 17 …`), null for a file alone. */
export function failIn(name: string | null): Fail {
  return (line, message) => {
    throw new ExpectedError('unusable', `${name === null ? 'Line' : `In ${name}, line`} ${line} ${message}`)
  }
}

/** What `compute` returns; undefined where it throws. */
export function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute()
  } catch {
    return undefined
  }
}

/** The first characters of a text (at least `size`, if there are so many), and the whole text from its beginning. */
export async function peek(
  chunks: AsyncGenerator<string>,
  size: number
): Promise<{ head: string; whole: AsyncGenerator<string> }> {
  let head = ''
  while (head.length < size) {
    const { value, done } = await chunks.next()
    if (done) break
    head += value
  }
  async function* whole() {
    yield head
    yield* chunks
  }
  return { head, whole: whole() }
}

/** The lines of a text that are not blank, in batches; undefined for those longer than {@link MAX_RECORD_LENGTH}. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<Row[]> {
  let line = 1
  let rest = ''
  let tooLong = false
  for await (const chunk of chunks) {
    const rows: Row[] = []
    const pieces = (rest + chunk).split(LINE_END)
    rest = pieces.pop() ?? ''
    for (const piece of pieces) {
      if (tooLong || piece.trim()) rows.push({ line, value: tooLong ? undefined : piece })
      tooLong = false
      line++
    }
    if (rest.length > MAX_RECORD_LENGTH) {
      tooLong = true
      rest = rest.endsWith('\r') ? '\r' : ''
    }
    yield rows
  }
  if (tooLong || rest.trim()) yield [{ line, value: tooLong ? undefined : rest }]
}
