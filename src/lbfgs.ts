// Limited-memory BFGS with a backtracking line search, for smooth convex functions.
//
//   x ← x + t·d,   d = −H·g: H, the inverse Hessian's estimate, out of the last MEMORY steps and gradient changes
//
// Source: Nocedal and Wright 2006, "Numerical Optimization", algorithm 7.4 (two-loop recursion), algorithm 7.5, and
// algorithm 3.1 (backtracking).

const MEMORY = 8
const SUFFICIENT_DECREASE = 1e-4
const SMALLEST_STEP = 1e-12

/** A function of n numbers that answers its value and fills in its gradient. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number

/** How vectors are measured, where that is not by the dot product of their numbers. */
export interface Measure {
  product(a: Float64Array, b: Float64Array): number
  /** The size of a gradient, which is compared with the tolerance. */
  size(gradient: Float64Array): number
}

const PLAIN: Measure = { product: dot, size: largestOf }

export interface Minimum {
  x: Float64Array<ArrayBuffer>
  value: number
  converged: boolean
  evaluations: number
}

interface Step {
  s: Float64Array
  y: Float64Array
  rho: number
}

/**
 * The minimum of a smooth convex function, from the start x (which is used up).
 * Converged when no component of the gradient is larger than gradientTolerance (or, with a measure of the caller's, when
 * its size is not); otherwise the best point found.
 */
export function minimise(
  f: Objective,
  x: Float64Array<ArrayBuffer>,
  { gradientTolerance, maxEvaluations }: { gradientTolerance: number; maxEvaluations: number },
  { product, size } = PLAIN
): Minimum {
  let gradient = new Float64Array(x.length)
  let value = f(x, gradient)
  let evaluations = 1
  let nextX = new Float64Array(x.length)
  let nextGradient = new Float64Array(x.length)
  const steps: Step[] = []

  while (!(size(gradient) <= gradientTolerance)) { // NaN is not converged
    const direction = descent(gradient, steps, product)
    const slope = product(direction, gradient)
    let t = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(product(gradient, gradient))) : 1
    for (;;) {
      if (evaluations >= maxEvaluations || t < SMALLEST_STEP) return { x, value, converged: false, evaluations }
      for (let j = 0; j < x.length; j++) nextX[j] = x[j] + t * direction[j]
      const nextValue = f(nextX, nextGradient)
      evaluations++
      if (nextValue <= value + SUFFICIENT_DECREASE * t * slope) {
        value = nextValue
        break
      }
      t /= 2
    }
    remember(steps, x, nextX, gradient, nextGradient, product)
    ;[x, nextX] = [nextX, x]
    ;[gradient, nextGradient] = [nextGradient, gradient]
  }
  return { x, value, converged: true, evaluations }
}

/** −H·g by the two-loop recursion. */
function descent(gradient: Float64Array, steps: Step[], product: Measure['product']): Float64Array {
  const d = gradient.slice()
  const alphas = steps.map(() => 0)
  for (let m = steps.length - 1; m >= 0; m--) {
    alphas[m] = steps[m].rho * product(steps[m].s, d)
    addScaled(d, -alphas[m], steps[m].y)
  }
  const last = steps.at(-1)
  const scale = last ? 1 / (last.rho * product(last.y, last.y)) : 1
  for (let j = 0; j < d.length; j++) d[j] *= scale
  steps.forEach(({ s, y, rho }, m) => addScaled(d, alphas[m] - rho * product(y, d), s))
  for (let j = 0; j < d.length; j++) d[j] = -d[j]
  return d
}

/** Keeps the step and the gradient's change, where the curvature along it is positive. */
function remember(
  steps: Step[],
  x: Float64Array,
  nextX: Float64Array,
  g: Float64Array,
  nextG: Float64Array,
  product: Measure['product']
): void {
  const full = steps.length === MEMORY
  const { s, y } = full ? steps.shift()! : { s: new Float64Array(x.length), y: new Float64Array(x.length) }
  for (let j = 0; j < x.length; j++) {
    s[j] = nextX[j] - x[j]
    y[j] = nextG[j] - g[j]
  }
  const curvature = product(s, y)
  if (curvature > 0) steps.push({ s, y, rho: 1 / curvature })
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j]
  return sum
}

function addScaled(a: Float64Array, factor: number, b: Float64Array): void {
  for (let j = 0; j < a.length; j++) a[j] += factor * b[j]
}

function largestOf(a: Float64Array): number {
  let largest = 0
  for (let j = 0; j < a.length; j++) largest = Math.max(largest, Math.abs(a[j])) // NaN stays NaN
  return largest
}
