// Multinomial (softmax) logistic regression with an L2 penalty, fitted by L-BFGS to convergence.
//
//   minimise over W   Σ_i s_i · −ln p_i[y_i]  +  (λ/2) Σ_j Σ_c W[j,c]²        p_i = softmax(z_i),  z_i = W'x_i
//
// X: n×d feature rows (sparse rows or a Matrix), y: n class numbers 0 … k−1, s: n row weights, W: d×k, λ: the penalty
// (scikit-learn's 1/C). The weights of the intercept column, if one is named, are not penalised.
//
// Sources: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4 and 7.5 (L-BFGS) and section 3.1 (the
// sufficient decrease of a step); King and Zeng 2001, "Logistic Regression in Rare Events Data", section 4.2 (weights
// that balance classes).

import LogisticRegression, { type LogisticRegressionJSON } from 'ml-logistic-regression'
import { Matrix } from 'ml-matrix'
import { minimise } from './lbfgs.js'
import type { SparseRows } from './style.js'

export type FeatureRows = SparseRows | Matrix

export interface SoftmaxOptions {
  /** λ ≥ 0, the strength of the L2 penalty. */
  penalty?: number
  /** The column of X that is 1 in every row and whose weights are not penalised. */
  interceptColumn?: number
  /** Converged when no component of the gradient, divided by the sum of the row weights, is larger than this. */
  tolerance?: number
  /** Evaluations of the objective at the most. */
  maxEvaluations?: number
}

export interface TrainOptions {
  /** Row weights (n numbers ≥ 0; a row of weight 0 is left out); without them the classes are balanced. */
  rowWeights?: Float64Array
}

/** What scores are computed from: d × stride weights and the number of classes. */
export interface LinearModel {
  weights: Float64Array
  numberClasses: number
}

const LANES = 4 // classes are laid out in fours, the padding's weights being 0

/**
 * Drop-in for ml-logistic-regression's class: the same interface, and its models load there (that library takes the
 * class of the least score, so its weights are the negated ones of here). It has no intercept; give X a column of ones
 * and name it as the `interceptColumn`.
 */
export class SoftmaxRegression extends LogisticRegression {
  readonly options: Required<Omit<SoftmaxOptions, 'interceptColumn'>> & { interceptColumn: number }
  /** d × stride weights, the k classes of a feature side by side and padded to a multiple of four. */
  weights = new Float64Array(0)
  /** Whether the last training reached the optimum; false for a model that was loaded, of which nobody knows. */
  converged = false
  evaluations = 0

  constructor({ penalty = 1, interceptColumn = -1, tolerance = 1e-4, maxEvaluations = 500 }: SoftmaxOptions = {}) {
    super()
    this.options = { penalty, interceptColumn, tolerance, maxEvaluations }
  }

  /**
   * Fits the weights.
   * @param X n×d feature rows
   * @param Y n×1 class numbers 0 … k−1 (a Matrix as in the library, or an Int32Array)
   * @throws RangeError where the shapes or the class numbers do not fit
   */
  override train(X: FeatureRows, Y: Matrix | Int32Array, { rowWeights }: TrainOptions = {}): void {
    const rows = asSparse(X)
    const given = Y instanceof Int32Array ? Y : Y.to1DArray()
    this.numberClasses = checkClasses(rows, given)
    const y = Int32Array.from(given)
    const s = rowWeights ?? balancedWeights(y)
    if (s.length !== y.length) throw new RangeError(`${y.length} rows but ${s.length} row weights`)
    const size = rows.columns * strideOf(this.numberClasses)
    const objective = this.objective(rows, y, s)
    const { tolerance, maxEvaluations } = this.options
    const total = s.reduce((sum, weight) => sum + weight, 0)
    const result = minimise(objective, new Float64Array(size), {
      gradientTolerance: tolerance * total,
      maxEvaluations
    })
    this.weights = result.x
    this.converged = result.converged
    this.evaluations = result.evaluations
  }

  /** n×k scores z = W'x, each row's classes side by side. */
  logits(X: FeatureRows): Float64Array {
    return linearScores(this, asSparse(X))
  }

