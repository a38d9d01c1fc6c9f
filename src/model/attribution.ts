// Who most likely wrote a text: two softmax regressions on the candidates' own tweets, one on how they are written
// (character and shape n-grams) and one on what an encoder hears in the whole text, and their logits added:
//
//   z(text) = a · z_ngrams(text) + b · z_encoder(text),   p = softmax(z)
//
// a and b are chosen by cross-validation on the candidates' own tweets (src/stacking.ts), which also says how far the
// answer can be trusted and when it is no answer (src/reliability.ts).

import { foldsOf, heldOutLogits, templateOf } from './cross-validation.js'
import { denseRows, transposed, withIntercept, type DenseRows, type SparseRows } from '../regression/sparse-matrix.js'
import { gramOf, gramOfColumns, type Gram } from '../regression/gram-matrix.js'
import { balancedWeights, checkClasses, linearScores, type LinearModel } from '../regression/softmax-regression.js'
import { bestTwo, nearness, nearnessThreshold, reliabilityOf, type Reliability } from './reject-option.js'
import { fitDual, modelOf, type DualFit } from '../regression/kernel-logistic-regression.js'
import { stackingWeights } from './stacking.js'
import { chooseColumns, countNgrams, joinCounts, knownShares, tfidfRows, type NgramColumns, type NgramCounts } from './tfidf.js'
import { joinVectors } from '../core/vectors.js'

/** What is read off each of n texts, whoever is compared with whom. */
export interface TextsRead {
  counts: NgramCounts
  templates: string[]
}

/** n tweets of k users: tweet i is by user labels[i] (0 … k−1) and has the encoder's vector i; the vectors lie end to end. */
export interface TrainingSet {
  labels: Int32Array
  templates: string[]
  /** In any number of lots, one behind the other: */
  counts: NgramCounts[]
  vectors: Float32Array[]
}

/** What one of the two models is fitted on; foldOf tells each tweet's part in the cross-validation. */
type Half<T> = T & Pick<TrainingSet, 'labels'> & { foldOf: Int32Array }

/** n×k numbers by each of the two models. */
export interface Logits {
  ngrams: Float64Array
  encoder: Float64Array
}

/** A fitted attribution. */
export interface Attribution {
  columns: NgramColumns
  /** The tweets' n-grams by the column: its row j has the tweets, in the order of the training set, with the n-gram of column j. */
  ngrams: SparseRows
  /** n×k logits of the tweets, each by models that did not see it, weighted: the n-grams' and the encoder's. */
  heldOut: Logits
  ngramModel: LinearModel
  encoderModel: LinearModel
  /** The average tweet's scores by the features alone, without the intercepts; k numbers of each model. */
  average: Logits
  /** [a, b]: how much the n-grams' and the encoder's logits count. */
  weights: [number, number]
  reliability: Reliability
  nearnessThreshold: number
}

export type Verdict = 'named' | 'too close to call' | 'unlike any of them'

// Chosen on two files of accounts with the table in bench/README.md. At twice the folds' tolerance accuracy is .006 lower on
// six accounts; the model of all starts where theirs ended, so that more closeness costs it little.
const PENALTY = { ngrams: 0.01, encoder: 0.1 }
const FOLDS = [{ fewest: 800, folds: 2 }, { fewest: 400, folds: 3 }, { fewest: 0, folds: 5 }] // models of half of many tweets are as good
const TOLERANCE = 2e-4
const FOLD_TOLERANCE = 1e-3
const ROUNDING = 1e-5 // cosines are in single precision

/** Reads texts. */
export function readTexts(texts: string[]): TextsRead {
  return { counts: countNgrams(texts), templates: texts.map(templateOf) }
}

/** Fits an attribution on texts of two or more users; `features` leaves one of the two models out, to compare. */
export function fitAttribution(
  { texts, vectors, labels }: { texts: string[]; vectors: Float32Array; labels: Int32Array },
  features: 'ngrams' | 'encoder' | 'both' = 'both'
): Attribution {
  const { counts, templates } = readTexts(texts)
  const foldOf = foldsFor({ templates, labels })
  return mix(fitNgrams({ counts: [counts], labels, foldOf }), fitEncoder({ vectors: [vectors], labels, foldOf }), labels, features)
}

/** The tweets' folds. */
export function foldsFor({ templates, labels }: Pick<TrainingSet, 'templates' | 'labels'>): Int32Array {
  return foldsOf(templates, labels, FOLDS.find(({ fewest }) => labels.length >= fewest)!.folds)
}

/** What one of the two models learns. */
interface Fitted {
  model: LinearModel
  /** The average row's scores without the intercept, classes counting the same. */
  average: Float64Array
  /** n×k logits, each row's by a model that did not see it. */
  heldOut: Float64Array
}

export interface FittedNgrams extends Fitted, Pick<Attribution, 'columns' | 'ngrams' | 'nearnessThreshold'> {}

