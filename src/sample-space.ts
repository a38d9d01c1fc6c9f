// Softmax regressions on rows that are fewer than their features: the optimum's weights are sums of the rows, W = X'A
// (Kimeldorf and Wahba 1970's representer theorem; Zhu and Hastie 2005, "Kernel Logistic Regression and the Import Vector
// Machine", section 2), so that fitting needs only what the rows have in common, K = X·X', which many fits share.
//
//   minimise over A, b   Σ_i s_i · −ln p_i[y_i]  +  (λ/2) Σ_c A_c' K A_c        p_i = softmax((K·A)_i + b)
//
// L-BFGS takes the same steps here as on the weights: a vector is kept as the sums' coefficients V and as K·V, and the
// product of two, of the weights that they stand for, is tr(U'·K·V).

import { LANES, plainProducts, type Gram } from './kernel.js'
import { minimise, type Measure } from './lbfgs.js'
import { logLossInPlace, type LinearModel } from './logistic-regression.js'
import type { SparseRows } from './style.js'

export interface SampleFit {
  /** A: the rows' coefficients, by four classes n×4. */
  coefficients: Float64Array[]
  /** b, k numbers. */
  intercepts: Float64Array
  /** n×k scores K·A + b of all rows, those of weight 0 too. */
  scores: Float64Array
  evaluations: number
}

/**
 * Fits a softmax regression with free intercepts.
 * @param y n class numbers 0 … k−1
 * @param s n row weights; a row of weight 0 is left out
 * @param penalty λ > 0
 * @param tolerance converged when the gradient by the weights, divided by the sum of the row weights, is no longer
 */
export function fitInSampleSpace(
  K: Gram,
  y: Int32Array,
  s: Float64Array,
  { classes, penalty, tolerance, maxEvaluations = 500 }: { classes: number; penalty: number; tolerance: number; maxEvaluations?: number }
): SampleFit {
  const { n } = K
  const groups = Math.ceil(classes / LANES)
  const block = (n + 1) * LANES // n coefficients and the intercept, of four classes
  const half = groups * block
  const columnOf = Int32Array.from({ length: classes }, (_, c) => (c >> 2) * block + (c & 3))
  const z = new Float64Array(classes)

  const objective = (x: Float64Array, gradient: Float64Array): number => {
    let loss = 0
    for (let g = 0; g < groups; g++) {
      for (let at = g * block; at < g * block + n * LANES; at++) {
        loss += (penalty / 2) * x[at] * x[half + at]
        gradient[at] = penalty * x[at]
      }
      gradient.fill(0, g * block + n * LANES, (g + 1) * block) // intercepts are free
    }
    for (let i = 0; i < n; i++) {
      if (s[i] === 0) continue
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
  const product: Measure['product'] = (u, v) => {
    let sum = 0
    for (let j = 0; j < half; j++) sum += u[j] * v[half + j]
    return sum
  }
  const total = s.reduce((sum, weight) => sum + weight, 0)
  const { x, evaluations } = minimise(
    objective,
    new Float64Array(2 * half),
    { gradientTolerance: tolerance * total, maxEvaluations },
    { product, size: (gradient) => Math.sqrt(Math.max(0, product(gradient, gradient))) }
  )
  const intercepts = Float64Array.from({ length: classes }, (_, c) => x[columnOf[c] + n * LANES])
  const scores = new Float64Array(n * classes)
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < classes; c++) scores[i * classes + c] = x[half + columnOf[c] + i * LANES] + intercepts[c]
  }
  const coefficients = Array.from({ length: groups }, (_, g) => x.slice(g * block, g * block + n * LANES))
  return { coefficients, intercepts, scores, evaluations }
}

/** The same model by its features: W = X'A, and the intercepts as a last column. */
export function modelOf({ coefficients, intercepts }: SampleFit, rows: SparseRows): LinearModel {
  const block = (rows.columns + 1) * LANES
  const weights = new Float64Array(coefficients.length * block)
  const products = plainProducts(rows)
  coefficients.forEach((A, g) => products.addTransposed(A, weights.subarray(g * block, (g + 1) * block - LANES)))
  intercepts.forEach((b, c) => (weights[(c >> 2) * block + rows.columns * LANES + (c & 3)] = b))
  return { weights, numberClasses: intercepts.length }
}