  /** n×k probabilities; each row sums to 1. */
  predictProba(X: FeatureRows): Float64Array {
    const logits = this.logits(X)
    for (let i = 0; i < logits.length; i += this.numberClasses) softmaxInPlace(logits.subarray(i, i + this.numberClasses))
    return logits
  }

  /** The most likely class of each row. */
  override predict(X: FeatureRows): number[] {
    const k = this.numberClasses
    const logits = this.logits(X)
    return Array.from({ length: logits.length / k }, (_, i) => argmax(logits.subarray(i * k, i * k + k)))
  }

  /** The model in the library's own format: `LogisticRegression.load` of ml-logistic-regression takes it. */
  override toJSON(): LogisticRegressionJSON {
    const stride = strideOf(this.numberClasses)
    const columns = this.weights.length / stride
    const classifiers = Array.from({ length: this.numberClasses }, (_, c) => ({
      numSteps: this.numSteps,
      learningRate: this.learningRate,
      weights: [Array.from({ length: columns }, (_, j) => -this.weights[j * stride + c])]
    }))
    return { ...super.toJSON(), classifiers }
  }

  /** A model that {@link toJSON}, or the library's, has saved. */
  static override load(json: LogisticRegressionJSON): SoftmaxRegression {
    if (json.name !== 'LogisticRegression') throw new TypeError(`Not a logistic regression: ${json.name}`)
    const model = new SoftmaxRegression()
    const stride = strideOf(json.numberClasses)
    const weights = json.classifiers.map((classifier) => Matrix.checkMatrix(classifier.weights).getRow(0))
    model.numberClasses = json.numberClasses
    model.weights = new Float64Array(weights[0].length * stride)
    weights.forEach((row, c) => row.forEach((weight, j) => (model.weights[j * stride + c] = -weight)))
    return model
  }

  /** The objective and its gradient as a function of the weights, for L-BFGS and for checking by finite differences. */
  objective(rows: SparseRows, y: Int32Array, s: Float64Array): (W: Float64Array, gradient: Float64Array) => number {
    const k = this.numberClasses
    const stride = strideOf(k)
    const { penalty, interceptColumn } = this.options
    const z = new Float64Array(stride)
    return (W, gradient) => {
      let loss = penaltyOf(W, gradient, penalty, interceptColumn * stride, stride)
      for (let i = 0; i < rows.rows; i++) {
        if (s[i] === 0) continue
        scoreRow(rows, i, W, stride, z)
        loss += s[i] * logLossInPlace(z, k, y[i])
        for (let c = 0; c < k; c++) z[c] *= s[i]
        addRow(rows, i, z, stride, gradient)
        z.fill(0)
      }
      return loss
    }
  }
}

/** n×k scores z = W'x of a fitted model, or of one that came out of another thread and has lost its class. */
export function linearScores({ weights, numberClasses: k }: LinearModel, rows: SparseRows): Float64Array {
  const stride = strideOf(k)
  if (rows.columns * stride !== weights.length) throw new RangeError(`The model has other columns than ${rows.columns}.`)
  const logits = new Float64Array(rows.rows * k)
  const z = new Float64Array(stride)
  for (let i = 0; i < rows.rows; i++) {
    scoreRow(rows, i, weights, stride, z)
    for (let c = 0; c < k; c++) logits[i * k + c] = z[c]
  }
  return logits
}

/** How many features the model has. */
export function columnsOf({ weights, numberClasses }: LinearModel): number {
  return weights.length / strideOf(numberClasses)
}

/** The weight of a feature for a class. */
export function weightOf({ weights, numberClasses }: LinearModel, column: number, classNumber: number): number {
  return weights[column * strideOf(numberClasses) + classNumber]
}

/** Weights that let each class count the same, n / (k · rows of the class), so that they sum to n; 0 for rows left out. */
export function balancedWeights(y: Int32Array, isIn: (row: number) => boolean = () => true): Float64Array {
  const sizes = new Map<number, number>()
  y.forEach((c, i) => isIn(i) && sizes.set(c, (sizes.get(c) ?? 0) + 1))
  const rows = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  return Float64Array.from(y, (c, i) => (isIn(i) ? rows / (sizes.size * sizes.get(c)!) : 0))
}

