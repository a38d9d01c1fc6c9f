// Who most likely wrote a text: two softmax regressions on the candidates' own tweets, one on n-gram features (characters
// and shapes), one on sentence-embedding features, and their logits added:
//
//   z(text) = a · z_ngrams(text) + b · z_encoder(text),   p = softmax(z)
//
// a and b are chosen by cross-validation on the candidates' own tweets (stacking.ts), which also tells how reliable the
// answers are and when to give none (reject-option.ts).

import { withJoinedVectors } from '../core/vectors.js'
import { balancedWeights } from '../regression/classes.js'
import { withGramMatrix, type GramMatrix } from '../regression/gram-matrix.js'
import type { DualSolution } from '../regression/kernel-logistic-regression.js'
import { SoftmaxRegression } from '../regression/softmax-regression.js'
import type { DenseRows, SparseColumns, SparseRows } from '../regression/sparse-matrix.js'
import { foldsOf, heldOutLogits, templateOf } from './cross-validation.js'
import { noveltyThresholdOf, reliabilityOf, type Reliability } from './reject-option.js'
import { stackingWeights, sum, type Logits } from './stacking.js'
import { chooseColumns, countNgrams, knownShares, tfidfByColumn, withJoinedCounts, type NgramColumns, type NgramCounts } from './tfidf.js'
import { mapOf, type TweetMap } from './tweet-map.js'

/** What is read from each of n texts, whoever will be compared with whom. */
export interface TextsRead {
  counts: NgramCounts
  templates: string[]
}

/** n tweets of k users: tweet i is by user labels[i] (0 … k−1) and has the encoder's vector i. */
export interface TrainingSet {
  labels: Int32Array
  templates: string[]
  /** In any number of lots, one behind the other: */
  counts: NgramCounts[]
  vectors: Float32Array[]
}

/** What one of the two models is fitted on; foldOf is each tweet's fold in the cross-validation. */
type ModelInput<T> = T & Pick<TrainingSet, 'labels'> & { foldOf: Int32Array }

/** A fitted attribution. */
export interface Attribution {
  columns: NgramColumns
  /** The tweets' tf–idf by the column: its row j has the tweets, in the order of the training set, with the n-gram of column j. */
  ngrams: SparseRows
  /** n×k logits of the tweets, each by models that have not seen it, weighted by a and b. */
  heldOut: Logits
  ngramModel: SoftmaxRegression
  encoderModel: SoftmaxRegression
  /** The average tweet's logits without the intercepts; k numbers of each model. */
  average: Logits
  /** [a, b]: how much the logits of the n-grams and of the encoder count. */
  weights: [number, number]
  reliability: Reliability
  noveltyThreshold: number
  map: TweetMap
}

/** Which of the two models are used; one alone is for comparing. */
export type Features = 'ngrams' | 'encoder' | 'both'

// Chosen on two files of accounts with the table in docs/accuracy.md. At twice the folds' tolerance accuracy is .006 lower
// on six accounts; the model of all rows starts near its optimum, so a finer tolerance costs it little.
const PENALTY = { ngrams: 0.01, encoder: 0.1 }
const FOLDS = [{ fewest: 800, folds: 2 }, { fewest: 400, folds: 3 }, { fewest: 0, folds: 5 }] // half of many tweets is enough to learn from
const TOLERANCE = 2e-4
const FOLD_TOLERANCE = 1e-3

/** Reads texts. */
export function readTexts(texts: string[]): TextsRead {
  return { counts: countNgrams(texts), templates: texts.map(templateOf) }
}

/** Fits an attribution on texts of two or more users, all on this thread. */
export function fitAttribution(
  { texts, vectors, labels }: { texts: string[]; vectors: Float32Array; labels: Int32Array },
  features: Features = 'both'
): Attribution {
  const { counts, templates } = readTexts(texts)
  const foldOf = foldsFor({ templates, labels })
  const ngrams = fitNgramModel({ counts: [counts], labels, foldOf })
  const encoder = fitEncoderModel({ vectors: [vectors], labels, foldOf })
  return assemble(ngrams, encoder, stack({ ngrams: ngrams.heldOut, encoder: encoder.heldOut }, labels, features))
}

/** The tweets' folds. */
export function foldsFor({ templates, labels }: Pick<TrainingSet, 'templates' | 'labels'>): Int32Array {
  return foldsOf(templates, labels, FOLDS.find(({ fewest }) => labels.length >= fewest)!.folds)
}

/** What one of the two models learns, as plain numbers that can be handed from thread to thread. */
export interface FittedModel {
  /** See {@link SoftmaxRegression.weights}. */
  weights: Float64Array
  /** The average row's logits without the intercept; each class counts the same. */
  average: Float64Array
  /** n×k logits, each row's by a model that has not seen it. */
  heldOut: Float64Array
}

export interface FittedNgramModel extends FittedModel, Pick<Attribution, 'columns' | 'ngrams' | 'noveltyThreshold'> {}

