// How a text is written: n-grams of its characters and n-grams of its shape, hashed (Weinberger et al. 2009, "Feature
// Hashing for Large Scale Multitask Learning", section 2) and weighted by log count and inverse document frequency.
//
//   value(text, g) = (1 + ln count(g in text)) · (1 + ln((1 + N) / (1 + texts with g)))^IDF_POWER, rows then of length 1
//
// N texts are counted; n-grams found in fewer than MIN_TEXTS of them say nothing of other texts and get no column.
// Character n-grams are the strongest single kind of feature for attributing authors of short texts (Stamatatos 2013,
// "On the Robustness of Authorship Attribution Based on Character N-gram Features"). The shape is what is left when the
// words are masked (Stamatatos 2017, "Authorship Attribution Using Text Distortion"): runs of capitals, of other letters
// and of digits become one sign each, spaces and punctuation stay. It has no topic, so few tweets teach it.

import { characters, maskLinks } from './text.js'

const CHARACTERS = { shortest: 1, longest: 3, salt: 0x811c9dc5 }
const SHAPES = { shortest: 2, longest: 5, salt: 0x2545f491 }
const BUCKETS = 1 << 20
const MIN_TEXTS = 2
const IDF_POWER = 1.5
const TABLE_PAYS = 20_000 // look-ups
const EDGE = 0x1f // stands before the first and behind the last character: how a text begins and ends is style

/** Rows of a sparse matrix (CSR): row i has values[p] in column indices[p] for starts[i] ≤ p < starts[i + 1]. */
export interface SparseRows {
  rows: number
  columns: number
  starts: Int32Array
  indices: Int32Array
  values: Float32Array
}

/** Rows of a dense matrix, end to end. */
export type DenseRows = Pick<SparseRows, 'rows' | 'columns' | 'values'>

/** A dense matrix as a sparse one without gaps; a sparse one as it is. */
export function asSparse(matrix: SparseRows | DenseRows): SparseRows {
  if ('indices' in matrix) return matrix
  const { rows, columns, values } = matrix
  const starts = Int32Array.from({ length: rows + 1 }, (_, i) => i * columns)
  const indices = Int32Array.from(values, (_, p) => p % columns)
  return { rows, columns, starts, indices, values }
}

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

/** A place of a text: an n-gram's bucket and the characters [start, end) that it covers, edges not counted. */
export interface NgramPlace {
  bucket: number
  start: number
  end: number
}

/** Every n-gram of the text, links masked: buckets, and the characters that each covers. */
export function ngramPlaces(text: string): NgramPlace[] {
  const { length, buckets, starts, ends } = ngramsOf(text)
  return Array.from({ length }, (_, p) => ({ bucket: buckets[p], start: starts[p], end: ends[p] }))
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
export function styleRows({ starts, buckets, counts }: NgramCounts, columns: NgramColumns): SparseRows {
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

/** Signs of a text, for which arrays are used again: sign i stands for the characters [starts[i], starts[i + 1]). */
class Signs {
  hashes = new Int32Array(0)
  starts = new Int32Array(1)
  length = 0

  /** An edge, and room for so many signs. */
  begin(most: number): void {
    if (most + 2 > this.hashes.length) [this.hashes, this.starts] = [new Int32Array(2 * most + 2), new Int32Array(2 * most + 3)]
    this.length = 0
    this.add(EDGE, 0)
  }

  add(hash: number, start: number): void {
    this.hashes[this.length] = hash
    this.starts[this.length++] = start
  }

  /** The edge behind the last character. */
  end(at: number): void {
    this.add(EDGE, at)
    this.starts[this.length] = at
  }
}

/** The n-grams of one text; the arrays are used again for the next. */
class Ngrams {
  buckets = new Int32Array(0)
  starts = new Int32Array(0)
  ends = new Int32Array(0)
  length = 0

  clear(most: number): void {
    this.length = 0
    if (most > this.buckets.length) [this.buckets, this.starts, this.ends] = [0, 0, 0].map(() => new Int32Array(2 * most))
  }

  /** Adds each n-gram of the signs but lone edges. */
  add({ hashes, starts, length }: Signs, { shortest, longest, salt }: typeof CHARACTERS): void {
    for (let first = 0; first < length; first++) {
      let hash = salt
      const start = starts[first]
      const most = Math.min(longest, length - first)
      for (let n = 1; n <= most; n++) {
        hash = Math.imul(hash ^ hashes[first + n - 1], 0x01000193) // FNV-1a over signs …
        const end = starts[first + n]
        if (n < shortest || end <= start) continue
        this.buckets[this.length] = scramble(hash)
        this.starts[this.length] = start
        this.ends[this.length++] = end
      }
    }
  }
}

const ngrams = new Ngrams()
const byCharacter = new Signs()
const byShape = new Signs()

/** Each n-gram of the characters, then each of the shape, links masked; they hold until the next text's. */
function ngramsOf(text: string): Ngrams {
  const split = characters(maskLinks(text))
  readSigns(split)
  ngrams.clear((split.length + 2) * (CHARACTERS.longest + SHAPES.longest))
  ngrams.add(byCharacter, CHARACTERS)
  ngrams.add(byShape, SHAPES)
  return ngrams
}

/**
 * Reads the characters between two edges, and the shape: a sign for each run of capitals, of other letters or of digits,
 * and for each other character.
 */
function readSigns(text: string[]): void {
  byCharacter.begin(text.length)
  byShape.begin(text.length)
  let before = EDGE
  for (let i = 0; i < text.length; i++) {
    byCharacter.add(hashOf(text[i]), i)
    const sign = shapeOf(text[i])
    const runs = sign === before && (sign === CAPITAL || sign === LETTER || sign === DIGIT)
    if (!runs) byShape.add(sign, i)
    before = sign
  }
  byCharacter.end(text.length)
  byShape.end(text.length)
}

const CAPITAL = 'A'.charCodeAt(0)
const LETTER = 'a'.charCodeAt(0)
const DIGIT = '0'.charCodeAt(0)
const PICTURE = 0x263a
const shapes = new Int32Array(1 << 16) // of single code units met before: a regular expression a character would be slow

function shapeOf(character: string): number {
  if (character.length > 1) return readShape(character)
  const unit = character.charCodeAt(0)
  return (shapes[unit] ||= readShape(character))
}

function readShape(character: string): number {
  return /^\p{Lu}/u.test(character) ? CAPITAL
    : /^\p{L}/u.test(character) ? LETTER
    : /^\p{N}/u.test(character) ? DIGIT
    : /^\p{Extended_Pictographic}/u.test(character) ? PICTURE
    : hashOf(character)
}

function hashOf(character: string): number {
  let hash = character.charCodeAt(0)
  for (let u = 1; u < character.length; u++) hash = Math.imul(hash, 31) + character.charCodeAt(u)
  return hash
}

/** … and the finaliser of MurmurHash3, which makes the low bits depend on all of them. */
function scramble(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1)
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