/** Replaces k logits by their softmax: probabilities that sum to 1. */
export function softmaxInPlace(z: Float64Array): void {
  const largest = z.reduce((a, b) => Math.max(a, b), -Infinity)
  let sum = 0
  for (let c = 0; c < z.length; c++) sum += z[c] = Math.exp(z[c] - largest)
  for (let c = 0; c < z.length; c++) z[c] /= sum
}

/** Where the largest number stands (the first of equals). */
export function argmax(z: ArrayLike<number>): number {
  let best = 0
  for (let c = 1; c < z.length; c++) if (z[c] > z[best]) best = c
  return best
}

/** Rows of a dense matrix, and sparse rows as they are. */
function asSparse(X: FeatureRows): SparseRows {
  if (!('rows' in X && 'indices' in X)) return denseRows(X)
  return X
}

function denseRows(X: Matrix): SparseRows {
  const { rows, columns } = X
  return {
    rows,
    columns,
    starts: Int32Array.from({ length: rows + 1 }, (_, i) => i * columns),
    indices: Int32Array.from({ length: rows * columns }, (_, p) => p % columns),
    values: Float32Array.from(X.to1DArray())
  }
}

function checkClasses(rows: SparseRows, classes: ArrayLike<number>): number {
  if (classes.length !== rows.rows) throw new RangeError(`${rows.rows} rows but ${classes.length} classes`)
  const there = new Set(Array.from(classes))
  const numbered = Array.from(there).every((c) => Number.isInteger(c) && c >= 0 && c < there.size)
  if (there.size < 2 || !numbered) throw new RangeError('Classes are numbered 0, 1, … without a gap, and there are two at the least.')
  return there.size
}

const strideOf = (k: number): number => Math.ceil(k / LANES) * LANES

/** The penalty of the weights; starts the gradient with its part of it. */
function penaltyOf(W: Float64Array, gradient: Float64Array, penalty: number, from: number, stride: number): number {
  let squares = 0
  for (let j = 0; j < W.length; j++) {
    squares += W[j] * W[j]
    gradient[j] = penalty * W[j]
  }
  if (from < 0) return (penalty / 2) * squares
  for (let j = from; j < from + stride; j++) {
    squares -= W[j] * W[j]
    gradient[j] = 0
  }
  return (penalty / 2) * squares
}

/** z ← W'x_i */
function scoreRow({ starts, indices, values }: SparseRows, i: number, W: Float64Array, stride: number, z: Float64Array): void {
  for (let lane = 0; lane < stride; lane += LANES) {
    let a = 0, b = 0, c = 0, d = 0
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      const value = values[p]
      const at = indices[p] * stride + lane
      a += value * W[at]
      b += value * W[at + 1]
      c += value * W[at + 2]
      d += value * W[at + 3]
    }
    z[lane] = a
    z[lane + 1] = b
    z[lane + 2] = c
    z[lane + 3] = d
  }
}

/** gradient ← gradient + x_i r' */
function addRow({ starts, indices, values }: SparseRows, i: number, r: Float64Array, stride: number, gradient: Float64Array): void {
  for (let lane = 0; lane < stride; lane += LANES) {
    const a = r[lane], b = r[lane + 1], c = r[lane + 2], d = r[lane + 3]
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      const value = values[p]
      const at = indices[p] * stride + lane
      gradient[at] += value * a
      gradient[at + 1] += value * b
      gradient[at + 2] += value * c
      gradient[at + 3] += value * d
    }
  }
}

/** −ln softmax(z)[y]; leaves softmax(z) minus the indicator of y, the loss's derivative, in z. */
function logLossInPlace(z: Float64Array, k: number, y: number): number {
  let largest = z[0]
  for (let c = 1; c < k; c++) largest = Math.max(largest, z[c])
  let sum = 0
  const zy = z[y] - largest
  for (let c = 0; c < k; c++) sum += z[c] = Math.exp(z[c] - largest)
  for (let c = 0; c < k; c++) z[c] /= sum
  z[y] -= 1
  return Math.log(sum) - zy
}
