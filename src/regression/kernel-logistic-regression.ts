// Softmax regressions on rows that are fewer than their features: the optimum's weights are sums of the rows, W = X'A
// (Kimeldorf and Wahba 1970's representer theorem; Zhu and Hastie 2005, "Kernel Logistic Regression and the Import Vector
// Machine", section 2), so that fitting needs only what the rows have in common, K = X·X', which many fits share.
//
//   minimise over A, b   Σ_i s_i · −ln p_i[y_i]  +  (λ/2) Σ_c A_c' K A_c        p_i = softmax((K·A)_i + b)
//
// L-BFGS takes the same steps here as on the weights: a vector is kept as the sums' coefficients V and as K·V, and the
// product of two, of the weights that they stand for, is tr(U'·K·V).

import type { Gram, Part, Regression } from './gram-matrix.js'
import { LANES, productsOf as productsOfRows } from './simd.js'
import { minimiseIn, type Objective, type Space } from './lbfgs.js'
import { logLossInPlace, type LinearModel } from './softmax-regression.js'
import type { DenseRows, SparseRows } from './sparse-matrix.js'

export interface DualFit {
  /** A: the rows' coefficients, by four classes n×4. */
  coefficients: Float64Array[]
  /** b, k numbers. */
  intercepts: Float64Array
  /** n×k scores K·A + b of all rows, those of weight 0 too. */
  scores: Float64Array
  evaluations: number
}

interface Options {
  classes: number
  /** λ > 0 */
  penalty: number
  /** Converged when the gradient by the weights, divided by the sum of the row weights, is no longer. */
  tolerance: number
  maxEvaluations?: number
  /** Coefficients and intercepts to start from. */
  start?: Pick<DualFit, 'coefficients' | 'intercepts'>
}

/**
 * Fits a softmax regression with free intercepts.
 * @param y n class numbers 0 … k−1
 * @param s n row weights; a row of weight 0 is left out
 */
export function fitDual(K: Gram, y: Int32Array, s: Float64Array, options: Options): DualFit {
  const rows = Int32Array.from(y.keys()).filter((i) => s[i] > 0)
  if (rows.length === K.n) return fitAll(K, y, s, options)
  const own = fitAll(K.among(rows), Int32Array.from(rows, (i) => y[i]), Float64Array.from(rows, (i) => s[i]), options)
  const coefficients = own.coefficients.map((part) => {
    const A = new Float64Array(K.n * LANES)
    rows.forEach((row, i) => A.set(part.subarray(i * LANES, (i + 1) * LANES), row * LANES))
    return A
  })
  return { ...own, coefficients, scores: scoresOf(K, coefficients, own.intercepts) }
}

function fitAll(K: Part, y: Int32Array, s: Float64Array, { classes, penalty, tolerance, maxEvaluations = 500, start }: Options): DualFit {
  const total = s.reduce((sum, weight) => sum + weight, 0)
  const block = (K.n + 1) * LANES
  const limits = { gradientTolerance: tolerance * total, maxEvaluations }
  const minimised = <V extends Float32Array | Float64Array>({ space, objective }: Regression<V>) =>
    minimiseIn(space, objective, start ? placed(space.vector()) : oneStepFromNothing(space, objective), limits)
  const products = start && productsOf(K, start.coefficients)
  const placed = <V extends Float32Array | Float64Array>(x: V): V => {
    for (const [from, parts] of [[0, start!.coefficients], [x.length / 2, products!]] as const) {
      parts.forEach((part, g) => x.set(part, from + g * block))
      start!.intercepts.forEach((b, c) => (x[from + (c >> 2) * block + K.n * LANES + (c & 3)] = b))
    }
    return x
  }
  const byKernel = K.regression(y, s, classes, penalty)
  const { x, evaluations } = byKernel ? minimised(byKernel) : minimised(plainRegression(K, y, s, classes, penalty))
  const coefficients = Array.from({ length: Math.ceil(classes / LANES) }, (_, g) =>
    Float64Array.from(x.subarray(g * block, (g + 1) * block - LANES))
  )
  const intercepts = Float64Array.from({ length: classes }, (_, c) => x[(c >> 2) * block + K.n * LANES + (c & 3)])
  return { coefficients, intercepts, scores: scoresOf(K, coefficients, intercepts), evaluations }
}

