// A text that is asked about. It is read once: its n-grams serve the logits, the verdict and the explanation.

import { ngramsOf, type TextNgrams } from '../text/ngrams.js'
import type { SparseRows } from '../regression/sparse-matrix.js'
import type { Attribution } from './attribution.js'
import { bestTwo, similarityToNearest } from './reject-option.js'
import type { Logits } from './stacking.js'
import { knownShares, NgramCounter, tfidfRows, type NgramCounts } from './tfidf.js'

const ROUNDING = 1e-5 // similarities are in single precision

export interface Question {
  ngrams: TextNgrams
  counts: NgramCounts
  /** The n-grams as one row of tf–idf. */
  row: SparseRows
  /** The encoder's vector of the text. */
  vector: Float32Array
}

export type Verdict = 'named' | 'too close to call' | 'unlike any of them'

/** Reads a text for an attribution. */
export function readQuestion({ columns }: Pick<Attribution, 'columns'>, text: string, vector: Float32Array): Question {
  const ngrams = ngramsOf(text)
  const counter = new NgramCounter()
  counter.add(ngrams.buckets)
  const counts = counter.take()
  return { ngrams, counts, row: tfidfRows(counts, columns), vector }
}

/** k logits by each model, weighted by a and b. */
export function logitsOf({ ngramModel, encoderModel, weights: [a, b] }: Attribution, { row, vector }: Question): Logits {
  const ngrams = ngramModel.logits(row)
  const encoder = encoderModel.logits({ rows: 1, columns: vector.length, values: vector })
  return { ngrams: ngrams.map((z) => a * z), encoder: encoder.map((z) => b * z) }
}

/** Whether the sum of the logits, z, names somebody, and whether the text is similar enough to what the candidates write. */
export function verdictOf({ columns, ngrams, noveltyThreshold, reliability }: Attribution, { counts, row }: Question, z: Float64Array): Verdict {
  const known = knownShares(counts, columns, false)(0)
  if (known * similarityToNearest(ngrams, row) < noveltyThreshold - ROUNDING) return 'unlike any of them'
  const [best, second] = bestTwo(z)
  return z[best] - z[second] <= reliability.closeMargin ? 'too close to call' : 'named'
}
