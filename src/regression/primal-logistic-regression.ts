// Softmax regression in its primal form, for rows that are too many for a Gram matrix and for fine tolerances:
//
//   minimise over W   Σ_i s_i · −ln p_i[y_i]  +  (λ/2) Σ_j Σ_c W[j,c]²        p_i = softmax(W'x_i)
//
// X: n×d, W: d×k (by four classes d×4), the weights of the intercept column are not penalised.

import { minimise, type Minimum, type Objective } from './lbfgs.js'
import { withProducts, type MatrixProducts } from './matrix-products.js'
import { LANES } from './simd/simd.js'
import { logLossInPlace } from './softmax.js'
import type { DenseRows, SparseRows } from './sparse-matrix.js'

export interface PrimalSettings {
  /** n class numbers 0 … k−1. */
  y: Int32Array
  /** n row weights. */
  s: Float64Array
  classes: number
  penalty: number
  /** The column of X that is 1 in every row and whose weights are not penalised; −1 for none. */
  interceptColumn: number
}

/** Minimises the objective from W = 0 by L-BFGS; all numbers are in double precision. */
export function fitPrimal(
  rows: SparseRows | DenseRows,
  settings: PrimalSettings,
  limits: { gradientTolerance: number; maxEvaluations: number }
): Minimum<Float64Array<ArrayBuffer>> {
  const start = new Float64Array(rows.columns * LANES * Math.ceil(settings.classes / LANES))
  return withProducts(rows, (products) => minimise(primalObjective(rows, products, settings), start, limits))
}

/** The objective and its gradient as a function of the weights. */
export function primalObjective(
  { rows: n, columns: d }: { rows: number; columns: number },
  products: MatrixProducts,
  { y, s, classes: k, penalty, interceptColumn }: PrimalSettings
): Objective {
  const blocks = Array.from({ length: Math.ceil(k / LANES) }, () => new Float64Array(n * LANES)) // logits, then their derivatives
  const size = d * LANES
  const z = new Float64Array(k)
  return (W, gradient) => {
    let loss = penaltyOf(W, gradient, penalty, d, interceptColumn)
    blocks.forEach((Z, g) => products.times(W.subarray(g * size, (g + 1) * size), Z))
    for (let i = 0; i < n; i++) {
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

/** The penalty of the weights; the gradient becomes the penalty's. */
function penaltyOf(W: Float64Array, gradient: Float64Array, penalty: number, d: number, interceptColumn: number): number {
  let squares = 0
  for (let j = 0; j < W.length; j++) {
    squares += W[j] * W[j]
    gradient[j] = penalty * W[j]
  }
  if (interceptColumn < 0) return (penalty / 2) * squares
  for (let from = interceptColumn * LANES; from < W.length; from += d * LANES) {
    for (let at = from; at < from + LANES; at++) {
      squares -= W[at] * W[at]
      gradient[at] = 0
    }
  }
  return (penalty / 2) * squares
}
