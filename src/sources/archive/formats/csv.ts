// CSV as spreadsheets and scripts write it: commas, semicolons, tabs or bars, quoted or not, mostly with the columns' names in the
// first row.

import Papa from 'papaparse'
import { HEAD, MAX_RECORD_LENGTH, type Fail, type Row } from '../bytes/lines.js'
import { readDate } from '../fields/dates.js'
import { isTextName, knownName, plainName, REPOSTED } from '../fields/field-names.js'
import { EXPORTED_BY } from '../fields/post.js'
import { findTextColumn, type Samples } from '../fields/text-column.js'

/** How a CSV file is written. */
export interface CsvShape {
  delimiter: string
  /** The mark before a quotation mark inside a quoted cell: another one, or a backslash. */
  escape: '"' | '\\'
  /** The columns' names, or their numbers where the first row has no names. */
  names: string[]
  hasHeader: boolean
  /** Whether the first line is Excel's `sep=;`. */
  hasSeparatorLine: boolean
  /** The column of the texts. */
  text: string
}

// No text holds a zero byte (decode.ts), so this delimiter cuts nothing: a single column may hold commas without quotes.
const NO_DELIMITER = '\0'
const DELIMITERS = [',', ';', '\t', '|', NO_DELIMITER]
const SEPARATOR_LINE = /^sep=(.)\r?\n/i
const SAMPLE_ROWS = 200
const MAX_RESUMED = 200 // rows behind whose first line reading goes on: each may have taken in 250,000 characters
const INNER_QUOTE = 'has a quotation mark inside a quoted cell: write it twice ("") there, and once at the ends.'
const ENDLESS_ROW = 'starts a row that never ends: probably a quotation mark is opened and not closed.'

// Spreadsheets run a cell that begins so as a formula; an apostrophe before it prevents that.
const FORMULA = /^'*[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]/

/** The text with one more apostrophe where a spreadsheet would run it, or might look as if this was done to it. */
export const escapeFormula = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** What {@link escapeFormula} was given. */
const unescapeFormula = (text: string): string => (text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text)

/**
 * The shape of the CSV that begins with `head`; null where it has no column of texts.
 * @param isCsv whether the file says that it is one: otherwise only a header with known names is taken for one
 * @param chosen the column of the texts, where the visitor has chosen it
 * @throws FileQuestion where several columns might be the texts
 */
export function csvShape(head: string, isCsv: boolean, chosen?: string): CsvShape | null {
  const [separatorLine, separator] = SEPARATOR_LINE.exec(head) ?? []
  const body = head.slice(separatorLine?.length ?? 0)
  const escape = hasBackslashes(body) ? '\\' : '"'
  const read = (separator ? [separator] : DELIMITERS).map((delimiter) => ({ delimiter, rows: headRows(body, { delimiter, escape }) }))
  const hasTextName = ({ rows: [names = []] }: (typeof read)[number]): boolean => names.some((name) => isTextName(name))
  const known = read.find((shape) => hasTextName(shape) && (shape.rows[0].length > 1 || shape.delimiter === NO_DELIMITER || separator))
  const best = known ?? (isCsv || separator ? read.toSorted((a, b) => regularity(b.rows) - regularity(a.rows))[0] : undefined)
  if (!best || best.rows.length === 0) return null
  const hasHeader = known !== undefined || isHeader(best.rows)
  const names = hasHeader ? best.rows[0].map((name) => name.trim()) : best.rows[0].map((_, i) => `column ${i + 1}`)
  const isOurs = names.some((name) => plainName(name) === 'exportedby') && names.includes('text') // whose texts may be numbers
  const text = isOurs ? 'text' : findTextColumn(samplesOf(names, best.rows.slice(hasHeader ? 1 : 0)), chosen)
  return text === null ? null : { delimiter: best.delimiter, escape, names, hasHeader, hasSeparatorLine: separator !== undefined, text }
}

/** The rows that are complete in a file's beginning; the only one, where there is no line end. */
function headRows(head: string, shape: Pick<CsvShape, 'delimiter' | 'escape'>): string[][] {
  const text = head.replace(/\r\n?/g, '\n')
  return [...parse(text, shape, text.length < HEAD)].filter(({ raw }) => raw.trim() !== '').map(({ cells }) => cells)
}

