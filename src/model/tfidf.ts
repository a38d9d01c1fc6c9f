// The n-grams of texts, weighted by tf–idf:
//
//   value(text, g) = (1 + ln count(g in text)) · (1 + ln((1 + N) / (1 + texts with g)))^IDF_POWER, rows then of length 1
//
// N texts are counted; n-grams found in fewer than MIN_TEXTS of them say nothing about other texts and get no column.

import { withMemory } from '../core/lent-memory.js'
import { PairTable } from '../core/pair-table.js'
import type { SparseRows } from '../regression/sparse-matrix.js'
import { BUCKETS, NgramReader } from '../text/ngrams.js'

const MIN_TEXTS = 2
const IDF_POWER = 1.5

/** The n-grams of each text, counted: text i has counts[p] times the n-gram of buckets[p], starts[i] ≤ p < starts[i + 1]. */
export interface NgramCounts {
  starts: Int32Array
  buckets: Int32Array
  counts: Uint16Array
}

/** Column j is the n-grams of buckets[j] (ascending), found in texts[j] texts; newIdf is the idf of n-grams without a column. */
export interface NgramColumns {
  buckets: Int32Array
  texts: Int32Array
  idf: Float32Array
  newIdf: number
}

/** The column of a bucket, or −1. */
export type ColumnOf = (bucket: number) => number

/** Counts the n-grams of each text. */
export function countNgrams(texts: string[]): NgramCounts {
  const counter = new NgramCounter()
  const reader = new NgramReader()
  for (const text of texts) {
    reader.read(text)
    counter.add(reader.buckets, reader.length)
  }
  return counter.take()
}

/** Counts n-grams that are hashed already, text by text. */
export class NgramCounter {
  private readonly starts = [0]
  private readonly buckets = new Growing(Int32Array)
  private readonly counts = new Growing(Uint16Array)
  private readonly places = new PairTable() // bucket → its place in the arrays, for one text

  /** Adds a text: the first `length` of its n-grams' buckets. */
  add(buckets: Int32Array, length = buckets.length): void {
    const { places } = this
    places.clear(length)
    this.buckets.reserve(length)
    this.counts.reserve(length)
    const [found, counts] = [this.buckets.values, this.counts.values]
    let end = this.buckets.length
    for (let p = 0; p < length; p++) {
      const place = places.getOrAdd(buckets[p], 0, end)
      if (place < end) counts[place]++
      else {
        found[end] = buckets[p]
        counts[end++] = 1
      }
    }
    this.buckets.length = this.counts.length = end
    this.starts.push(end)
  }

  take(): NgramCounts {
    return { starts: Int32Array.from(this.starts), buckets: this.buckets.taken(), counts: this.counts.taken() }
  }
}

/** Calls `use` with the counts of several lots of texts, one lot behind the other; they are of no use after it has returned. */
export function withJoinedCounts<T>(lots: NgramCounts[], use: (counts: NgramCounts) => T): T {
  const total = lots.reduce((sum, { buckets }) => sum + buckets.length, 0)
  const texts = lots.reduce((sum, { starts }) => sum + starts.length - 1, 0)
  return withMemory(4 * (texts + 1) + 6 * total, (memory) => {
    const starts = new Int32Array(memory, 0, texts + 1)
    const buckets = new Int32Array(memory, starts.byteLength, total)
    const counts = new Uint16Array(memory, starts.byteLength + buckets.byteLength, total)
    return use(joinInto({ starts, buckets, counts }, lots))
  })
}

function joinInto(joined: NgramCounts, lots: NgramCounts[]): NgramCounts {
  let [text, end] = [0, 0]
  joined.starts[0] = 0
  for (const { starts, buckets, counts } of lots) {
    for (let i = 1; i < starts.length; i++) joined.starts[++text] = end + starts[i]
    joined.buckets.set(buckets, end)
    joined.counts.set(counts, end)
    end += buckets.length
  }
  return joined
}

/** Columns, and how to find them: by a table, for many look-ups. */
export interface ChosenColumns {
  columns: NgramColumns
  columnOf: ColumnOf
  /** Gives the table's memory back, for the next to use again. Columns are found as before, only more slowly. */
  release(): void
}

const idleTables: Int32Array[] = [] // all zeros: a new table of 4 MB for each fit costs its page faults

/** Gives a column to each n-gram that is found in at least two of the texts. */
export function chooseColumns({ starts, buckets }: NgramCounts): ChosenColumns {
  const texts = starts.length - 1
  const table = idleTables.pop() ?? new Int32Array(BUCKETS) // how many texts have each n-gram; then its column plus 1
  const kept = new Growing(Int32Array)
  for (let p = 0; p < buckets.length; p++) if (++table[buckets[p]] === MIN_TEXTS) kept.push(buckets[p])
  const chosen = kept.taken().sort()
  const foundIn = chosen.map((bucket) => table[bucket])
  for (const bucket of buckets) table[bucket] = 0
  chosen.forEach((bucket, column) => (table[bucket] = column + 1))
  const idfOf = Float32Array.from({ length: texts + 1 }, (_, found) => inverseFrequency(texts, found))
  const idf = new Float32Array(foundIn.length).map((_, column) => idfOf[foundIn[column]])
  const columns = { buckets: chosen, texts: foundIn, idf, newIdf: idfOf[0] }
  let columnOf: ColumnOf = (bucket) => table[bucket] - 1
  let isReleased = false
  return {
    columns,
    columnOf: (bucket) => columnOf(bucket),
    release() {
      if (isReleased) return
      isReleased = true
      columnOf = columnFinder(columns)
      for (const bucket of chosen) table[bucket] = 0
      idleTables.push(table)
    }
  }
}