/** The model of how the tweets are written. */
export function fitNgrams({ counts: lots, labels, foldOf }: Half<Pick<TrainingSet, 'counts'>>): FittedNgrams {
  const counts = joinCounts(lots)
  const columns = chooseColumns(counts)
  const rows = tfidfRows(counts, columns)
  const ngrams = transposed(rows)
  const gram = gramOfColumns(ngrams)
  const threshold = nearnessThreshold(gram, knownShares(counts, columns, true), labels)
  return { columns, ngrams, nearnessThreshold: threshold, ...fitHeldOut(rows, gram, labels, foldOf, PENALTY.ngrams) }
}

/** The model of what the encoder hears. */
export function fitEncoder({ vectors, labels, foldOf }: Half<Pick<TrainingSet, 'vectors'>>): Fitted {
  const values = joinVectors(vectors)
  const rows = { rows: labels.length, columns: values.length / labels.length, values }
  return fitHeldOut(rows, gramOf(rows), labels, foldOf, PENALTY.encoder)
}

/** The two models' logits added, and what their held-out logits say of the answers. */
export function mix(style: FittedNgrams, whole: Fitted, labels: Int32Array, features: 'ngrams' | 'encoder' | 'both' = 'both'): Attribution {
  const weights = stackingWeights([features === 'encoder' ? null : style.heldOut, features === 'ngrams' ? null : whole.heldOut], labels)
  const heldOut = { ngrams: style.heldOut.map((z) => weights[0] * z), encoder: whole.heldOut.map((z) => weights[1] * z) }
  return {
    columns: style.columns,
    ngrams: style.ngrams,
    heldOut,
    ngramModel: style.model,
    encoderModel: whole.model,
    average: { ngrams: style.average, encoder: whole.average },
    weights,
    reliability: reliabilityOf(sum(heldOut), labels),
    nearnessThreshold: style.nearnessThreshold
  }
}

/** A model of all rows, and held-out logits by one of each fold's other rows: several fits on one Gram matrix. */
function fitHeldOut(rows: SparseRows | DenseRows, gram: Gram, labels: Int32Array, foldOf: Int32Array, penalty: number): Fitted {
  const classes = checkClasses(rows, labels)
  const parts: DualFit[] = []
  const heldOut = heldOutLogits(labels, foldOf, (rowWeights) => {
    const part = fitDual(gram, labels, rowWeights, { classes, penalty, tolerance: FOLD_TOLERANCE })
    parts.push(part)
    return part.scores
  })
  const rowWeights = balancedWeights(labels)
  const all = fitDual(gram, labels, rowWeights, { classes, penalty, tolerance: TOLERANCE, start: meanOf(parts) })
  const average = Float64Array.from({ length: classes }, (_, c) => {
    const sum = rowWeights.reduce((sum, weight, i) => sum + weight * (all.scores[i * classes + c] - all.intercepts[c]), 0)
    return sum / rows.rows
  })
  return { model: modelOf(all, rows), average, heldOut } // the model last: it takes the Gram matrix's memory
}

/** Where the model of all rows is to be found, about: each row is in all parts but one. */
function meanOf(parts: DualFit[]): Pick<DualFit, 'coefficients' | 'intercepts'> {
  const mean = (arrays: Float64Array[], count: number): Float64Array =>
    arrays[0].map((_, j) => arrays.reduce((sum, array) => sum + array[j], 0) / count)
  return {
    coefficients: parts[0].coefficients.map((_, g) => mean(parts.map(({ coefficients }) => coefficients[g]), parts.length - 1)),
    intercepts: mean(parts.map(({ intercepts }) => intercepts), parts.length)
  }
}

/** n×k logits of texts with their vectors, weighted: the n-grams' and the encoder's. */
export function logitsOf({ columns, ngramModel, encoderModel, weights: [a, b] }: Attribution, texts: string[], vectors: Float32Array): Logits {
  const ngrams = linearScores(ngramModel, withIntercept(tfidfRows(countNgrams(texts), columns)))
  const encoder = linearScores(encoderModel, withIntercept(denseRows(vectors, texts.length)))
  return { ngrams: ngrams.map((z) => a * z), encoder: encoder.map((z) => b * z) }
}

/** The logits that decide. */
export function sum({ ngrams, encoder }: Logits): Float64Array {
  return ngrams.map((z, i) => z + encoder[i])
}

/** Whether logits name somebody, and whether the text is near enough to what they write. */
export function verdictOf({ columns, ngrams, nearnessThreshold, reliability }: Attribution, text: string, z: Float64Array): Verdict {
  const counts = countNgrams([text])
  if (knownShares(counts, columns, false)(0) * nearness(ngrams, tfidfRows(counts, columns)) < nearnessThreshold - ROUNDING) return 'unlike any of them'
  const [best, second] = bestTwo(z)
  return z[best] - z[second] <= reliability.closeMargin ? 'too close to call' : 'named'
}
