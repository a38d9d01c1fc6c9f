// How a text is written: its character n-grams, hashed (Weinberger et al. 2009, "Feature Hashing for Large Scale
// Multitask Learning", section 2) and weighted by log count and inverse document frequency.
//
//   value(text, g) = (1 + ln count(g in text)) · (1 + ln((1 + N) / (1 + texts with g))), each row then of length 1
//
// N texts are counted; n-grams found in fewer than MIN_TEXTS of them say nothing of other texts and get no column.
// Character n-grams are the strongest single kind of feature for attributing authors of short texts (Stamatatos 2013,
// "On the Robustness of Authorship Attribution Based on Character N-gram Features").

import { characters, maskLinks } from './text.js'

export const LONGEST_NGRAM = 3
const BUCKETS = 1 << 20
const MIN_TEXTS = 2
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

/** Which bucket has which column (-1: none), and each column's inverse document frequency. */
export interface NgramColumns {
  columnOf: Int32Array
  idf: Float32Array
}

/** A place of a text: an n-gram's bucket and the characters [start, end) that it covers, edges not counted. */
export interface NgramPlace {
  bucket: number
  start: number
  end: number
}

/** Every n-gram of the text, links masked, in order: buckets, and the characters that each covers. */
export function ngramPlaces(text: string): NgramPlace[] {
  const hashes = characterHashes(text)
  const last = hashes.length - 2
  const places: NgramPlace[] = []
  eachNgram(hashes, (bucket, start, end) => places.push({ bucket, start: Math.max(start - 1, 0), end: Math.min(end - 1, last) }))
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
    eachNgram(characterHashes(text), (bucket) => {
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
  const columnOf = new Int32Array(BUCKETS).fill(-1)
  const idf = new Growing(Float32Array)
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (found[bucket] < MIN_TEXTS) continue
    columnOf[bucket] = idf.length
    idf.push(1 + Math.log((1 + texts) / (1 + found[bucket])))
  }
  return { columnOf, idf: idf.taken() }
}

/** The weighted n-grams of each text as sparse rows of length 1 (0 for a text without a known n-gram). */
export function styleRows({ starts, buckets, counts }: NgramCounts, { columnOf, idf }: NgramColumns): SparseRows {
  const rows = starts.length - 1
  const rowStarts = new Int32Array(rows + 1)
  const indices = new Int32Array(buckets.length)
  const values = new Float32Array(buckets.length)
  let end = 0
  for (let i = 0; i < rows; i++) {
    let squares = 0
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      const column = columnOf[buckets[p]]
      if (column < 0) continue
      const value = (1 + Math.log(counts[p])) * idf[column]
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

/** One number for each character of the text, links masked, between two edges. */
function characterHashes(text: string): Int32Array {
  const masked = characters(maskLinks(text))
  const hashes = new Int32Array(masked.length + 2)
  hashes[0] = hashes[masked.length + 1] = EDGE
  for (let i = 0; i < masked.length; i++) {
    let hash = 0
    for (let u = 0; u < masked[i].length; u++) hash = Math.imul(hash, 31) + masked[i].charCodeAt(u)
    hashes[i + 1] = hash
  }
  return hashes
}

/** Visits each n-gram but the lone edges, shortest first at each place. */
function eachNgram(hashes: Int32Array, visit: (bucket: number, start: number, end: number) => void): void {
  for (let start = 0; start < hashes.length; start++) {
    let hash = 0x811c9dc5
    for (let end = start; end < hashes.length && end < start + LONGEST_NGRAM; end++) {
      hash = Math.imul(hash ^ hashes[end], 0x01000193) // FNV-1a over characters …
      const loneEdge = end === start && (start === 0 || start === hashes.length - 1)
      if (!loneEdge) visit(scramble(hash), start, end + 1)
    }
  }
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
