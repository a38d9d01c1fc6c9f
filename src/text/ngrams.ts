// The n-grams of a text, hashed (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", section 2):
// n-grams of its characters and n-grams of its shape.
//
// Character n-grams are the strongest single kind of feature for attributing authors of short texts (Stamatatos 2013,
// "On the Robustness of Authorship Attribution Based on Character N-gram Features"). The shape is what is left when the
// words are masked (Stamatatos 2017, "Authorship Attribution Using Text Distortion"): runs of capitals, of other letters
// and of digits become one sign each, spaces and punctuation stay. It carries no topic, so few tweets are enough to learn it.

import { FNV_START, fnv, scramble } from '../core/hashing.js'
import { graphemesOf } from './graphemes.js'
import { maskLinks } from './normalize.js'

/** An n-gram is known by its bucket, 0 … BUCKETS − 1. */
export const BUCKETS = 1 << 20

const CHARACTERS = { shortest: 1, longest: 3, seed: FNV_START }
const SHAPES = { shortest: 2, longest: 5, seed: 0x2545f491 }
const EDGE = 0x1f // stands before the first and behind the last character: how a text begins and ends is style

/** The n-grams of one text, in order: n-gram p has its bucket and covers the characters [starts[p], ends[p]). */
export interface TextNgrams {
  /** The text by characters (graphemes), each link masked. */
  graphemes: string[]
  buckets: Int32Array
  starts: Int32Array
  ends: Int32Array
}

/** Each n-gram of the characters, then each of the shape; links are masked, edges are not counted as characters. */
export function ngramsOf(text: string): TextNgrams {
  const reader = new NgramReader()
  const graphemes = reader.read(text)
  const { length, buckets, starts, ends } = reader
  return { graphemes, buckets: buckets.slice(0, length), starts: starts.slice(0, length), ends: ends.slice(0, length) }
}

/** Reads one text after the other into the same arrays: what they hold is valid until the next text is read. */
export class NgramReader {
  /** How many n-grams the text has: the arrays are longer. */
  length = 0
  buckets = new Int32Array(0)
  starts = new Int32Array(0)
  ends = new Int32Array(0)
  private readonly characters = new Signs()
  private readonly shape = new Signs()

  /** @returns the text's graphemes, links masked */
  read(text: string): string[] {
    const graphemes = graphemesOf(maskLinks(text))
    this.readSigns(graphemes)
    this.length = 0
    const most = (graphemes.length + 2) * (CHARACTERS.longest + SHAPES.longest)
    if (most > this.buckets.length) [this.buckets, this.starts, this.ends] = [0, 0, 0].map(() => new Int32Array(2 * most))
    this.addNgrams(this.characters, CHARACTERS)
    this.addNgrams(this.shape, SHAPES)
    return graphemes
  }

  /** The characters between two edges; and the shape, where a run of capitals, of other letters or of digits is one sign. */
  private readSigns(graphemes: string[]): void {
    this.characters.begin(graphemes.length)
    this.shape.begin(graphemes.length)
    let before = EDGE
    for (let i = 0; i < graphemes.length; i++) {
      this.characters.add(signOf(graphemes[i]), i)
      const sign = shapeOf(graphemes[i])
      const isInRun = sign === before && (sign === CAPITAL || sign === LETTER || sign === DIGIT)
      if (!isInRun) this.shape.add(sign, i)
      before = sign
    }
    this.characters.end(graphemes.length)
    this.shape.end(graphemes.length)
  }

  /** Adds each n-gram of the signs but lone edges. */
  private addNgrams({ values, starts, length }: Signs, { shortest, longest, seed }: typeof CHARACTERS): void {
    for (let first = 0; first < length; first++) {
      let hash = seed
      const start = starts[first]
      const most = Math.min(longest, length - first)
      for (let n = 1; n <= most; n++) {
        hash = fnv(hash, values[first + n - 1])
        const end = starts[first + n]
        if (n < shortest || end <= start) continue
        this.buckets[this.length] = scramble(hash) & (BUCKETS - 1)
        this.starts[this.length] = start
        this.ends[this.length++] = end
      }
    }
  }
}

/** The signs of one text: sign i stands for the characters [starts[i], starts[i + 1]). */
class Signs {
  values = new Int32Array(0)
  starts = new Int32Array(1)
  length = 0

  /** An edge, and room for so many signs. */
  begin(most: number): void {
    if (most + 2 > this.values.length) [this.values, this.starts] = [new Int32Array(2 * most + 2), new Int32Array(2 * most + 3)]
    this.length = 0
    this.add(EDGE, 0)
  }

  add(sign: number, start: number): void {
    this.values[this.length] = sign
    this.starts[this.length++] = start
  }

  /** The edge behind the last character. */
  end(at: number): void {
    this.add(EDGE, at)
    this.starts[this.length] = at
  }
}

const CAPITAL = 'A'.charCodeAt(0)
const LETTER = 'a'.charCodeAt(0)
const DIGIT = '0'.charCodeAt(0)
const PICTURE = 0x263a
const shapes = new Int32Array(1 << 16) // remembers findShape of single code units: a regular expression each would be slow

function shapeOf(grapheme: string): number {
  if (grapheme.length > 1) return findShape(grapheme)
  const unit = grapheme.charCodeAt(0)
  return (shapes[unit] ||= findShape(grapheme))
}

function findShape(grapheme: string): number {
  return /^\p{Lu}/u.test(grapheme) ? CAPITAL
    : /^\p{L}/u.test(grapheme) ? LETTER
    : /^\p{N}/u.test(grapheme) ? DIGIT
    : /^\p{Extended_Pictographic}/u.test(grapheme) ? PICTURE
    : signOf(grapheme)
}

/** A grapheme as a number: itself where it is one code unit. */
function signOf(grapheme: string): number {
  let sign = grapheme.charCodeAt(0)
  for (let u = 1; u < grapheme.length; u++) sign = Math.imul(sign, 31) + grapheme.charCodeAt(u)
  return sign
}
