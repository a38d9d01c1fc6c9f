// Multinomial (softmax) logistic regression with an L2 penalty, fitted by L-BFGS to convergence: the one class that trains.
//
//   minimise over W, b   Σ_i s_i · −ln p_i[y_i]  +  (λ/2) Σ_j Σ_c W[j,c]²        p_i = softmax(z_i),  z_i = W'x_i + b
//
// X: n×d feature rows, y: n class numbers 0 … k−1, s: n row weights, W: d×k, b: k intercepts (or none), λ: the penalty
// (scikit-learn's 1/C). The intercepts are not penalised.
//
// Behind it are two solvers of the same problem: the dual (kernel-logistic-regression.ts, in single precision), which is
// fast for up to some thousand rows and lets several fits share a Gram matrix, and the primal (primal-logistic-regression.ts).
//
// Sources: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4 and 7.5 (L-BFGS) and section 3.1 (the
// sufficient decrease of a step); King and Zeng 2001, "Logistic Regression in Rare Events Data", section 4.2 (weights
// that balance classes).

import LogisticRegression, { type LogisticRegressionJSON } from 'ml-logistic-regression'
import { Matrix } from 'ml-matrix'
import { balancedWeights, checkClasses } from './classes.js'
import { withGramMatrix, type GramMatrix } from './gram-matrix.js'
import { fitDual, weightsOf, type DualSolution } from './kernel-logistic-regression.js'
import { fitPrimal } from './primal-logistic-regression.js'
import { LANES } from './simd/simd.js'
import { argmax, softmaxInPlace } from './softmax.js'
import { asSparse, withIntercept, type DenseRows, type SparseColumns, type SparseRows } from './sparse-matrix.js'

export type FeatureRows = SparseRows | DenseRows | SparseColumns | Matrix

export interface SoftmaxOptions {
  /** λ ≥ 0, the strength of the L2 penalty; 1 unless given. */
  penalty?: number
  /** Whether each class has an intercept; none unless given, as in ml-logistic-regression. */
  intercept?: boolean
  /**
   * Converged when no component of the gradient by the weights, divided by the sum of the row weights, is larger than this
   * (in the dual: when the gradient is no longer than this). 1e-4 unless given.
   */
  tolerance?: number
  /** Evaluations of the objective at the most; 500 unless given. */
  maxEvaluations?: number
  /** `auto`: the dual for up to MAX_DUAL_ROWS rows, a penalty and a tolerance that single precision can reach. */
  solver?: 'auto' | 'dual' | 'primal'
}

export interface TrainOptions {
  /** Row weights (n numbers ≥ 0; a row of weight 0 is left out); without them the classes are balanced. */
  rowWeights?: Float64Array
  /** The Gram matrix of X, where several fits share one. */
  gram?: GramMatrix
  /** A solution to start from; only the dual uses it. */
  start?: DualSolution
}

interface Json extends LogisticRegressionJSON {
  /** Whether the last weight of each class is its intercept; not there where it is not. */
  intercept?: boolean
}

const MAX_DUAL_ROWS = 2000 // a Gram matrix of more takes more than 16 MB
const FINEST_DUAL_TOLERANCE = 1e-6 // finer ones are out of reach for single precision

/**
 * In place of ml-logistic-regression's class: the same interface, and each loads the models that the other has saved. (The
 * library takes the class of the lowest score, so its weights are the negatives of these; of a model with an intercept
 * it needs rows with one more column of ones.)
 */
export class SoftmaxRegression extends LogisticRegression {
  readonly options: Required<SoftmaxOptions>
  /** Whether the last training reached the optimum; false for a model that was loaded: nobody knows. */
  converged = false
  evaluations = 0
  /** n×k logits of the rows that it was trained on, those of weight 0 too; empty for a model that was loaded. */
  trainingLogits = new Float64Array(0)
  /** The dual solution, where the dual was solved. */
  dual?: DualSolution
  private known?: Float64Array // the weights, once they have been made
  private trainedOn?: Exclude<FeatureRows, Matrix> // of a dual fit, until its weights have been made

  constructor({ penalty = 1, intercept = false, tolerance = 1e-4, maxEvaluations = 500, solver = 'auto' }: SoftmaxOptions = {}) {
    super()
    this.options = { penalty, intercept, tolerance, maxEvaluations, solver }
  }

  /** A model of known weights: see {@link weights}. */
  static ofWeights(weights: Float64Array, numberClasses: number, options: SoftmaxOptions = {}): SoftmaxRegression {
    const model = new SoftmaxRegression(options)
    model.numberClasses = numberClasses
    model.known = weights
    return model
  }

  /**
   * W and, as a last row, b: (d + 1)×4 numbers for each four classes, end to end; those beyond k are 0. After a dual fit
   * they are made when they are first asked for: models that only judge their own training rows need none.
   */
  get weights(): Float64Array {
    if (this.dual && this.trainedOn) {
      this.known = weightsOf(this.dual, this.trainedOn, this.options.intercept)
      this.trainedOn = undefined
    }
    return (this.known ??= new Float64Array(0))
  }

  /** d, how many features the model has. */
  get features(): number {
    return this.weights.length / (groupsOf(this.numberClasses) * LANES) - Number(this.options.intercept)
  }

