// The n-grams of a text, hashed (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", section 2):
// those of its characters and those of its shape.
//
// Character n-grams are the strongest single kind of feature for attributing authors of short texts (Stamatatos 2013,
// "On the Robustness of Authorship Attribution Based on Character N-gram Features"). The shape is what is left when the
// words are masked (Stamatatos 2017, "Authorship Attribution Using Text Distortion"): runs of capitals, of other letters
// and of digits become one sign each, spaces and punctuation stay. It has no topic, so few tweets teach it.

import { graphemesOf } from './graphemes.js'
import { maskLinks } from './normalize.js'

/** An n-gram is told by its bucket, 0 … BUCKETS − 1. */
export const BUCKETS = 1 << 20

const CHARACTERS = { shortest: 1, longest: 3, salt: 0x811c9dc5 }
const SHAPES = { shortest: 2, longest: 5, salt: 0x2545f491 }
const EDGE = 0x1f // stands before the first and behind the last character: how a text begins and ends is style

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

/** The n-grams of one text: buckets, and the characters that each covers. The arrays are used again for the next. */
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
export function ngramsOf(text: string): Ngrams {
  const split = graphemesOf(maskLinks(text))
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
