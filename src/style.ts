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
const TABLE_PAYS = 20_000
const EDGE = 0x1f // stands before the first and behind the last character: how a text begins and ends is style

/** Rows of a sparse matrix (CSR): row i has values[p] in column indices[p] for starts[i] ≤ p < starts[i + 1]. */
export interface SparseRows {
  rows: number
  columns: number
  starts: Int32Array
  indices: Int32Array
  values: Float32Array
}

/** The n-grams of each text, counted: text i has counts[p] times the n-gram of buckets[p], starts[i] ≤ p < starts[i + 1]. */
export interface NgramCounts {
  starts: Int32Array
  buckets: Int32Array
  counts: Float32Array
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
  const places: NgramPlace[] = []
  eachNgram(characters(maskLinks(text)), (bucket, start, end) => places.push({ bucket, start, end }))
  return places
}

/** Counts the n-grams of each text. */
export function countNgrams(texts: string[]): NgramCounts {
  const starts = new Int32Array(texts.length + 1)
  const buckets = new Growing(Int32Array)
  const counts = new Growing(Float32Array)
  const placeOf = new Int32Array(BUCKETS).fill(-1)
  texts.forEach((text, i) => {
    const first = buckets.length
    eachNgram(characters(maskLinks(text)), (bucket) => {
      if (placeOf[bucket] >= first) counts.values[placeOf[bucket]]++
      else {
        placeOf[bucket] = buckets.length
        buckets.push(bucket)
        counts.push(1)
      }
    })
    starts[i + 1] = buckets.length
  })
  return { starts, buckets: buckets.taken(), counts: counts.taken() }
}

/** Gives a column to each n-gram that is found in at least two of the texts. */
export function chooseColumns({ starts, buckets }: NgramCounts): NgramColumns {
  const texts = starts.length - 1
  const found = new Int32Array(BUCKETS)
  for (const bucket of buckets) found[bucket]++
  const kept = new Growing(Int32Array)
  const foundOf = new Growing(Int32Array)
  const idf = new Growing(Float32Array)
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (found[bucket] < MIN_TEXTS) continue
    kept.push(bucket)
    foundOf.push(found[bucket])
    idf.push(inverseFrequency(texts, found[bucket]))
  }
  return { buckets: kept.taken(), texts: foundOf.taken(), idf: idf.taken(), newIdf: inverseFrequency(texts, 0) }
}

function inverseFrequency(texts: number, found: number): number {
  return (1 + Math.log((1 + texts) / (1 + found))) ** IDF_POWER
}

/**
 * How much of each text is n-grams that at least two other texts have, by weight: 1 where all are, 0 where none is.
 * @param own whether the texts are those that the columns were chosen from, so that each is to be left out of the count
 */
export function knownShares({ starts, buckets, counts }: NgramCounts, columns: NgramColumns, own: boolean): Float32Array {
  const fewest = own ? MIN_TEXTS + 1 : MIN_TEXTS
  const columnOf = columnFinder(columns, buckets.length)
  return Float32Array.from({ length: starts.length - 1 }, (_, i) => {
    let known = 0
    let all = 0
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      const column = columnOf(buckets[p])
      const isKnown = column >= 0 && columns.texts[column] >= fewest
      const value = logCount(counts[p]) * (isKnown ? columns.idf[column] : columns.newIdf)
      const square = value * value
      all += square
      if (isKnown) known += square
    }
    return all > 0 ? Math.sqrt(known / all) : 0
  })
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

/** The column of a bucket, or -1: by a table where many are asked for, by bisection where few are. */
export function columnFinder({ buckets }: NgramColumns, lookups: number): (bucket: number) => number {
  if (lookups < TABLE_PAYS) return (bucket) => bisect(buckets, bucket)
  const table = new Int32Array(BUCKETS).fill(-1)
  buckets.forEach((bucket, column) => (table[bucket] = column))
  return (bucket) => table[bucket]
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

type Visit = (bucket: number, start: number, end: number) => void

/** Signs of a text: sign i stands for the characters [starts[i], starts[i + 1]). */
interface Signs {
  hashes: number[]
  starts: number[]
}

/** Visits each n-gram of the characters, then each of the shape. */
function eachNgram(text: string[], visit: Visit): void {
  visitSigns(characterSigns(text), CHARACTERS, visit)
  visitSigns(shapeSigns(text), SHAPES, visit)
}

/** Visits each n-gram of the signs but lone edges. */
function visitSigns({ hashes, starts }: Signs, { shortest, longest, salt }: typeof CHARACTERS, visit: Visit): void {
  for (let first = 0; first < hashes.length; first++) {
    let hash = salt
    const most = Math.min(longest, hashes.length - first)
    for (let n = 1; n <= most; n++) {
      hash = Math.imul(hash ^ hashes[first + n - 1], 0x01000193) // FNV-1a over signs …
      const end = starts[first + n]
      if (n >= shortest && end > starts[first]) visit(scramble(hash), starts[first], end)
    }
  }
}

/** The characters between two edges. */
function characterSigns(text: string[]): Signs {
  const hashes = [EDGE, ...text.map(hashOf), EDGE]
  const starts = Array.from({ length: hashes.length + 1 }, (_, i) => Math.min(Math.max(i - 1, 0), text.length))
  return { hashes, starts }
}

/** The shape between two edges: a sign for each run of capitals, other letters or digits, and for each other character. */
function shapeSigns(text: string[]): Signs {
  const signs: Signs = { hashes: [EDGE], starts: [0] }
  let before = EDGE
  text.forEach((character, i) => {
    const sign = shapeOf(character)
    const runs = sign === before && (sign === CAPITAL || sign === LETTER || sign === DIGIT)
    if (!runs) {
      signs.hashes.push(sign)
      signs.starts.push(i)
    }
    before = sign
  })
  signs.hashes.push(EDGE)
  signs.starts.push(text.length, text.length)
  return signs
}

const CAPITAL = 'A'.charCodeAt(0)
const LETTER = 'a'.charCodeAt(0)
const DIGIT = '0'.charCodeAt(0)
const PICTURE = 0x263a
const shapes = new Map<string, number>() // of characters met before: a regular expression a character would be slow

function shapeOf(character: string): number {
  let shape = shapes.get(character)
  if (shape === undefined) {
    shape = /^\p{Lu}/u.test(character) ? CAPITAL
      : /^\p{L}/u.test(character) ? LETTER
      : /^\p{N}/u.test(character) ? DIGIT
      : /^\p{Extended_Pictographic}/u.test(character) ? PICTURE
      : hashOf(character)
    if (shapes.size < 50_000) shapes.set(character, shape)
  }
  return shape
}

function hashOf(character: string): number {
  let hash = 0
  for (let u = 0; u < character.length; u++) hash = Math.imul(hash, 31) + character.charCodeAt(u)
  return hash
}

/** … and the finaliser of MurmurHash3, which makes the low bits depend on all of them. */
function scramble(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1)
}

/** A typed array that grows as numbers are pushed. */
class Growing<T extends Int32Array | Float32Array> {
  values: T
  length = 0

  constructor(private readonly Type: new (length: number) => T) {
    this.values = new Type(1024)
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new this.Type(this.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length++] = value
  }

  taken(): T {
    return this.values.slice(0, this.length) as T
  }
}
