// Why a text is given to a candidate, exactly: each candidate's score is the sum of what the n-grams, the encoder and the
// intercept add to it. Only differences between candidates decide, so all parts are relative to the mean over them:
//
//   score_c = z_c − mean(z) = Σ_g piece_g,c + encoder_c + intercept_c
//
// An n-gram is compared with an average tweet: from its w_g,c · x_g we subtract the average tweet's score in proportion to
// the n-gram's share of the text, x_g² (rows have length 1, so the shares sum to 1). What is subtracted goes to the
// intercept, which so becomes the score of an average tweet. The encoder's part is treated alike. An n-gram's part is
// spread evenly over the characters that it covers, which shades the text.

import { madeVisible } from '../text/format.js'
import type { Attribution } from './attribution.js'
import type { Question } from './question.js'
import { columnFinder } from './tfidf.js'

export interface Explanation {
  /** The text by graphemes, links masked. */
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
  /** What the n-grams that cover each character add to it; they sum to `ngrams`. */
  characters: number[]
  /** The strongest stretches of the text for and against, strongest first. */
  pieces: Piece[]
}

export interface Piece {
  text: string
  weight: number
}

const MAX_PIECES = 6

/** Splits the candidates' scores for a text into their parts. */
export function explain(attribution: Attribution, question: Question): Explanation {
  const { ngramModel, encoderModel, average, weights: [a, b] } = attribution
  const { ngrams: { graphemes }, row, vector } = question
  const stretches = weighedStretches(attribution, question)
  const shares = row.values.reduce((sum, value) => sum + value ** 2, 0) // 1, or 0 for a text without a known n-gram
  const byEncoder = encoderModel.logits({ rows: 1, columns: vector.length, values: vector }).map((z, c) => z - encoderModel.interceptOf(c))
  const encoder = centred(byEncoder.map((z, c) => b * (z - average.encoder[c])))
  const intercept = centred(
    byEncoder.map((_, c) => a * (ngramModel.interceptOf(c) + shares * average.ngrams[c]) + b * (encoderModel.interceptOf(c) + average.encoder[c]))
  )
  return {
    characters: graphemes,
    candidates: Array.from(encoder, (_, c) => {
      const shades = new Float64Array(graphemes.length)
      for (const { start, end, parts } of stretches) for (let i = start; i < end; i++) shades[i] += parts[c] / (end - start)
      const ngrams = stretches.reduce((sum, { parts }) => sum + parts[c], 0)
      return {
        score: ngrams + encoder[c] + intercept[c],
        ngrams,
        encoder: encoder[c],
        intercept: intercept[c],
        characters: Array.from(shades),
        pieces: strongestPieces(stretches, graphemes, c)
      }
    })
  }
}

/** The characters [start, end) of the text, and what the n-grams that cover exactly these add to each candidate. */
interface Stretch {
  start: number
  end: number
  parts: number[]
}

function weighedStretches(attribution: Attribution, { ngrams, counts, row }: Question): Stretch[] {
  const partsOf = partsOfBuckets(attribution, counts, row)
  const { buckets, starts, ends, graphemes } = ngrams
  const stretches = new Map<number, Stretch>()
  buckets.forEach((bucket, p) => {
    const parts = partsOf.get(bucket)
    if (!parts) return
    const [start, end] = [starts[p], ends[p]]
    const key = start * (graphemes.length + 1) + end
    const stretch = stretches.get(key)
    if (stretch) parts.forEach((part, c) => (stretch.parts[c] += part))
    else stretches.set(key, { start, end, parts: [...parts] })
  })
  return [...stretches.values()]
}

/** What an n-gram adds to each candidate at each of its places; `row` has a value for each counted n-gram with a column. */
function partsOfBuckets(
  { columns, ngramModel, average, weights: [a] }: Attribution,
  { buckets, counts }: Question['counts'],
  row: Question['row']
): Map<number, number[]> {
  const columnOf = columnFinder(columns)
  const partsOf = new Map<number, number[]>()
  let p = 0
  buckets.forEach((bucket, n) => {
    const column = columnOf(bucket)
    if (column < 0) return
    const value = row.values[p++]
    const parts = Array.from(average.ngrams, (mean, c) => (a * (value * ngramModel.weightOf(column, c) - value ** 2 * mean)) / counts[n])
    const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length
    partsOf.set(bucket, parts.map((part) => part - mean))
  })
  return partsOf
}

/** The stretches that count most for or against a candidate, strongest first; none overlaps a stronger one. */
function strongestPieces(stretches: Stretch[], graphemes: string[], c: number): Piece[] {
  const chosen: Stretch[] = []
  let left = stretches
  while (chosen.length < MAX_PIECES && left.length > 0) {
    const strongest = left.reduce((best, stretch) => (Math.abs(stretch.parts[c]) > Math.abs(best.parts[c]) ? stretch : best))
    chosen.push(strongest)
    left = left.filter(({ start, end }) => end <= strongest.start || strongest.end <= start)
  }
  return chosen.map(({ start, end, parts }) => ({ text: madeVisible(graphemes.slice(start, end).join('')), weight: parts[c] }))
}

/** The numbers minus their mean. */
function centred(numbers: Float64Array): Float64Array {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
  return numbers.map((x) => x - mean)
}