/** Fits the model on n-gram features. */
export function fitNgramModel({ counts: lots, labels, foldOf }: ModelInput<Pick<TrainingSet, 'counts'>>): FittedNgramModel {
  return withJoinedCounts(lots, (counts) => {
    const chosen = chooseColumns(counts)
    const { columns, columnOf } = chosen
    const ngrams = tfidfByColumn(counts, chosen)
    const rows = { rows: ngrams.columns, columns: ngrams.rows, byColumn: ngrams }
    const { noveltyThreshold, ...fits } = withGramMatrix(rows, (gram) => ({
      noveltyThreshold: noveltyThresholdOf(gram, knownShares(counts, columns, true, columnOf), labels),
      ...fitWithFolds(rows, gram, labels, foldOf, PENALTY.ngrams)
    }))
    chosen.release()
    return { columns, ngrams, noveltyThreshold, ...fittedModel(fits, labels) }
  })
}

/** Fits the model on sentence-embedding features. */
export function fitEncoderModel({ vectors, labels, foldOf }: ModelInput<Pick<TrainingSet, 'vectors'>>): FittedModel {
  return withJoinedVectors(vectors, (values) => {
    const rows = { rows: labels.length, columns: values.length / labels.length, values }
    return fittedModel(withGramMatrix(rows, (gram) => fitWithFolds(rows, gram, labels, foldOf, PENALTY.encoder)), labels)
  })
}

/** A model of all rows, and the rows' logits by models of the other folds. */
interface Fits {
  model: SoftmaxRegression
  heldOut: Float64Array
}

/** Several fits on one Gram matrix. */
function fitWithFolds(rows: SparseColumns | DenseRows, gram: GramMatrix, labels: Int32Array, foldOf: Int32Array, penalty: number): Fits {
  const solutions: DualSolution[] = []
  const heldOut = heldOutLogits(labels, foldOf, (rowWeights) => {
    const model = new SoftmaxRegression({ penalty, intercept: true, tolerance: FOLD_TOLERANCE })
    model.train(rows, labels, { rowWeights, gram })
    solutions.push(model.dual!)
    return model.trainingLogits
  })
  const model = new SoftmaxRegression({ penalty, intercept: true, tolerance: TOLERANCE })
  model.train(rows, labels, { gram, start: meanOf(solutions) })
  return { model, heldOut }
}

/** About where the model of all rows will be: each row is in all of these fits but one. */
function meanOf(solutions: DualSolution[]): DualSolution {
  const mean = (arrays: Float64Array[], count: number): Float64Array =>
    arrays[0].map((_, j) => arrays.reduce((sum, array) => sum + array[j], 0) / count)
  return {
    coefficients: solutions[0].coefficients.map((_, g) => mean(solutions.map(({ coefficients }) => coefficients[g]), solutions.length - 1)),
    intercepts: mean(solutions.map(({ intercepts }) => intercepts), solutions.length)
  }
}

/** What is kept of the fits. The weights are made here, after the Gram matrix's memory has been given back. */
function fittedModel({ model, heldOut }: Fits, labels: Int32Array): FittedModel {
  const k = model.numberClasses
  const rowWeights = balancedWeights(labels)
  const average = Float64Array.from({ length: k }, (_, c) => {
    const intercept = model.interceptOf(c)
    return rowWeights.reduce((sum, weight, i) => sum + weight * (model.trainingLogits[i * k + c] - intercept), 0) / labels.length
  })
  return { weights: model.weights, average, heldOut }
}

/** What the two models' held-out logits tell together. */
export type Stacked = Pick<Attribution, 'weights' | 'heldOut' | 'reliability' | 'map'>

/** Chooses how much each model counts, and judges the sum of their held-out logits. */
export function stack({ ngrams, encoder }: Logits, labels: Int32Array, features: Features = 'both'): Stacked {
  const weights = stackingWeights([features === 'encoder' ? null : ngrams, features === 'ngrams' ? null : encoder], labels)
  const heldOut = { ngrams: ngrams.map((z) => weights[0] * z), encoder: encoder.map((z) => weights[1] * z) }
  return { weights, heldOut, reliability: reliabilityOf(sum(heldOut), labels), map: mapOf(heldOut, labels.length) }
}

/** Puts the parts together, which may come from several threads. */
export function assemble(ngrams: FittedNgramModel, encoder: FittedModel, stacked: Stacked): Attribution {
  const modelOf = ({ weights, average }: FittedModel): SoftmaxRegression =>
    SoftmaxRegression.ofWeights(weights, average.length, { intercept: true })
  return {
    ...stacked,
    columns: ngrams.columns,
    ngrams: ngrams.ngrams,
    noveltyThreshold: ngrams.noveltyThreshold,
    ngramModel: modelOf(ngrams),
    encoderModel: modelOf(encoder),
    average: { ngrams: ngrams.average, encoder: encoder.average }
  }
}
