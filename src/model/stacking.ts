// Two models' logits, added with weights that their held-out logits choose:
//
//   minimise over a, b > 0   Σ_i −ln softmax(a·u_i + b·v_i)[y_i]  +  (PRIOR_STRENGTH / 2) · ((ln a/A)² + (ln b/B)²)
//
// u, v: n×k held-out logits of the two models; A, B: prior weights, chosen on many other accounts: with few tweets the
// result stays near them. Stacking (Wolpert 1992, "Stacked Generalization") and temperature scaling (Guo et al.
// 2017, "On Calibration of Modern Neural Networks", section 4.2) in one.

import { minimise } from '../regression/lbfgs.js'
import { logLossInPlace } from '../regression/softmax.js'

const PRIOR = [1, 0.5]
const PRIOR_STRENGTH = 10
const TOLERANCE = 1e-3

/** n×k logits by each of the two models. */
export interface Logits {
  ngrams: Float64Array
  encoder: Float64Array
}

/** The logits that decide. */
export function sum({ ngrams, encoder }: Logits): Float64Array {
  return ngrams.map((z, i) => z + encoder[i])
}

/**
 * [a, b] by the models' n×k held-out logits.
 * @param parts a model that is left out is null and has the weight 0
 */
export function stackingWeights(parts: (Float64Array | null)[], labels: Int32Array): [number, number] {
  const used = parts.flatMap((part, m) => (part ? [{ part, prior: PRIOR[m], m }] : []))
  const k = used[0].part.length / labels.length
  const z = new Float64Array(k)
  const objective = (logs: Float64Array, gradient: Float64Array): number => {
    let loss = 0
    used.forEach((_, u) => {
      const off = logs[u] - Math.log(used[u].prior)
      loss += (PRIOR_STRENGTH / 2) * off * off
      gradient[u] = PRIOR_STRENGTH * off
    })
    const weights = logs.map(Math.exp)
    for (let i = 0; i < labels.length; i++) {
      z.fill(0)
      for (let u = 0; u < used.length; u++) {
        const { part } = used[u]
        for (let c = 0; c < k; c++) z[c] += weights[u] * part[i * k + c]
      }
      loss += logLossInPlace(z, k, labels[i])
      for (let u = 0; u < used.length; u++) {
        const { part } = used[u]
        for (let c = 0; c < k; c++) gradient[u] += weights[u] * z[c] * part[i * k + c]
      }
    }
    return loss
  }
  const start = Float64Array.from(used, ({ prior }) => Math.log(prior))
  const { x } = minimise(objective, start, { gradientTolerance: TOLERANCE, maxEvaluations: 100 })
  const weights: [number, number] = [0, 0]
  used.forEach(({ m }, u) => (weights[m] = Math.exp(x[u])))
  return weights
}
