// Why a text is given to somebody, exactly: each candidate's score is taken apart into what the n-grams, the encoder and
// the intercept add to it. Only differences between candidates decide, so all parts are told relative to the mean over
// the candidates:
//
//   score_c = z_c − mean(z) = Σ_g piece_g,c + encoder_c + intercept_c
//
// What counts is what an n-gram adds beyond an average stretch of tweet: from its own w_g,c · x_g the average tweet's
// score is taken in proportion to its share of the text, x_g² (rows have length 1, so the shares sum to 1), and given to
// the intercept, which thereby says where a candidate starts with an average tweet. The encoder's part likewise. An
// n-gram's part is spread evenly over the characters that it covers, which shades the text.

import type { Attribution } from './attribution.js'
import { denseRows, type SparseRows } from '../regression/sparse-matrix.js'
import { columnsOf, linearScores, weightOf, type LinearModel } from '../regression/softmax-regression.js'
import { ngramPlaces } from '../text/ngrams.js'
import { columnFinder, countNgrams, tfidfRows, type NgramCounts } from './tfidf.js'
import { graphemesOf } from '../text/graphemes.js'
import { LINK, maskLinks } from '../text/normalize.js'

export interface Explanation {
  /** The text by characters, links masked. */
  characters: string[]
  /** For each candidate: */
  candidates: CandidateExplanation[]
}

export interface CandidateExplanation {
  /** ngrams + encoder + intercept; relative to the mean over the candidates, as all parts are. */
  score: number
  ngrams: number
  encoder: number
  intercept: number
  /** For each character what the n-grams that cover it add; they sum to `ngrams`. */
  characters: number[]
  /** The strongest stretches of the text for and against, strongest first. */
  pieces: Piece[]
}

export interface Piece {
  text: string
  weight: number
}

const MOST_PIECES = 6

/** Takes the scores of a text apart. @param vector the encoder's vector of the text */
export function explain(attribution: Attribution, text: string, vector: Float32Array): Explanation {
  const { ngramModel, encoderModel, average, weights: [a, b] } = attribution
  const split = graphemesOf(maskLinks(text))
  const counts = countNgrams([text])
  const row = tfidfRows(counts, attribution.columns)
  const stretches = weighedStretches(attribution, text, split.length, counts, row)
  const shares = row.values.reduce((sum, value) => sum + value ** 2, 0) // 1, or 0 for a text without a known n-gram
  const heard = linearScores(withoutIntercept(encoderModel, vector.length), denseRows(vector, 1))
  const encoder = centred(heard.map((z, c) => b * (z - average.encoder[c])))
  const intercept = centred(
    heard.map((_, c) => a * (interceptOf(ngramModel, c) + shares * average.ngrams[c]) + b * (interceptOf(encoderModel, c) + average.encoder[c]))
  )
  return {
    characters: split,
    candidates: Array.from(encoder, (_, c) => {
      const shades = new Float64Array(split.length)
      for (const { start, end, parts } of stretches) for (let i = start; i < end; i++) shades[i] += parts[c] / (end - start)
      const ngrams = stretches.reduce((sum, { parts }) => sum + parts[c], 0)
      return {
        score: ngrams + encoder[c] + intercept[c],
        ngrams,
        encoder: encoder[c],
        intercept: intercept[c],
        characters: Array.from(shades),
        pieces: strongestPieces(stretches, split, c)
      }
    })
  }
}

/** The characters [start, end) of the text, and what the n-grams that cover just these add to each candidate. */
interface Stretch {
  start: number
  end: number
  parts: number[]
}

/** @param row the text's counts, weighted: a value for each counted n-gram that has a column, in the same order */
function weighedStretches(
  { columns, ngramModel, average, weights: [a] }: Attribution,
  text: string,
  length: number,
  counts: NgramCounts,
  row: SparseRows
): Stretch[] {
  const columnOf = columnFinder(columns, 0)
  const partsOf = new Map<number, number[]>() // of an n-gram, at each of its places
  let p = 0
  counts.buckets.forEach((bucket, n) => {
    const column = columnOf(bucket)
    if (column < 0) return
    const value = row.values[p++]
    const parts = Array.from(average.ngrams, (mean, c) => (a * (value * weightOf(ngramModel, column, c) - value ** 2 * mean)) / counts.counts[n])
    const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length
    partsOf.set(bucket, parts.map((part) => part - mean))
  })
  const stretches = new Map<number, Stretch>()
  for (const { bucket, start, end } of ngramPlaces(text)) {
    const parts = partsOf.get(bucket)
    if (!parts) continue
    const key = start * (length + 1) + end
    const stretch = stretches.get(key)
    if (stretch) parts.forEach((part, c) => (stretch.parts[c] += part))
    else stretches.set(key, { start, end, parts: [...parts] })
  }
  return [...stretches.values()]
}

/** The stretches that add most for or against a candidate, strongest first, none overlapping a stronger one. */
function strongestPieces(stretches: Stretch[], split: string[], c: number): Piece[] {
  const chosen: Stretch[] = []
  let left = stretches
  while (chosen.length < MOST_PIECES && left.length > 0) {
    const strongest = left.reduce((best, stretch) => (Math.abs(stretch.parts[c]) > Math.abs(best.parts[c]) ? stretch : best))
    chosen.push(strongest)
    left = left.filter(({ start, end }) => end <= strongest.start || strongest.end <= start)
  }
  return chosen.map(({ start, end, parts }) => ({ text: visible(split.slice(start, end)), weight: parts[c] }))
}

/** Spaces, line ends and links made visible. */
function visible(split: string[]): string {
  return split.join('').replaceAll(LINK, '🔗').replace(/[^\S\n]/gu, '␣').replaceAll('\n', '⏎')
}

/** Numbers less their mean. */
function centred(numbers: Float64Array): Float64Array {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
  return numbers.map((x) => x - mean)
}

/** The last column is the intercept's. */
function interceptOf(model: LinearModel, c: number): number {
  return weightOf(model, columnsOf(model) - 1, c)
}

function withoutIntercept({ weights, numberClasses }: LinearModel, columns: number): LinearModel {
  return { weights: weights.subarray(0, (weights.length / (columns + 1)) * columns), numberClasses }
}
