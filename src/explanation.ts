// Why a text is given to somebody, exactly: each candidate's score is taken apart into what the n-grams, the encoder and
// the intercept add to it. Only differences between candidates decide, so all parts are told relative to the mean over
// the candidates:
//
//   score_c = z_c − mean(z) = Σ_g piece_g,c + encoder_c + intercept_c
//
// An n-gram's part is spread evenly over the characters that it covers, which shades the text.

import type { Attribution } from './attribution.js'
import { denseRows } from './features.js'
import { columnsOf, linearScores, weightOf, type LinearModel } from './logistic-regression.js'
import { columnFinder, countNgrams, ngramPlaces, styleRows } from './style.js'
import { characters, LINK, maskLinks } from './text.js'

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
  const { ngramModel, encoderModel, weights: [a, b] } = attribution
  const split = characters(maskLinks(text))
  const places = weighedPlaces(attribution, text)
  const encoder = centred(linearScores(withoutIntercept(encoderModel, vector.length), denseRows(vector, 1)), b)
  const intercept = centred(interceptsOf(ngramModel), a).map((part, c) => part + centred(interceptsOf(encoderModel), b)[c])
  return {
    characters: split,
    candidates: Array.from(encoder, (_, c) => {
      const shades = new Float64Array(split.length)
      for (const { start, end, parts } of places) for (let i = start; i < end; i++) shades[i] += parts[c] / (end - start)
      const ngrams = places.reduce((sum, { parts }) => sum + parts[c], 0)
      return {
        score: ngrams + encoder[c] + intercept[c],
        ngrams,
        encoder: encoder[c],
        intercept: intercept[c],
        characters: Array.from(shades),
        pieces: strongestPieces(places, split, c)
      }
    })
  }
}

interface WeighedPlace {
  start: number
  end: number
  /** What the n-gram adds here to each candidate. */
  parts: Float64Array
}

/** The text's n-grams where they stand, with what each adds to each candidate. */
function weighedPlaces({ columns, ngramModel, weights: [a] }: Attribution, text: string): WeighedPlace[] {
  const counts = countNgrams([text])
  const row = styleRows(counts, columns)
  const columnOf = columnFinder(columns, 0)
  const valueOf = new Map(Array.from(row.indices, (column, p) => [column, row.values[p]]))
  const countOf = new Map(Array.from(counts.buckets, (bucket, p) => [bucket, counts.counts[p]]))
  return ngramPlaces(text).flatMap(({ bucket, start, end }) => {
    const column = columnOf(bucket)
    if (column < 0) return []
    const value = valueOf.get(column)! / countOf.get(bucket)!
    const parts = Float64Array.from({ length: ngramModel.numberClasses }, (_, c) => value * weightOf(ngramModel, column, c))
    return [{ start, end, parts: centred(parts, a) }]
  })
}

/** The stretches whose n-grams add most for or against a candidate, none overlapping a stronger one. */
function strongestPieces(places: WeighedPlace[], split: string[], c: number): Piece[] {
  const sums = new Map<string, { start: number; end: number; weight: number }>()
  for (const { start, end, parts } of places) {
    const key = `${start} ${end}`
    const piece = sums.get(key) ?? { start, end, weight: 0 }
    piece.weight += parts[c]
    sums.set(key, piece)
  }
  const pieces = [...sums.values()].sort((p, q) => Math.abs(q.weight) - Math.abs(p.weight))
  const chosen: typeof pieces = []
  for (const piece of pieces) {
    if (chosen.length === MOST_PIECES) break
    if (!chosen.some(({ start, end }) => piece.start < end && start < piece.end)) chosen.push(piece)
  }
  return chosen.map(({ start, end, weight }) => ({ text: visible(split.slice(start, end)), weight }))
}

/** Spaces, line ends and links made visible. */
function visible(split: string[]): string {
  return split.join('').replaceAll(LINK, '🔗').replaceAll(' ', '␣').replaceAll('\n', '⏎')
}

/** Numbers less their mean, times a factor. */
function centred(numbers: Float64Array, factor: number): Float64Array {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
  return numbers.map((x) => factor * (x - mean))
}

/** The last column is the intercept's. */
function interceptsOf(model: LinearModel): Float64Array {
  const last = columnsOf(model) - 1
  return Float64Array.from({ length: model.numberClasses }, (_, c) => weightOf(model, last, c))
}

function withoutIntercept({ weights, numberClasses }: LinearModel, columns: number): LinearModel {
  return { weights: weights.subarray(0, (weights.length / (columns + 1)) * columns), numberClasses }
}