/** Finds columns by bisection: right for the few look-ups of one text, and no memory is needed. */
export function columnFinder({ buckets }: NgramColumns): ColumnOf {
  return (wanted) => {
    let low = 0
    let high = buckets.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (buckets[middle] === wanted) return middle
      if (buckets[middle] < wanted) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}

function inverseFrequency(texts: number, found: number): number {
  return (1 + Math.log((1 + texts) / (1 + found))) ** IDF_POWER
}

/**
 * How much of a text, by weight, is n-grams that at least two other texts have: 1 where all are, 0 where none is.
 * @param isOwn whether the texts are those that the columns were chosen from: each is then left out of the count
 * @returns a function of the text's number
 */
export function knownShares(
  { starts, buckets, counts }: NgramCounts,
  columns: NgramColumns,
  isOwn: boolean,
  columnOf = columnFinder(columns)
): (text: number) => number {
  const fewest = isOwn ? MIN_TEXTS + 1 : MIN_TEXTS
  return (text) => {
    let known = 0
    let all = 0
    for (let p = starts[text]; p < starts[text + 1]; p++) {
      const column = columnOf(buckets[p])
      const isKnown = column >= 0 && columns.texts[column] >= fewest
      const value = logCount(counts[p]) * (isKnown ? columns.idf[column] : columns.newIdf)
      const square = value * value
      all += square
      if (isKnown) known += square
    }
    return all > 0 ? Math.sqrt(known / all) : 0
  }
}

/** The weighted n-grams of each text as sparse rows of length 1 (0 for a text without a known n-gram). */
export function tfidfRows(counts: NgramCounts, columns: NgramColumns, columnOf = columnFinder(columns)): SparseRows {
  const rows = counts.starts.length - 1
  const starts = new Int32Array(rows + 1)
  const indices = new Int32Array(counts.buckets.length)
  const values = new Float32Array(counts.buckets.length)
  for (let i = 0; i < rows; i++) starts[i + 1] = writeRow(counts, i, columns, columnOf, indices, values, starts[i])
  const end = starts[rows]
  return { rows, columns: columns.idf.length, starts, indices: indices.slice(0, end), values: values.slice(0, end) }
}

/**
 * The same for the texts that the columns were chosen from, by the column: row j has the texts, ascending, with the n-gram
 * of column j. No more than one row is made in between: all of them would be as large again.
 */
export function tfidfByColumn(counts: NgramCounts, { columns, columnOf }: ChosenColumns): SparseRows {
  const rows = counts.starts.length - 1
  const { length } = columns.idf
  const starts = new Int32Array(length + 1)
  columns.texts.forEach((found, column) => (starts[column + 1] = starts[column] + found))
  const [indices, values] = [new Int32Array(starts[length]), new Float32Array(starts[length])]
  const next = starts.slice()
  const longest = counts.starts.reduce((most, start, i, all) => Math.max(most, start - all[Math.max(0, i - 1)]), 0)
  const [rowColumns, rowValues] = [new Int32Array(longest), new Float32Array(longest)]
  for (let i = 0; i < rows; i++) {
    const end = writeRow(counts, i, columns, columnOf, rowColumns, rowValues, 0)
    for (let p = 0; p < end; p++) {
      const at = next[rowColumns[p]]++
      indices[at] = i
      values[at] = rowValues[p]
    }
  }
  return { rows: length, columns: rows, starts, indices, values }
}

/** Writes text i's row from `start` on. @returns where it ends */
function writeRow(
  { starts, buckets, counts }: NgramCounts, i: number, { idf }: NgramColumns, columnOf: ColumnOf,
  indices: Int32Array, values: Float32Array, start: number
): number {
  let end = start
  let squares = 0
  for (let p = starts[i]; p < starts[i + 1]; p++) {
    const column = columnOf(buckets[p])
    if (column < 0) continue
    const value = logCount(counts[p]) * idf[column]
    indices[end] = column
    values[end++] = value
    squares += value * value
  }
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0
  for (let p = start; p < end; p++) values[p] *= scale
  return end
}

const logCount = (count: number): number => (count === 1 ? 1 : 1 + Math.log(count)) // most n-grams are there once

/** A typed array that grows as numbers are pushed. */
class Growing<T extends Int32Array | Uint16Array> {
  values: T
  length = 0

  constructor(private readonly Type: new (length: number) => T) {
    this.values = new Type(1024)
  }

  push(value: number): void {
    this.reserve(1)
    this.values[this.length++] = value
  }

  /** Makes room for so many more. */
  reserve(more: number): void {
    if (this.length + more <= this.values.length) return
    const larger = new this.Type(2 * (this.length + more))
    larger.set(this.values)
    this.values = larger
  }

  taken(): T {
    return this.values.slice(0, this.length) as T
  }
}