/** Where every row speaks for its own class alone: a step of length 1 down the gradient at 0. It saves a quarter of the evaluations. */
function oneStepFromNothing<V>(space: Space<V>, objective: Objective<V>): V {
  const [x, gradient] = [space.vector(), space.vector()]
  objective(x, gradient)
  space.combine(x, x, -1, gradient)
  return x
}

/** n×k scores K·A + b. */
function scoresOf(K: Part, coefficients: Float64Array[], intercepts: Float64Array): Float64Array {
  const { n } = K
  const k = intercepts.length
  const products = productsOf(K, coefficients)
  return Float64Array.from({ length: n * k }, (_, at) => {
    const [i, c] = [Math.floor(at / k), at % k]
    return products[c >> 2][i * LANES + (c & 3)] + intercepts[c]
  })
}

/** K·A, by four classes n×4. */
function productsOf(K: Part, coefficients: Float64Array[]): Float64Array[] {
  return coefficients.map((A) => {
    const Z = new Float64Array(A.length)
    K.times(A, Z)
    return Z
  })
}

/**
 * The objective in TypeScript, for any number of classes. By four classes a vector has n×4 coefficients and four
 * intercepts; then the same of the products.
 */
export function plainRegression(K: Part, y: Int32Array, s: Float64Array, classes: number, penalty: number): Regression<Float64Array> {
  const { n } = K
  const groups = Math.ceil(classes / LANES)
  const block = (n + 1) * LANES
  const half = groups * block
  const columnOf = Int32Array.from({ length: classes }, (_, c) => (c >> 2) * block + (c & 3))
  const z = new Float64Array(classes)
  const product = (u: Float64Array, v: Float64Array): number => {
    let sum = 0
    for (let j = 0; j < half; j++) sum += u[j] * v[half + j]
    return sum
  }
  return {
    space: {
      rounding: 0,
      vector: () => new Float64Array(2 * half),
      combine(into, a, t, b) {
        for (let j = 0; j < 2 * half; j++) into[j] = a[j] + t * b[j]
      },
      product,
      size: (gradient) => Math.sqrt(Math.max(0, product(gradient, gradient)))
    },
    objective(x, gradient) {
      let loss = 0
      for (let g = 0; g < groups; g++) {
        for (let at = g * block; at < g * block + n * LANES; at++) {
          loss += (penalty / 2) * x[at] * x[half + at]
          gradient[at] = penalty * x[at]
        }
        gradient.fill(0, g * block + n * LANES, (g + 1) * block) // intercepts are free
      }
      for (let i = 0; i < n; i++) {
        for (let c = 0; c < classes; c++) z[c] = x[half + columnOf[c] + i * LANES] + x[columnOf[c] + n * LANES]
        loss += s[i] * logLossInPlace(z, classes, y[i])
        for (let c = 0; c < classes; c++) {
          gradient[columnOf[c] + i * LANES] += s[i] * z[c]
          gradient[columnOf[c] + n * LANES] += s[i] * z[c]
        }
      }
      for (let g = 0; g < groups; g++) {
        const [from, to] = [g * block, g * block + n * LANES]
        K.times(gradient.subarray(from, to), gradient.subarray(half + from, half + to))
        for (let at = to; at < to + LANES; at++) gradient[half + at] = gradient[at]
      }
      return loss
    }
  }
}

/** The same model by its features: W = X'A, and the intercepts as a last column. No Gram matrix may be used after it. */
export function modelOf({ coefficients, intercepts }: DualFit, rows: SparseRows | DenseRows): LinearModel {
  const block = (rows.columns + 1) * LANES
  const weights = new Float64Array(coefficients.length * block)
  const products = productsOfRows(rows)
  coefficients.forEach((A, g) => products.addTransposed(A, weights.subarray(g * block, (g + 1) * block - LANES)))
  intercepts.forEach((b, c) => (weights[(c >> 2) * block + rows.columns * LANES + (c & 3)] = b))
  return { weights, numberClasses: intercepts.length }
}