  /**
   * Fits the weights.
   * @param X n×d feature rows
   * @param Y n×1 class numbers 0 … k−1 (a Matrix as in the library, or an Int32Array)
   * @throws RangeError where the shapes or the class numbers do not fit
   */
  override train(X: FeatureRows, Y: Matrix | Int32Array, { rowWeights, gram, start }: TrainOptions = {}): void {
    this.dual = undefined
    const rows = rowsOf(X)
    const given = Y instanceof Int32Array ? Y : Y.to1DArray()
    this.numberClasses = checkClasses(rows, given)
    const y = Int32Array.from(given)
    const s = rowWeights ?? balancedWeights(y)
    if (s.length !== y.length) throw new RangeError(`${y.length} rows but ${s.length} row weights`)
    if (gram) return this.trainDual(rows, gram, y, s, start)
    if (this.prefersDual(rows)) withGramMatrix(rows, (own) => this.trainDual(rows, own, y, s, start))
    if (!this.dual || this.needsDoublePrecision()) this.trainPrimal(rows, y, s)
  }

  /** Whether the dual has come to an end before the optimum and before its last evaluation: features are of very different sizes. */
  private needsDoublePrecision(): boolean {
    const { solver, maxEvaluations } = this.options
    return solver === 'auto' && !this.converged && this.evaluations < maxEvaluations
  }

  private prefersDual({ rows }: { rows: number }): boolean {
    const { solver, penalty, tolerance } = this.options
    return solver === 'dual' || (solver === 'auto' && rows <= MAX_DUAL_ROWS && penalty > 0 && tolerance >= FINEST_DUAL_TOLERANCE)
  }

  private trainDual(rows: Exclude<FeatureRows, Matrix>, gram: GramMatrix, y: Int32Array, s: Float64Array, start?: DualSolution): void {
    const { penalty, tolerance, maxEvaluations, intercept } = this.options
    const settings = { classes: this.numberClasses, penalty, tolerance, maxEvaluations, hasIntercept: intercept, start }
    const { coefficients, intercepts, logits, converged, evaluations } = fitDual(gram, y, s, settings)
    const dual = { coefficients, intercepts }
    Object.assign(this, { dual, trainedOn: rows, known: undefined, trainingLogits: logits, converged, evaluations })
  }

  private trainPrimal(rows: Exclude<FeatureRows, Matrix>, y: Int32Array, s: Float64Array): void {
    const { penalty, tolerance, maxEvaluations, intercept } = this.options
    const settings = { y, s, classes: this.numberClasses, penalty, interceptColumn: intercept ? rows.columns : -1 }
    const limits = { gradientTolerance: tolerance * s.reduce((sum, weight) => sum + weight, 0), maxEvaluations }
    const { x, converged, evaluations } = fitPrimal(intercept ? withIntercept(asSparse(rows)) : 'byColumn' in rows ? asSparse(rows) : rows, settings, limits)
    Object.assign(this, { dual: undefined, trainedOn: undefined, known: x, converged, evaluations })
    this.trainingLogits = this.logits(rows)
  }

  /**
   * n×k logits z = W'x + b, each row's classes side by side.
   * @throws RangeError where X has another number of columns than the model has features
   */
  logits(X: FeatureRows): Float64Array<ArrayBuffer> {
    const { rows, columns, starts, indices, values } = asSparse(rowsOf(X))
    const { weights, features, numberClasses: k } = this
    if (columns !== features) throw new RangeError(`The model has ${features} features, and the rows have ${columns} columns.`)
    const width = features + Number(this.options.intercept)
    const logits = new Float64Array(rows * k)
    for (let i = 0; i < rows; i++) {
      for (let c = 0; c < k; c++) {
        let z = this.interceptOf(c)
        const from = (c >> 2) * width * LANES + (c & 3)
        for (let p = starts[i]; p < starts[i + 1]; p++) z += values[p] * weights[from + indices[p] * LANES]
        logits[i * k + c] = z
      }
    }
    return logits
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

  /** The weight of a feature for a class. */
  weightOf(feature: number, classNumber: number): number {
    return this.weights[this.placeOf(feature, classNumber)]
  }

  /** The intercept of a class; 0 in a model without. */
  interceptOf(classNumber: number): number {
    return this.options.intercept ? this.weights[this.placeOf(this.features, classNumber)] : 0
  }

  private placeOf(row: number, c: number): number {
    const width = this.weights.length / (groupsOf(this.numberClasses) * LANES)
    return ((c >> 2) * width + row) * LANES + (c & 3)
  }

  /** The model in the library's own format: `LogisticRegression.load` of ml-logistic-regression takes it. */
  override toJSON(): Json {
    const { intercept } = this.options
    const rows = this.features + Number(intercept)
    const classifiers = Array.from({ length: this.numberClasses }, (_, c) => ({
      numSteps: this.numSteps,
      learningRate: this.learningRate,
      weights: [Array.from({ length: rows }, (_, row) => -this.weightOf(row, c))]
    }))
    return { ...super.toJSON(), classifiers, ...(intercept && { intercept }) }
  }

  /** A model that {@link toJSON}, or the library's, has saved. */
  static override load({ name, numberClasses, classifiers, intercept = false }: Json): SoftmaxRegression {
    if (name !== 'LogisticRegression') throw new TypeError(`Not a logistic regression: ${name}`)
    const saved = classifiers.map(({ weights }) => Matrix.checkMatrix(weights).getRow(0))
    const weights = new Float64Array(saved[0].length * groupsOf(numberClasses) * LANES)
    const model = SoftmaxRegression.ofWeights(weights, numberClasses, { intercept })
    saved.forEach((numbers, c) => numbers.forEach((weight, row) => (weights[model.placeOf(row, c)] = -weight)))
    return model
  }
}

/** A Matrix as dense rows; others as they are. */
function rowsOf(X: FeatureRows): Exclude<FeatureRows, Matrix> {
  if (!Matrix.isMatrix(X)) return X as Exclude<FeatureRows, Matrix>
  return { rows: X.rows, columns: X.columns, values: Float32Array.from((X as Matrix).to1DArray()) }
}

const groupsOf = (k: number): number => Math.ceil(k / LANES)
