// Records as Python prints them, one on each line: {'text': "it's …", 'retweeted': False}. They become JSON piece by piece.

import { attempt, readLines, type Row } from '../bytes/lines.js'

const PIECE = /\s+|[{}[\]():,]|[bur]{0,2}(?:'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")|-?\d[\d.e+-]*|[A-Za-z_][\w.]*/gy
const WORDS: Record<string, string> = { True: 'true', False: 'false', None: 'null', nan: 'null', '(': '[', ')': ']' }
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' }
const NO_RECORD = "is no record in Python's notation: each line has to be {'text': …}, complete on that line."

/** The records of a text, in batches. */
export async function* readPython(chunks: AsyncIterable<string>): AsyncGenerator<Row[]> {
  for await (const lines of readLines(chunks)) {
    yield lines.map(({ line, value }) => {
      if (value === undefined) return { line, value }
      const parsed = attempt(() => JSON.parse(toJson(value as string)) as unknown)
      return parsed === undefined ? { line, value: null, odd: NO_RECORD } : { line, value: parsed }
    })
  }
}

function toJson(line: string): string {
  const record = line.trim().replace(/,$/, '')
  let json = ''
  let end = 0
  for (const { 0: piece, index } of record.matchAll(PIECE)) {
    end = index + piece.length
    const isString = /['"]$/.test(piece)
    const isCall = /^[A-Za-z_]/.test(piece) && record[end] === '(' // datetime.datetime(2020, 1, 2) becomes a list
    json += isString ? JSON.stringify(unescape(piece.slice(piece.search(/['"]/) + 1, -1))) : isCall ? '' : (WORDS[piece] ?? piece)
  }
  if (end < record.length) throw new SyntaxError()
  return json
}

function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([^]))/gi, (_, x?: string, u?: string, U?: string, letter = '') => {
    const code = x ?? u ?? U
    return code ? String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff)) : (ESCAPES[letter] ?? letter)
  })
}
