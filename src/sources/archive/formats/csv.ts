// CSV as spreadsheets and scripts write it: commas, semicolons or tabs, quoted or not, with the columns' names in the first row.

import { CsvError, parse, type Options } from 'csv-parse'
import { parse as parseNow } from 'csv-parse/sync'
import { EXPORTED_BY, fieldName, hasText } from './post.js'
import { attempt, MAX_RECORD_LENGTH, type Fail, type Row } from './lines.js'

/** How a CSV file is written. */
export interface CsvShape {
  delimiter: string
  columns: number
}

interface RawRow {
  record: string[]
  raw: string
}

// No text holds a zero byte (decodeBytes in lines.ts), so this delimiter cuts nothing: a single column may hold commas without quotes.
const NO_DELIMITER = '\0'
const ENDLESS_ROW = 'starts a row that never ends: probably a quotation mark is opened and not closed.'
const OPTIONS: Options = {
  relax_quotes: true,
  relax_column_count: true,
  skip_empty_lines: true,
  record_delimiter: '\n'
}

// Spreadsheets run a cell that begins so as a formula; an apostrophe before it prevents that.
const FORMULA = /^'*[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]/

/** The text with one more apostrophe where a spreadsheet would run it, or might look as if this was done to it. */
export const escapeFormula = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** What {@link escapeFormula} was given. */
const unescapeFormula = (text: string): string => (text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text)

/** The shape of the CSV file that starts with `head`; null if no column of its first line holds texts. */
export function csvShape(head: string): CsvShape | null {
  const [line] = head.trimStart().split(/[\r\n]/, 1)
  const shapes = [',', ';', '\t', NO_DELIMITER].map((delimiter) => {
    const [names = []] = attempt(() => parseNow(line, { ...OPTIONS, delimiter }) as string[][]) ?? []
    return { delimiter, columns: names.length, usable: hasText(names.map(fieldName)) }
  })
  return shapes.find(({ usable, columns, delimiter }) => usable && (columns > 1 || delimiter === NO_DELIMITER)) ?? null
}

/** The rows of a CSV file as objects from our column names to cells, in batches. */
export async function* readCsv(chunks: AsyncIterable<string>, shape: CsvShape, fail: Fail): AsyncGenerator<Row[]> {
  const reader = createRowReader(shape, fail)
  let held = ''
  for await (const chunk of chunks) {
    const text = held + chunk
    held = text.endsWith('\r') ? '\r' : ''
    yield await reader.write(text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n'))
  }
  yield await reader.end()
}

/** Writes text to csv-parse, which calls back for each row; each write returns the rows that it completes. */
function createRowReader(shape: CsvShape, fail: Fail) {
  const rows: Row[] = []
  let fields: (string | null)[] | undefined
  let line = 1

  const onRecord = ({ record, raw }: RawRow, { lines }: { lines: number }): null => {
    checkRow({ record, raw }, shape, (message) => fail(line, message))
    if (fields) rows.push({ line, value: toObject(fields, record) })
    fields ??= withoutRepetitions(record.map(fieldName))
    line = lines + 1
    return null
  }
  const options = { ...OPTIONS, delimiter: shape.delimiter, max_record_size: MAX_RECORD_LENGTH, raw: true }
  const parser = parse({ ...options, on_record: onRecord as unknown as Options['on_record'] })
  parser.on('error', () => {}) // the callbacks below get the error too

  async function run(step: (done: (error?: Error | null) => void) => void): Promise<Row[]> {
    const error = await new Promise<Error | null | undefined>((resolve) => step(resolve))
    if (error instanceof CsvError) fail(line, ENDLESS_ROW)
    if (error) throw error
    return rows.splice(0)
  }
  return {
    write: (text: string) => run((done) => parser.write(text, done)),
    end: () => run((done) => parser.end(done))
  }
}

function checkRow({ record: cells, raw }: RawRow, shape: CsvShape, fail: (message: string) => never): void {
  const { delimiter, columns } = shape
  if (delimiter !== NO_DELIMITER && cells.some((cell) => cell.startsWith('"')) && continuesAfterQuote(raw, delimiter)) {
    fail('has a quotation mark inside a quoted cell: write it twice ("") there, and once at the ends.')
  }
  if (cells.length > columns && cells.slice(columns).some((cell) => cell !== '')) {
    fail(`has ${cells.length} cells where ${columns} are named: a text with the separator in it needs quotation marks.`)
  }
}

/** Whether a quoted cell goes on after its closing mark. With relax_quotes csv-parse allows that, and joins cells to one. */
function continuesAfterQuote(raw: string, delimiter: string): boolean {
  try {
    parseNow(raw, { ...OPTIONS, delimiter, relax_quotes: false })
    return false
  } catch (error) {
    return error instanceof CsvError && error.code === 'CSV_INVALID_CLOSING_QUOTE'
  }
}

/** The names, null for those that we do not use and for each repetition. */
function withoutRepetitions(names: (string | null)[]): (string | null)[] {
  const seen = new Set<string>()
  return names.map((name) => (name !== null && !seen.has(name) && seen.add(name) ? name : null))
}

function toObject(fields: (string | null)[], cells: string[]): Record<string, string> {
  const object: Record<string, string> = {}
  for (let i = 0; i < cells.length; i++) {
    const name = fields[i]
    if (name) object[name] = cells[i]
  }
  if (object.exportedby === EXPORTED_BY && object.text) object.text = unescapeFormula(object.text)
  return object
}
