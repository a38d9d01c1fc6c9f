// Softmax and its log-loss.

/** Replaces k logits by their softmax: probabilities that sum to 1. */
export function softmaxInPlace(z: Float64Array): void {
  const largest = z.reduce((a, b) => Math.max(a, b), -Infinity)
  let sum = 0
  for (let c = 0; c < z.length; c++) sum += z[c] = Math.exp(z[c] - largest)
  for (let c = 0; c < z.length; c++) z[c] /= sum
}

/** −ln softmax(z)[y]; leaves softmax(z) minus the indicator of y, which is the loss's derivative, in z. */
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

/** The place of the largest number (the first of equals). */
export function argmax(z: ArrayLike<number>): number {
  let best = 0
  for (let c = 1; c < z.length; c++) if (z[c] > z[best]) best = c
  return best
}
