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
import { LANES, productsOf } from './simd.js'
import { minimise } from './lbfgs.js'
import { asSparse, type SparseRows } from './sparse-matrix.js'

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

/** What scores are computed from: the weights, by four classes d×4 (those beyond k are 0), and the number of classes. */
export interface LinearModel {
  weights: Float64Array
  numberClasses: number
}

/**
 * Drop-in for ml-logistic-regression's class: the same interface, and its models load there (that library takes the
 * class of the least score, so its weights are the negated ones of here). It has no intercept; give X a column of ones
 * and name it as the `interceptColumn`.
 */
export class SoftmaxRegression extends LogisticRegression {
  readonly options: Required<Omit<SoftmaxOptions, 'interceptColumn'>> & { interceptColumn: number }
  /** By four classes d×4, the four of a feature side by side; those beyond k are 0. */
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
    const rows = rowsOf(X)
    const given = Y instanceof Int32Array ? Y : Y.to1DArray()
    this.numberClasses = checkClasses(rows, given)
    const y = Int32Array.from(given)
    const s = rowWeights ?? balancedWeights(y)
    if (s.length !== y.length) throw new RangeError(`${y.length} rows but ${s.length} row weights`)
    const size = rows.columns * groupsOf(this.numberClasses) * LANES
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
    return linearScores(this, rowsOf(X))
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
    const columns = columnsOf(this)
    const classifiers = Array.from({ length: this.numberClasses }, (_, c) => ({
      numSteps: this.numSteps,
      learningRate: this.learningRate,
      weights: [Array.from({ length: columns }, (_, j) => -weightOf(this, j, c))]
    }))
    return { ...super.toJSON(), classifiers }
  }

  /** A model that {@link toJSON}, or the library's, has saved. */
  static override load(json: LogisticRegressionJSON): SoftmaxRegression {
    if (json.name !== 'LogisticRegression') throw new TypeError(`Not a logistic regression: ${json.name}`)
    const model = new SoftmaxRegression()
    const weights = json.classifiers.map((classifier) => Matrix.checkMatrix(classifier.weights).getRow(0))
    const columns = weights[0].length
    model.numberClasses = json.numberClasses
    model.weights = new Float64Array(columns * groupsOf(json.numberClasses) * LANES)
    weights.forEach((row, c) => row.forEach((weight, j) => (model.weights[placeOf(columns, j, c)] = -weight)))
    return model
  }

  /** The objective and its gradient as a function of the weights, for L-BFGS and for checking by finite differences. */
  objective(rows: SparseRows, y: Int32Array, s: Float64Array): (W: Float64Array, gradient: Float64Array) => number {
    const k = this.numberClasses
    const { penalty, interceptColumn } = this.options
    const products = productsOf(rows)
    const blocks = Array.from({ length: groupsOf(k) }, () => new Float64Array(rows.rows * LANES))
    const size = rows.columns * LANES
    const z = new Float64Array(k)
    return (W, gradient) => {
      let loss = penaltyOf(W, gradient, penalty, rows.columns, interceptColumn)
      blocks.forEach((Z, g) => products.times(W.subarray(g * size, (g + 1) * size), Z))
      for (let i = 0; i < rows.rows; i++) {
        if (s[i] > 0) {
          for (let c = 0; c < k; c++) z[c] = blocks[c >> 2][i * LANES + (c & 3)]
          loss += s[i] * logLossInPlace(z, k, y[i])
        }
        for (let c = 0; c < blocks.length * LANES; c++) blocks[c >> 2][i * LANES + (c & 3)] = s[i] > 0 && c < k ? s[i] * z[c] : 0
      }
      blocks.forEach((R, g) => products.addTransposed(R, gradient.subarray(g * size, (g + 1) * size)))
      return loss
    }
  }
}

/** n×k scores z = W'x of a fitted model, or of one that came out of another thread and has lost its class. */
export function linearScores(model: LinearModel, { rows, columns, starts, indices, values }: SparseRows): Float64Array {
  const { weights, numberClasses: k } = model
  if (columns !== columnsOf(model)) throw new RangeError(`The model has other columns than ${columns}.`)
  const logits = new Float64Array(rows * k)
  for (let i = 0; i < rows; i++) {
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      for (let c = 0; c < k; c++) logits[i * k + c] += values[p] * weights[placeOf(columns, indices[p], c)]
    }
  }
  return logits
}

/** How many features the model has. */
export function columnsOf({ weights, numberClasses }: LinearModel): number {
  return weights.length / (groupsOf(numberClasses) * LANES)
}

/** The weight of a feature for a class. */
export function weightOf(model: LinearModel, column: number, classNumber: number): number {
  return model.weights[placeOf(columnsOf(model), column, classNumber)]
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
function rowsOf(X: FeatureRows): SparseRows {
  if ('indices' in X) return X
  return asSparse({ rows: X.rows, columns: X.columns, values: Float32Array.from(X.to1DArray()) })
}

/**
 * How many classes there are.
 * @throws RangeError where there are fewer than two, or they are not numbered 0 … k−1, or not one for each row
 */
export function checkClasses(rows: { rows: number }, classes: ArrayLike<number>): number {
  if (classes.length !== rows.rows) throw new RangeError(`${rows.rows} rows but ${classes.length} classes`)
  const there = new Set(Array.from(classes))
  const numbered = Array.from(there).every((c) => Number.isInteger(c) && c >= 0 && c < there.size)
  if (there.size < 2 || !numbered) throw new RangeError('Classes are numbered 0, 1, … without a gap, and there are two at the least.')
  return there.size
}

const groupsOf = (k: number): number => Math.ceil(k / LANES)
const placeOf = (columns: number, column: number, c: number): number => ((c >> 2) * columns + column) * LANES + (c & 3)

/** The penalty of the weights; starts the gradient with its part of it. */
function penaltyOf(W: Float64Array, gradient: Float64Array, penalty: number, columns: number, interceptColumn: number): number {
  let squares = 0
  for (let j = 0; j < W.length; j++) {
    squares += W[j] * W[j]
    gradient[j] = penalty * W[j]
  }
  if (interceptColumn < 0) return (penalty / 2) * squares
  for (let c = 0; c < W.length / columns; c++) {
    const at = placeOf(columns, interceptColumn, c)
    squares -= W[at] * W[at]
    gradient[at] = 0
  }
  return (penalty / 2) * squares
}

/** −ln softmax(z)[y]; leaves softmax(z) minus the indicator of y, the loss's derivative, in z. */
export function logLossInPlace(z: Float64Array, k: number, y: number): number {
  let largest = z[0]
  for (let c = 1; c < k; c++) largest = Math.max(largest, z[c])
  let sum = 0
  const zy = z[y] - largest
  for (let c = 0; c < k; c++) sum += z[c] = Math.exp(z[c] - largest)
  for (let c = 0; c < k; c++) z[c] /= sum
  z[y] -= 1
  return Math.log(sum) - zy
}
