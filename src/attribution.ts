// Who most likely wrote a text: two softmax regressions on the candidates' own tweets, one on how they are written
// (character and shape n-grams) and one on what an encoder hears in the whole text, and their logits added:
//
//   z(text) = a · z_ngrams(text) + b · z_encoder(text),   p = softmax(z)
//
// a and b are chosen by cross-validation on the candidates' own tweets (src/stacking.ts), which also says how far the
// answer can be trusted and when it is no answer (src/reliability.ts).

import { foldsOf, heldOutLogits } from './cross-validation.js'
import { denseRows, withIntercept } from './features.js'
import { balancedWeights, linearScores, SoftmaxRegression, weightOf, type LinearModel } from './logistic-regression.js'
import { bestTwo, nearness, nearnessThreshold, reliabilityOf, scatter, type Reliability } from './reliability.js'
import { stackingWeights } from './stacking.js'
import { chooseColumns, countNgrams, knownShares, styleRows, type NgramColumns, type SparseRows } from './style.js'

/** n tweets of k users: text i is by user labels[i] (0 … k−1) and has the encoder's vector i; the vectors lie end to end. */
export interface TrainingSet {
  texts: string[]
  vectors: Float32Array
  labels: Int32Array
}

/** n×k numbers by each of the two models. */
export interface Logits {
  ngrams: Float64Array
  encoder: Float64Array
}

/** A fitted attribution. */
export interface Attribution {
  columns: NgramColumns
  /** The tweets' n-grams, in the order of the training set. */
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

// Chosen on two files of accounts with the table in bench/README.md.
const PENALTY = { ngrams: 0.01, encoder: 0.1 }
const FOLDS = 5
const TOLERANCE = 1e-4 // at 1e-3 a fit takes half the time and accuracy is .01 lower on six accounts

/** Fits an attribution on tweets of two or more users; `features` leaves one of the two models out, to compare. */
export function fitAttribution(set: TrainingSet, features: 'ngrams' | 'encoder' | 'both' = 'both'): Attribution {
  const { texts, labels } = set
  const counts = countNgrams(texts)
  const columns = chooseColumns(counts)
  const ngrams = styleRows(counts, columns)
  const foldOf = foldsOf(texts, labels, FOLDS)
  const style = fitHeldOut(withIntercept(ngrams), labels, foldOf, PENALTY.ngrams)
  const whole = fitHeldOut(withIntercept(denseRows(set.vectors, texts.length)), labels, foldOf, PENALTY.encoder)
  const weights = stackingWeights([features === 'encoder' ? null : style.heldOut, features === 'ngrams' ? null : whole.heldOut], labels)
  const heldOut = { ngrams: style.heldOut.map((z) => weights[0] * z), encoder: whole.heldOut.map((z) => weights[1] * z) }
  return {
    columns,
    ngrams,
    heldOut,
    ngramModel: style.model,
    encoderModel: whole.model,
    average: { ngrams: style.average, encoder: whole.average },
    weights,
    reliability: reliabilityOf(sum(heldOut), labels),
    nearnessThreshold: nearnessThreshold(ngrams, knownShares(counts, columns, true), labels)
  }
}

/** n×k logits of texts with their vectors, weighted: the n-grams' and the encoder's. */
export function logitsOf({ columns, ngramModel, encoderModel, weights: [a, b] }: Attribution, texts: string[], vectors: Float32Array): Logits {
  const ngrams = linearScores(ngramModel, withIntercept(styleRows(countNgrams(texts), columns)))
  const encoder = linearScores(encoderModel, withIntercept(denseRows(vectors, texts.length)))
  return { ngrams: ngrams.map((z) => a * z), encoder: encoder.map((z) => b * z) }
}

/** The logits that decide. */
export function sum({ ngrams, encoder }: Logits): Float64Array {
  return ngrams.map((z, i) => z + encoder[i])
}

/** Whether logits name somebody, and whether the text is near enough to what they write. */
export function verdictOf({ columns, ngrams, nearnessThreshold, reliability }: Attribution, text: string, z: Float64Array): Verdict {
  const row = new Float32Array(ngrams.columns)
  const counts = countNgrams([text])
  scatter(styleRows(counts, columns), 0, row)
  if (knownShares(counts, columns, false)[0] * nearness(ngrams, row) < nearnessThreshold) return 'unlike any of them'
  const [best, second] = bestTwo(z)
  return z[best] - z[second] <= reliability.closeMargin ? 'too close to call' : 'named'
}

interface Fitted {
  model: LinearModel
  /** The average row's scores without the intercept, classes counting the same. */
  average: Float64Array
  /** n×k logits, each row's by a model that did not see it. */
  heldOut: Float64Array
}

function fitHeldOut(rows: SparseRows, labels: Int32Array, foldOf: Int32Array, penalty: number): Fitted {
  const fit = (rowWeights: Float64Array): SoftmaxRegression => {
    const model = new SoftmaxRegression({ penalty, interceptColumn: rows.columns - 1, tolerance: TOLERANCE })
    model.train(rows, labels, { rowWeights })
    return model
  }
  const rowWeights = balancedWeights(labels)
  const { weights, numberClasses } = fit(rowWeights)
  const model = { weights, numberClasses }
  return { model, average: averageScores(model, rows, rowWeights), heldOut: heldOutLogits(rows, labels, foldOf, fit) }
}

function averageScores(model: LinearModel, rows: SparseRows, rowWeights: Float64Array): Float64Array {
  const k = model.numberClasses
  const scores = linearScores(model, rows)
  return Float64Array.from({ length: k }, (_, c) => {
    const mean = rowWeights.reduce((sum, weight, i) => sum + weight * scores[i * k + c], 0) / rows.rows
    return mean - weightOf(model, rows.columns - 1, c)
  })
}
