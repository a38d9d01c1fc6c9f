// Softmax regression in its dual form (kernel logistic regression with the linear kernel). The optimal weights are sums of
// the rows, W = X'A (representer theorem: Kimeldorf and Wahba 1970; Zhu and Hastie 2005, "Kernel Logistic Regression and
// the Import Vector Machine", section 2). So fitting needs only the Gram matrix K = X·X', which many fits can share.
//
//   minimise over A, b   Σ_i s_i · −ln p_i[y_i]  +  (λ/2) Σ_c A_c' K A_c        p_i = softmax((K·A)_i + b)
//
// K: n×n, A: n×k, b: k intercepts, which are not penalised (or stay 0), y: n classes, s: n row weights, λ: the penalty.
//
// L-BFGS takes the same steps here as on the weights: each vector is kept as its coefficients V together with K·V, and the
// product of two vectors is that of the weights they stand for, tr(U'·K·V).

import type { DualProblem, DualSettings } from './dual-problem.js'
import type { GramMatrix, GramPart } from './gram-matrix.js'
import { minimiseIn } from './lbfgs.js'
import { withProducts } from './matrix-products.js'
import { LANES } from './simd/simd.js'
import type { DenseRows, SparseColumns, SparseRows } from './sparse-matrix.js'

export interface DualSolution {
  /** A: the rows' coefficients, n×4 for each four classes. */
  coefficients: Float64Array[]
  /** b, k numbers. */
  intercepts: Float64Array
}

export interface DualFit extends DualSolution {
  /** n×k logits K·A + b of all rows, those of weight 0 too. */
  logits: Float64Array
  converged: boolean
  evaluations: number
}

interface Options extends Omit<DualSettings, 'y' | 's'> {
  /** Converged when the gradient by the weights is no longer than this times the sum of the row weights. */
  tolerance: number
  maxEvaluations: number
  /** What to start from. */
  start?: DualSolution
}

/**
 * Fits a softmax regression on the rows of a Gram matrix.
 * @param y n class numbers 0 … k−1
 * @param s n row weights; a row of weight 0 is left out
 */
export function fitDual(K: GramMatrix, y: Int32Array, s: Float64Array, options: Options): DualFit {
  const rows = Int32Array.from(y.keys()).filter((i) => s[i] > 0)
  if (rows.length === K.n) return fitPart(K, { ...options, y, s })
  const ofRows = (A: Float64Array): Float64Array => {
    const part = new Float64Array(rows.length * LANES)
    rows.forEach((row, i) => part.set(A.subarray(row * LANES, (row + 1) * LANES), i * LANES))
    return part
  }
  const fit = fitPart(K.among(rows), {
    ...options,
    y: Int32Array.from(rows, (row) => y[row]),
    s: Float64Array.from(rows, (row) => s[row]),
    start: options.start && { ...options.start, coefficients: options.start.coefficients.map(ofRows) }
  })
  const coefficients = fit.coefficients.map((part) => {
    const A = new Float64Array(K.n * LANES)
    rows.forEach((row, i) => A.set(part.subarray(i * LANES, (i + 1) * LANES), row * LANES))
    return A
  })
  return { ...fit, coefficients, logits: logitsOf(K, coefficients, fit.intercepts) }
}

function fitPart(K: GramPart, options: Options & DualSettings): DualFit {
  const { tolerance, maxEvaluations, start, s, classes } = options
  const limits = { gradientTolerance: tolerance * s.reduce((sum, weight) => sum + weight, 0), maxEvaluations }
  const minimise = <V>(problem: DualProblem<V>): DualFit => {
    const { space, objective, read, write, release } = problem
    try {
      const { x, converged, evaluations } = minimiseIn(space, objective, start ? write(laidOut(K, start)) : firstStep(problem), limits)
      const solution = solutionIn(read(x), K.n, classes)
      return { ...solution, logits: logitsOf(K, solution.coefficients, solution.intercepts), converged, evaluations }
    } finally {
      release()
    }
  }
  return minimise(K.dualProblem(options) as DualProblem<unknown>)
}

/** One step of length 1 down the gradient at 0: each row speaks for its own class. It saves a quarter of the evaluations. */
function firstStep<V>({ space, objective }: DualProblem<V>): V {
  const [x, gradient] = [space.vector(), space.vector()]
  objective(x, gradient)
  space.combine(x, x, -1, gradient)
  return x
}

/** A solution as a vector of a dual problem: for each four classes A and b; then the same with K·A in place of A. */
function laidOut(K: GramPart, { coefficients, intercepts }: DualSolution): Float64Array {
  const block = (K.n + 1) * LANES
  const half = coefficients.length * block
  const vector = new Float64Array(2 * half)
  coefficients.forEach((A, g) => {
    vector.set(A, g * block)
    vector.set(K.times(A), half + g * block)
  })
  intercepts.forEach((b, c) => {
    const at = (c >> 2) * block + K.n * LANES + (c & 3)
    vector[at] = vector[half + at] = b
  })
  return vector
}

function solutionIn(vector: Float64Array, n: number, classes: number): DualSolution {
  const block = (n + 1) * LANES
  return {
    coefficients: Array.from({ length: Math.ceil(classes / LANES) }, (_, g) => vector.slice(g * block, (g + 1) * block - LANES)),
    intercepts: Float64Array.from({ length: classes }, (_, c) => vector[(c >> 2) * block + n * LANES + (c & 3)])
  }
}

/** n×k logits K·A + b. */
function logitsOf(K: GramPart, coefficients: Float64Array[], intercepts: Float64Array): Float64Array {
  const k = intercepts.length
  const products = coefficients.map((A) => K.times(A))
  const logits = new Float64Array(K.n * k)
  for (let i = 0; i < K.n; i++) {
    for (let c = 0; c < k; c++) logits[i * k + c] = products[c >> 2][i * LANES + (c & 3)] + intercepts[c]
  }
  return logits
}

/** The weights that a solution stands for: W = X'A and, where there are intercepts, b as a last row; for each four classes. */
export function weightsOf({ coefficients, intercepts }: DualSolution, rows: SparseRows | DenseRows | SparseColumns, hasIntercept: boolean): Float64Array<ArrayBuffer> {
  const size = rows.columns * LANES
  const block = size + (hasIntercept ? LANES : 0)
  const weights = new Float64Array(coefficients.length * block)
  const addAll = (add: (A: Float64Array, W: Float64Array) => void): void =>
    coefficients.forEach((A, g) => add(A, weights.subarray(g * block, g * block + size)))
  if ('byColumn' in rows) withProducts(rows.byColumn, ({ times }) => addAll(times))
  else withProducts(rows, ({ addTransposed }) => addAll(addTransposed))
  if (hasIntercept) intercepts.forEach((b, c) => (weights[(c >> 2) * block + size + (c & 3)] = b))
  return weights
}
