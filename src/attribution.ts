// Who most likely wrote a text: two softmax regressions on the candidates' own tweets, one on how they are written
// (weighted character n-grams) and one on what an encoder hears in the whole text, and their logits added:
//
//   z(text) = a · z_ngrams(text) + b · z_encoder(text),   p = softmax(z)
//
// a and b are fitted on cross-validated logits of the candidates' own tweets, which is stacking (Wolpert 1992,
// "Stacked Generalization") and temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks",
// section 4.2) in one: they say how much either model is to be heard and how sure the sum may be.

import { minimise } from './lbfgs.js'
import { balancedWeights, softmaxInPlace, SoftmaxRegression } from './logistic-regression.js'
import { chooseColumns, countNgrams, styleRows, type NgramColumns, type SparseRows } from './style.js'

/** n tweets of k users: text i is by user labels[i] (0 … k−1) and has the encoder's vector i; the vectors lie end to end. */
export interface TrainingSet {
  texts: string[]
  vectors: Float32Array
  labels: Int32Array
}

export interface AttributionOptions {
  features?: 'ngrams' | 'encoder' | 'both'
  ngramPenalty?: number
  encoderPenalty?: number
  folds?: number
  priorStrength?: number
}

/** A fitted attribution. */
export interface Attribution {
  columns: NgramColumns
  ngramModel: SoftmaxRegression
  encoderModel: SoftmaxRegression
  /** [a, b]: how much the n-grams' and the encoder's logits count. */
  mix: [number, number]
}

const PENALTY = { ngrams: 0.01, encoder: 0.05 }
const PRIOR: [number, number] = [0.8, 0.4]
const FOLDS = 5

/** Fits the attribution on tweets of two or more users. */
export function fitAttribution(set: TrainingSet, options: AttributionOptions = {}): Attribution {
  const { features = 'both', folds = FOLDS, ngramPenalty = PENALTY.ngrams, encoderPenalty = PENALTY.encoder } = options
  const counts = countNgrams(set.texts)
  const columns = chooseColumns(counts)
  const ngrams = withIntercept(styleRows(counts, columns))
  const dense = withIntercept(denseRows(set.vectors, set.texts.length))
  const foldOf = foldsOf(set.labels, folds)
  const ngramModel = fit(ngrams, set.labels, ngramPenalty)
  const encoderModel = fit(dense, set.labels, encoderPenalty)
  const heldOut = [
    features === 'encoder' ? null : heldOutLogits(ngrams, set.labels, foldOf, ngramModel, ngramPenalty),
    features === 'ngrams' ? null : heldOutLogits(dense, set.labels, foldOf, encoderModel, encoderPenalty)
  ]
  const mix = fitMix(heldOut, set.labels, options.priorStrength ?? 4)
  return { columns, ngramModel, encoderModel, mix }
}

/** The logits z of texts with their vectors: n×k numbers. */
export function attributeLogits(attribution: Attribution, texts: string[], vectors: Float32Array): Float64Array {
  const { columns, ngramModel, encoderModel, mix } = attribution
  const ngrams = ngramModel.logits(withIntercept(styleRows(countNgrams(texts), columns)))
  const encoder = encoderModel.logits(withIntercept(denseRows(vectors, texts.length)))
  return ngrams.map((z, i) => mix[0] * z + mix[1] * encoder[i])
}

/** The probability of each user for one text. */
export function attribute(attribution: Attribution, text: string, vector: Float32Array): Float64Array {
  const probabilities = attributeLogits(attribution, [text], vector)
  softmaxInPlace(probabilities)
  return probabilities
}

function fit(rows: SparseRows, labels: Int32Array, penalty: number, rowWeights?: Float64Array, start?: SoftmaxRegression): SoftmaxRegression {
  const model = new SoftmaxRegression({ penalty, interceptColumn: rows.columns - 1, tolerance: 1e-4 })
  model.train(rows, labels, { rowWeights, start })
  return model
}

