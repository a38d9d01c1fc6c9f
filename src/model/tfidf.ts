// How a text is written: its n-grams weighted by log count and inverse document frequency.
//
//   value(text, g) = (1 + ln count(g in text)) · (1 + ln((1 + N) / (1 + texts with g)))^IDF_POWER, rows then of length 1
//
// N texts are counted; n-grams found in fewer than MIN_TEXTS of them say nothing of other texts and get no column.

import type { SparseRows } from '../regression/sparse-matrix.js'
import { BUCKETS, ngramsOf } from '../text/ngrams.js'

const MIN_TEXTS = 2
const IDF_POWER = 1.5
const TABLE_PAYS = 20_000 // look-ups

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

/** Counts the n-grams of each text. */
export function countNgrams(texts: string[]): NgramCounts {
  const starts = new Int32Array(texts.length + 1)
  const found = new Growing(Int32Array)
  const counts = new Growing(Uint16Array)
  const places = new Places()
  texts.forEach((text, i) => {
    const { length, buckets } = ngramsOf(text)
    found.reserve(length)
    counts.reserve(length)
    places.clear(length)
    let end = found.length
    for (let p = 0; p < length; p++) {
      const place = places.of(buckets[p], end)
      if (place < end) counts.values[place]++
      else {
        found.values[end] = buckets[p]
        counts.values[end++] = 1
      }
    }
    found.length = counts.length = starts[i + 1] = end
  })
  return { starts, buckets: found.taken(), counts: counts.taken() }
}

/** Where the n-grams of a text have been put: a hash table with open addressing, small enough for a processor's cache. */
class Places {
  private slots = new Int32Array(0) // a place plus 1, 0 where the slot is free
  private keys = new Int32Array(0)
  private mask = 0

  /** Forgets all, and has room for so many. */
  clear(most: number): void {
    const size = 2 ** Math.ceil(Math.log2(2 * most + 2))
    if (size > this.slots.length) [this.slots, this.keys] = [new Int32Array(size), new Int32Array(size)]
    else this.slots.fill(0, 0, size)
    this.mask = size - 1
  }

  /** The place of a bucket, which is `next` where it has none yet. */
  of(bucket: number, next: number): number {
    let slot = bucket & this.mask // buckets are scrambled already
    while (this.slots[slot] !== 0) {
      if (this.keys[slot] === bucket) return this.slots[slot] - 1
      slot = (slot + 1) & this.mask
    }
    this.keys[slot] = bucket
    this.slots[slot] = next + 1
    return next
  }
}

/** The counts of several lots of texts, one lot behind the other. */
export function joinCounts(parts: NgramCounts[]): NgramCounts {
  const sizes = parts.map(({ buckets }) => buckets.length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const texts = parts.reduce((sum, { starts }) => sum + starts.length - 1, 0)
  const joined = { starts: new Int32Array(texts + 1), buckets: new Int32Array(total), counts: new Uint16Array(total) }
  let [text, end] = [0, 0]
  for (const { starts, buckets, counts } of parts) {
    for (let i = 1; i < starts.length; i++) joined.starts[++text] = end + starts[i]
    joined.buckets.set(buckets, end)
    joined.counts.set(counts, end)
    end += buckets.length
  }
  return joined
}

/** Gives a column to each n-gram that is found in at least two of the texts. */
export function chooseColumns({ starts, buckets }: NgramCounts): NgramColumns {
  const texts = starts.length - 1
  clearTable()
  const kept = new Growing(Int32Array)
  for (let p = 0; p < buckets.length; p++) if (++table[buckets[p]] === MIN_TEXTS) kept.push(buckets[p])
  const chosen = kept.taken().sort()
  const foundIn = chosen.map((bucket) => table[bucket])
  table.fill(0)
  const idfOf = Float32Array.from({ length: texts + 1 }, (_, of) => inverseFrequency(texts, of))
  return { buckets: chosen, texts: foundIn, idf: new Float32Array(foundIn.length).map((_, j) => idfOf[foundIn[j]]), newIdf: idfOf[0] }
}

function inverseFrequency(texts: number, found: number): number {
  return (1 + Math.log((1 + texts) / (1 + found))) ** IDF_POWER
}

/**
 * How much of a text is n-grams that at least two other texts have, by weight: 1 where all are, 0 where none is.
 * @param own whether the texts are those that the columns were chosen from, so that each is to be left out of the count
 * @returns a function of the text's number
 */
export function knownShares({ starts, buckets, counts }: NgramCounts, columns: NgramColumns, own: boolean): (text: number) => number {
  const fewest = own ? MIN_TEXTS + 1 : MIN_TEXTS
  const columnOf = columnFinder(columns, buckets.length)
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
export function tfidfRows({ starts, buckets, counts }: NgramCounts, columns: NgramColumns): SparseRows {
  const { idf } = columns
  const columnOf = columnFinder(columns, buckets.length)
  const rows = starts.length - 1
  const rowStarts = new Int32Array(rows + 1)
  const indices = new Int32Array(buckets.length)
  const values = new Float32Array(buckets.length)
  let end = 0
  for (let i = 0; i < rows; i++) {
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
    for (let p = rowStarts[i]; p < end; p++) values[p] *= scale
    rowStarts[i + 1] = end
  }
  return { rows, columns: idf.length, starts: rowStarts, indices: indices.slice(0, end), values: values.slice(0, end) }
}

const logCount = (count: number): number => (count === 1 ? 1 : 1 + Math.log(count)) // most n-grams are there once

const table = new Int32Array(BUCKETS) // the columns, plus 1, of these buckets, all else 0:
let tabled: { columns?: NgramColumns; buckets: Int32Array } = { buckets: new Int32Array(0) }

function clearTable(): void {
  for (const bucket of tabled.buckets) table[bucket] = 0
  tabled = { buckets: new Int32Array(0) }
}

/** The column of a bucket, or -1, until columns are chosen or it is asked for others: by a table where many are asked for, by bisection where few are. */
export function columnFinder(columns: NgramColumns, lookups: number): (bucket: number) => number {
  if (lookups < TABLE_PAYS) return (bucket) => bisect(columns.buckets, bucket)
  if (tabled.columns !== columns) {
    clearTable()
    columns.buckets.forEach((bucket, column) => (table[bucket] = column + 1))
    tabled = { columns, buckets: columns.buckets.slice() } // the columns' own may be handed to another thread
  }
  return (bucket) => table[bucket] - 1
}

function bisect(sorted: Int32Array, wanted: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    if (sorted[middle] === wanted) return middle
    if (sorted[middle] < wanted) low = middle + 1
    else high = middle - 1
  }
  return -1
}

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

  /** Has room for so many more. */
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
