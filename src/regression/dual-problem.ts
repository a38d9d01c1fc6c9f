// The objective of a kernel logistic regression (its formula is in kernel-logistic-regression.ts) as something to minimise.

import { dot } from '../core/vectors.js'
import type { Objective, Space } from './lbfgs.js'
import { LANES } from './simd/simd.js'
import { logLossInPlace } from './softmax.js'

export interface DualSettings {
  /** n class numbers 0 … k−1. */
  y: Int32Array
  /** n row weights. */
  s: Float64Array
  classes: number
  penalty: number
  /** Whether each class has an intercept b, which is not penalised. */
  hasIntercept: boolean
}

/** An objective over vectors that hold A and b, and K·A and b behind them; by four classes n×4 and 4 numbers each. */
export interface DualProblem<V> {
  space: Space<V>
  objective: Objective<V>
  write(numbers: Float64Array): V
  read(vector: V): Float64Array
  /** Gives up the vectors' memory. */
  release(): void
}

/** The problem in TypeScript and double precision, for any number of classes. */
export function plainDualProblem(
  K: { n: number; times(A: Float64Array): Float64Array },
  { y, s, classes, penalty, hasIntercept }: DualSettings
): DualProblem<Float64Array> {
  const { n } = K
  const groups = Math.ceil(classes / LANES)
  const block = (n + 1) * LANES // A's and b's numbers for four classes
  const half = groups * block // where the products begin
  const startOf = Int32Array.from({ length: classes }, (_, c) => (c >> 2) * block + (c & 3))
  const z = new Float64Array(classes)
  const product = (u: Float64Array, v: Float64Array): number => dot(u.subarray(0, half), v, half)

  /** Adds the log-loss' derivatives to the gradient. */
  const addLogLoss = (x: Float64Array, gradient: Float64Array): number => {
    let loss = 0
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < classes; c++) z[c] = x[half + startOf[c] + i * LANES] + x[startOf[c] + n * LANES]
      loss += s[i] * logLossInPlace(z, classes, y[i])
      for (let c = 0; c < classes; c++) {
        gradient[startOf[c] + i * LANES] += s[i] * z[c]
        if (hasIntercept) gradient[startOf[c] + n * LANES] += s[i] * z[c]
      }
    }
    return loss
  }
  /** Fills in the second half: K times the first, and the intercepts again. */
  const addProducts = (vector: Float64Array): void => {
    for (let from = 0; from < half; from += block) {
      const to = from + n * LANES
      vector.set(K.times(vector.subarray(from, to)), half + from)
      vector.copyWithin(half + to, to, to + LANES)
    }
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
      for (let from = 0; from < half; from += block) {
        for (let at = from; at < from + n * LANES; at++) {
          loss += (penalty / 2) * x[at] * x[half + at]
          gradient[at] = penalty * x[at]
        }
        gradient.fill(0, from + n * LANES, from + block)
      }
      loss += addLogLoss(x, gradient)
      addProducts(gradient)
      return loss
    },
    write: (numbers) => numbers.slice(),
    read: (vector) => vector.slice(),
    release() {}
  }
}