/** Each row's logits by a model that was fitted without the row's fold. */
function heldOutLogits(rows: SparseRows, labels: Int32Array, foldOf: Int32Array, full: SoftmaxRegression, penalty: number): Float64Array {
  const k = full.numberClasses
  const weights = balancedWeights(labels, k)
  const logits = new Float64Array(rows.rows * k)
  const folds = Math.max(...foldOf) + 1
  for (let fold = 0; fold < folds; fold++) {
    const model = fit(rows, labels, penalty, weights.map((w, i) => (foldOf[i] === fold ? 0 : w)), full)
    const all = model.logits(rows)
    for (let i = 0; i < rows.rows; i++) if (foldOf[i] === fold) logits.set(all.subarray(i * k, i * k + k), i * k)
  }
  return logits
}

/** Folds of consecutive tweets of each user, so that a conversation is not split between train and test. */
function foldsOf(labels: Int32Array, folds: number): Int32Array {
  const sizes = new Map<number, number>()
  for (const c of labels) sizes.set(c, (sizes.get(c) ?? 0) + 1)
  const seen = new Map<number, number>()
  return Int32Array.from(labels, (c) => {
    const place = seen.get(c) ?? 0
    seen.set(c, place + 1)
    return Math.floor((place * folds) / sizes.get(c)!)
  })
}

/** The mix with the least held-out log-loss, drawn a little towards the prior where tweets are few. */
function fitMix(heldOut: (Float64Array | null)[], labels: Int32Array, strength: number): [number, number] {
  const n = labels.length
  const k = (heldOut[0] ?? heldOut[1])!.length / n
  const z = new Float64Array(k)
  const { x } = minimise((logs, gradient) => {
    const mix = heldOut.map((part, m) => (part ? Math.exp(logs[m]) : 0))
    let loss = 0
    gradient.fill(0)
    heldOut.forEach((_, m) => {
      const off = logs[m] - Math.log(PRIOR[m])
      loss += (strength / 2) * off * off
      gradient[m] += strength * off
    })
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < k; c++) z[c] = heldOut.reduce((sum, part, m) => sum + (part ? mix[m] * part[i * k + c] : 0), 0)
      softmaxInPlace(z)
      loss -= Math.log(Math.max(z[labels[i]], 1e-300))
      z[labels[i]] -= 1
      heldOut.forEach((part, m) => {
        if (part) for (let c = 0; c < k; c++) gradient[m] += mix[m] * z[c] * part[i * k + c]
      })
    }
    return loss
  }, Float64Array.from(PRIOR, Math.log), { gradientTolerance: 1e-3, maxEvaluations: 100 })
  return [heldOut[0] ? Math.exp(x[0]) : 0, heldOut[1] ? Math.exp(x[1]) : 0]
}

/** Dense vectors as sparse rows with every column. */
function denseRows(vectors: Float32Array, rows: number): SparseRows {
  const columns = rows ? vectors.length / rows : 0
  return {
    rows,
    columns,
    starts: Int32Array.from({ length: rows + 1 }, (_, i) => i * columns),
    indices: Int32Array.from({ length: rows * columns }, (_, p) => p % columns),
    values: vectors
  }
}

/** The rows with one more column that is 1 everywhere. */
function withIntercept({ rows, columns, starts, indices, values }: SparseRows): SparseRows {
  const widened = { rows, columns: columns + 1, starts: starts.map((start, i) => start + i), indices: new Int32Array(indices.length + rows), values: new Float32Array(values.length + rows) }
  for (let i = 0; i < rows; i++) {
    widened.indices.set(indices.subarray(starts[i], starts[i + 1]), widened.starts[i])
    widened.values.set(values.subarray(starts[i], starts[i + 1]), widened.starts[i])
    widened.indices[widened.starts[i + 1] - 1] = columns
    widened.values[widened.starts[i + 1] - 1] = 1
  }
  return widened
}
