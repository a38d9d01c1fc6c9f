// Limited-memory BFGS with a backtracking line search, for smooth convex functions.
//
//   x ← x + t·d,   d = −H·g: H is the estimate of the inverse Hessian from the last MEMORY steps and gradient changes
//
// Source: Nocedal and Wright 2006, "Numerical Optimization", algorithm 7.4 (two-loop recursion), algorithm 7.5, and
// algorithm 3.1 (backtracking).

import { dot } from '../core/vectors.js'

const MEMORY = 20
const SUFFICIENT_DECREASE = 1e-4
const SMALLEST_STEP = 1e-12

/** A function of a vector: returns its value and fills in its gradient. */
export type Objective<V = Float64Array> = (x: V, gradient: V) => number

/** How vectors of a kind are made, combined and measured. */
export interface Space<V> {
  /** A new vector of zeros. */
  vector(): V
  /** into ← a + t·b; `into` may be a or b. */
  combine(into: V, a: V, t: number, b: V): void
  product(a: V, b: V): number
  /** The relative error of the function's values: a step that raises the value by no more than this is taken. */
  rounding: number
  /** The size of a gradient: converged when it is at most the tolerance. */
  size(gradient: V): number
}

export interface Minimum<V = Float64Array> {
  x: V
  value: number
  converged: boolean
  evaluations: number
}

interface Step<V> {
  s: V
  y: V
  rho: number
}

interface Limits {
  gradientTolerance: number
  maxEvaluations: number
}

/**
 * The minimum of a smooth convex function, started from x (which is overwritten).
 * Converged when no component of the gradient is larger than gradientTolerance; otherwise the best point found.
 */
export function minimise(f: Objective, x: Float64Array<ArrayBuffer>, limits: Limits): Minimum<Float64Array<ArrayBuffer>> {
  return minimiseIn(numbers(x.length), f, x, limits)
}

/** The same for vectors of the caller's kind. */
export function minimiseIn<V>(space: Space<V>, f: Objective<V>, x: V, { gradientTolerance, maxEvaluations }: Limits): Minimum<V> {
  let [gradient, nextX, nextGradient] = [space.vector(), space.vector(), space.vector()]
  const direction = space.vector()
  let value = f(x, gradient)
  let evaluations = 1
  const steps: Step<V>[] = []
  let spare: Step<V> | undefined // a step that was not kept: its vectors serve the next one

  while (!(space.size(gradient) <= gradientTolerance)) { // NaN is not converged
    descend(space, direction, gradient, steps)
    const slope = space.product(direction, gradient)
    let t = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(space.product(gradient, gradient))) : 1
    for (;;) {
      if (evaluations >= maxEvaluations || t < SMALLEST_STEP) return { x, value, converged: false, evaluations }
      space.combine(nextX, x, t, direction)
      const nextValue = f(nextX, nextGradient)
      evaluations++
      if (nextValue <= value + SUFFICIENT_DECREASE * t * slope + space.rounding * Math.abs(value)) {
        value = nextValue
        break
      }
      t /= 2
    }
    const step = spare ?? (steps.length === MEMORY ? steps.shift()! : { s: space.vector(), y: space.vector(), rho: 0 })
    space.combine(step.s, nextX, -1, x)
    space.combine(step.y, nextGradient, -1, gradient)
    const curvature = space.product(step.s, step.y)
    step.rho = 1 / curvature
    spare = curvature > 0 ? undefined : step
    if (!spare) steps.push(step)
    ;[x, nextX] = [nextX, x]
    ;[gradient, nextGradient] = [nextGradient, gradient]
  }
  return { x, value, converged: true, evaluations }
}

/** d ← −H·g by the two-loop recursion. */
function descend<V>({ combine, product }: Space<V>, d: V, gradient: V, steps: Step<V>[]): void {
  combine(d, gradient, -2, gradient)
  const alphas = steps.map(() => 0)
  for (let m = steps.length - 1; m >= 0; m--) {
    alphas[m] = steps[m].rho * product(steps[m].s, d)
    combine(d, d, -alphas[m], steps[m].y)
  }
  const last = steps.at(-1)
  if (last) combine(d, d, 1 / (last.rho * product(last.y, last.y)) - 1, d)
  steps.forEach(({ s, y, rho }, m) => combine(d, d, alphas[m] - rho * product(y, d), s))
}

/** n numbers, measured by their dot product; a gradient's size is its largest component. */
function numbers(n: number): Space<Float64Array<ArrayBuffer>> {
  return {
    rounding: 0,
    vector: () => new Float64Array(n),
    combine(into, a, t, b) {
      for (let j = 0; j < n; j++) into[j] = a[j] + t * b[j]
    },
    product: (a, b) => dot(a, b),
    size(gradient) {
      let largest = 0
      for (let j = 0; j < n; j++) largest = Math.max(largest, Math.abs(gradient[j])) // NaN stays NaN
      return largest
    }
  }
}