/** Whether quotation marks inside of cells have a backslash before them, rather than being doubled. */
function hasBackslashes(head: string): boolean {
  const escaped = head.match(/[^\\,;\t|\n]\\"(?![,;\t|]?\r?\n)/g)?.length ?? 0
  const doubled = head.match(/[^,;\t|\n"]""[^,;\t|\n"]/g)?.length ?? 0
  return escaped > doubled
}

/** How many columns most of the first rows have; 1 where they do not agree. */
function regularity(rows: string[][]): number {
  const first = rows.at(0)?.length ?? 0
  const same = rows.filter(({ length }) => length === first).length
  return same * 2 > rows.length ? first : 1
}

/** Whether a row has names: none of its cells is a number, a date or a sentence, each is there once, and one is known or unlike the rest. */
function isHeader([first, ...rest]: string[][]): boolean {
  const names = first.map((name) => name.trim())
  if (new Set(names).size < names.length || names.some((name) => name === '' || /^[-\d.,:]+$/.test(name) || name.split(/\s+/).length > 4 || readDate(name, 'day'))) return false
  if (names.some((name) => knownName(plainName(name)))) return true
  const longest = (cells: string[]): number => Math.max(...cells.map(({ length }) => length))
  return rest.length > 0 && longest(names) <= 30 && rest.filter((cells) => longest(cells) > longest(names)).length * 2 > rest.length
}

function samplesOf(names: string[], rows: string[][]): Samples {
  return new Map(names.map((name, i) => [name, rows.slice(0, SAMPLE_ROWS).map((cells) => cells[i] ?? '')]))
}

interface RawRow {
  cells: string[]
  /** As it stands in the file, with its line end. */
  raw: string
  /** What is wrong with its quotation marks. */
  problem?: string
}

/**
 * The complete rows of a text. A quoted cell ends at a mark that the delimiter follows, so that marks inside need not be doubled.
 * @param isEnd whether the last row is complete too
 */
function* parse(text: string, { delimiter, escape }: Pick<CsvShape, 'delimiter' | 'escape'>, isEnd: boolean): Generator<RawRow> {
  const rows: { cells: string[]; end: number; problem?: string }[] = []
  const step = ({ data: [cells], errors, meta }: Papa.ParseResult<string[]>): void => {
    const problem = errors.length === 0 ? undefined : errors.some(({ code }) => code === 'InvalidQuotes') ? INNER_QUOTE : ENDLESS_ROW
    rows.push({ cells, end: meta.cursor, problem })
  }
  new Papa.Parser({ delimiter, newline: '\n', quoteChar: '"', escapeChar: escape, step } as Papa.ParseConfig).parse(text, 0, !isEnd)
  let start = 0
  for (const { cells, end, problem } of rows) {
    const raw = text.slice(start, end)
    start = end
    if (raw !== '') yield { cells, raw, problem }
  }
}

/**
 * The rows of a CSV file as objects from plain names to cells, in batches; `text` is the text. A row that cannot be read is odd, and
 * reading goes on with the line after its first one.
 */
export async function* readCsv(chunks: AsyncIterable<string>, shape: CsvShape, fail: Fail): AsyncGenerator<Row[]> {
  const reader = createRowReader(shape, fail)
  let held = ''
  for await (const chunk of chunks) {
    const text = held + chunk
    held = text.endsWith('\r') ? '\r' : ''
    yield reader.read(text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n'), false)
  }
  yield reader.read('', true)
}

function createRowReader(shape: CsvShape, fail: Fail) {
  const fields = fieldsOf(shape)
  let rest = ''
  let line = 1
  let isHeader = shape.hasHeader
  let isSeparator = shape.hasSeparatorLine
  let resumed = 0

  /** Reads what is complete. @returns whether it stopped at a row that is odd, behind whose first line it goes on */
  function readSome(rows: Row[], isEnd: boolean): boolean {
    let taken = 0
    for (const row of parse(rest, shape, isEnd)) {
      const isNoRow = isSeparator || isHeader || row.raw.trim() === ''
      if (isSeparator) isSeparator = false
      else if (isHeader && row.raw.trim() !== '') isHeader = false
      const odd = isNoRow ? undefined : problemOf(row, shape)
      const physical = odd && row.raw.indexOf('\n') >= 0 ? row.raw.slice(0, row.raw.indexOf('\n') + 1) : row.raw
      if (!isNoRow) rows.push(rowOf(row, physical, odd))
      taken += physical.length
      line += countLines(physical)
      if (physical.length === row.raw.length) continue
      rest = rest.slice(taken)
      return true
    }
    rest = rest.slice(taken)
    if (rest.length <= MAX_RECORD_LENGTH) return false
    const end = rest.indexOf('\n') + 1 || rest.length
    rows.push({ line, value: null, odd: ENDLESS_ROW })
    line += countLines(rest.slice(0, end))
    rest = rest.slice(end)
    return true
  }

  function rowOf({ cells }: RawRow, physical: string, odd: string | undefined): Row {
    if (odd && shape.delimiter === NO_DELIMITER) return { line, value: { text: physical.trim() } } // a lone column needs no marks
    return odd ? { line, value: null, odd } : { line, value: toObject(fields, cells) }
  }

  return {
    read(text: string, isEnd: boolean): Row[] {
      const rows: Row[] = []
      rest += text
      while (readSome(rows, isEnd)) if (++resumed > MAX_RESUMED) fail(line, ENDLESS_ROW)
      return rows
    }
  }
}

const countLines = (text: string): number => text.split('\n').length - 1

/** Why a row cannot be read, if it cannot. Cells beyond the named ones do no harm where the text has quotation marks around it. */
function problemOf({ cells, raw, problem }: RawRow, { names, text }: CsvShape): string | undefined {
  const isWhole = cells.length === names.length && !raw.trimEnd().includes('\n')
  if (problem && !isWhole) return problem
  if (cells.length <= names.length || cells.slice(names.length).every((cell) => cell === '')) return undefined
  const typed = cells[names.indexOf(text)]
  if (raw.includes(`"${typed.replaceAll('"', '""')}"`)) return undefined
  return `has ${cells.length} cells where ${names.length} are named: a text with the separator in it needs quotation marks.`
}

/** The plain name of each column, `text` for the text's own; null for those that are not read, and for each repetition. */
function fieldsOf({ names, text }: CsvShape): (string | null)[] {
  const seen = new Set(['text'])
  const textAt = names.indexOf(text)
  return names.map((name, i) => {
    if (i === textAt) return 'text'
    const plain = plainName(name)
    const field = knownName(plain)?.field
    const isRead = (field !== undefined && field !== 'text' && field !== 'html') || plain.startsWith(REPOSTED)
    return isRead && !seen.has(plain) && seen.add(plain) ? plain : null
  })
}

function toObject(fields: (string | null)[], cells: string[]): Record<string, string> {
  const object: Record<string, string> = { text: '' }
  for (let i = 0; i < cells.length; i++) {
    const name = fields[i]
    if (name) object[name] = cells[i]
  }
  if (object.exportedby === EXPORTED_BY) object.text = unescapeFormula(object.text)
  return object
}
