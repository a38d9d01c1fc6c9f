// Reading a file before its format is known: bytes → text → lines, a chunk at a time, so that only a chunk and an
// unfinished record are in memory.

import { setImmediate } from 'node:timers/promises'
import { TextDecoder } from 'node:util'
import { ExpectedError } from '../../core/errors.js'

/** A record of a file. */
export interface Row {
  /** The line it starts on, from 1. */
  line: number
  /** Text, JSON or the cells of a CSV row; undefined for a record that is too long. */
  value: unknown
}

/** Throws an error for the visitor that names a line: `fail(17, 'is no JSON.')`. */
export type Fail = (line: number, message: string) => never

/** In characters. X's longest posts take 150,000 if each character is escaped. */
export const MAX_RECORD_LENGTH = 2 ** 18

const LINE_END = /\r\n|\n|\r(?!$)/

/** The errors (422) of a file; `name` is its name inside a zip (`In data/tweets.js, line 17 …`), null for a file alone. */
export function failIn(name: string | null): Fail {
  return (line, message) => {
    throw new ExpectedError('unusable', `${name === null ? 'Line' : `In ${name}, line`} ${line} ${message}`)
  }
}

/**
 * The text of a file in UTF-8, or in UTF-16 with a byte order mark, in chunks of about the size of the bytes' chunks.
 * Between chunks the event loop is free for other work.
 * @throws ExpectedError (422) for any other bytes
 */
export async function* decodeBytes(bytes: AsyncIterable<Buffer>, name: string | null): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    if (!decoder && held.length < 2) continue
    decoder ??= new TextDecoder(encodingOf(held), { fatal: true })
    yield decode(decoder, held, true, name)
    held = Buffer.alloc(0)
    await setImmediate()
  }
  yield decode(decoder ?? new TextDecoder('utf-8', { fatal: true }), held, false, name)
}

function encodingOf(bytes: Buffer): string {
  const mark = bytes.readUInt16BE(0)
  return mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8'
}

function decode(decoder: TextDecoder, bytes: Buffer, stream: boolean, name: string | null): string {
  const text = attempt(() => decoder.decode(bytes, { stream }))
  // UTF-16 without its mark, UTF-32 and most binary files may be valid UTF-8, but they have zero bytes.
  if (text !== undefined && !text.includes('\0')) return text
  throw new ExpectedError(
    'unusable',
    `${name ?? 'The file'} is not UTF-8 text. Save it again as UTF-8: in Excel as "CSV UTF-8", in Notepad with the ` +
      'encoding "UTF-8", in TextEdit as plain text.'
  )
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
