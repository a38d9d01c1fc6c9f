import { describe, expect, test } from 'vitest'
import { minimise, type Objective } from '../../../src/regression/lbfgs.js'

/** ½ (x − m)' A (x − m) with A = Q diag(eigenvalues) Q, Q the reflection in the hyperplane that is normal to v. */
function quadratic(eigenvalues: number[], m: number[]): Objective {
  const v = eigenvalues.map((_, j) => Math.sin(j + 1))
  const squares = v.reduce((sum, value) => sum + value * value, 0)
  const reflect = (x: number[]): number[] => {
    const along = x.reduce((sum, value, j) => sum + value * v[j], 0)
    return x.map((value, j) => value - (2 * along * v[j]) / squares)
  }
  return (x, gradient) => {
    const turned = reflect(Array.from(x, (value, j) => value - m[j]))
    gradient.set(reflect(turned.map((value, j) => eigenvalues[j] * value)))
    return turned.reduce((sum, value, j) => sum + (eigenvalues[j] * value * value) / 2, 0)
  }
}

/** How far apart two points are in the coordinate where they are farthest apart. */
const farthest = (x: ArrayLike<number>, m: number[]): number =>
  Math.max(0, ...m.map((value, j) => Math.abs(x[j] - value)))

/** n numbers from 1 to the largest, each as many times the one before. */
const geometric = (n: number, largest: number): number[] =>
  Array.from({ length: n }, (_, j) => largest ** (j / (n - 1)))

describe('a convex quadratic', () => {
  test.each([
    ['of one number', [3]],
    ['that is round', [1, 1, 1, 1, 1]],
    ['that is round and steep', [1e6, 1e6, 1e6]],
    ['that is round and flat', [1e-3, 1e-3, 1e-3]],
    ['a hundred times longer than wide', geometric(10, 1e2)],
    ['ten thousand times longer than wide', geometric(20, 1e4)],
    ['of two scales', [1, 1, 1, 1e4, 1e4, 1e4]]
  ])('%s is solved', (_, eigenvalues) => {
    const m = eigenvalues.map((_, j) => 3 * Math.cos(5 * j) + 1)
    const smallest = Math.min(...eigenvalues)
    const gradientTolerance = 1e-7 * smallest
    const start = new Float64Array(m.length)
    const result = minimise(quadratic(eigenvalues, m), start, { gradientTolerance, maxEvaluations: 1000 })
    expect(result.converged).toBe(true)
    // |x − m| ≤ |A⁻¹ g| ≤ √n · largest component of g / smallest eigenvalue
    expect(farthest(result.x, m)).toBeLessThanOrEqual(Math.sqrt(m.length) * 1.01e-7)
    expect(result.value).toBeLessThan(1e-10)
  })

  test('is solved from a start far away', () => {
    const m = [1, -2, 3, -4]
    const f = quadratic([1, 2, 5, 10], m)
    const result = minimise(f, new Float64Array(4).fill(1e8), { gradientTolerance: 1e-6, maxEvaluations: 1000 })
    expect(result.converged).toBe(true)
    expect(farthest(result.x, m)).toBeLessThan(1e-5)
  })

  test('is solved where as many steps of steepest descent get nowhere near', () => {
    const m = geometric(20, 1e4).map((_, j) => j)
    const f = quadratic(geometric(20, 1e4), m)
    const result = minimise(f, new Float64Array(20), { gradientTolerance: 1e-4, maxEvaluations: 1000 })
    const x = new Float64Array(20)
    const gradient = new Float64Array(20)
    for (let step = 0; step < result.evaluations; step++) {
      f(x, gradient)
      for (let j = 0; j < 20; j++) x[j] -= gradient[j] / 1e4
    }
    expect(result.converged).toBe(true)
    expect(farthest(result.x, m)).toBeLessThan(1e-3)
    expect(farthest(x, m)).toBeGreaterThan(1)
  })
})

describe('other smooth convex functions', () => {
  test('a sum of softpluses is solved: its minimum is known', () => {
    // ln(1 + eˣ) − a·x is least where σ(x) = a
    const a = [0.01, 0.2, 0.5, 0.9, 0.999]
    const f: Objective = (x, gradient) =>
      a.reduce((sum, share, j) => {
        gradient[j] = 1 / (1 + Math.exp(-x[j])) - share
        return sum + Math.log1p(Math.exp(x[j])) - share * x[j]
      }, 0)
    const result = minimise(f, new Float64Array(5), { gradientTolerance: 1e-9, maxEvaluations: 500 })
    expect(result.converged).toBe(true)
    expect(farthest(result.x, a.map((share) => Math.log(share / (1 - share))))).toBeLessThan(1e-5)
  })

  test('a quartic is solved although its curvature vanishes at the minimum', () => {
    const f: Objective = (x, gradient) => {
      gradient[0] = 4 * (x[0] - 2) ** 3
      return (x[0] - 2) ** 4
    }
    const result = minimise(f, Float64Array.of(-7), { gradientTolerance: 1e-6, maxEvaluations: 500 })
    expect(result.converged).toBe(true)
    expect(result.x[0]).toBeCloseTo(2, 1)
  })

  test.each([1e-3, 0.5, 50])('x − ln x is solved from %d, though it is undefined for x ≤ 0', (start) => {
    const f: Objective = (x, gradient) => {
      gradient[0] = 1 - 1 / x[0]
      return x[0] - Math.log(x[0])
    }
    const result = minimise(f, Float64Array.of(start), { gradientTolerance: 1e-8, maxEvaluations: 500 })
    expect(result.converged).toBe(true)
    expect(result.x[0]).toBeCloseTo(1, 6)
  })
})

describe('stopping', () => {
  test('at the minimum takes one evaluation and moves nothing', () => {
    const m = [1, 2, 3]
    const f = quadratic([1, 10, 100], m)
    const result = minimise(f, Float64Array.from(m), { gradientTolerance: 1e-9, maxEvaluations: 9 })
    expect(result).toMatchObject({ converged: true, evaluations: 1, value: 0 })
    expect([...result.x]).toEqual(m)
  })

  test('is at once where there are no numbers to choose', () => {
    const result = minimise(() => 7, new Float64Array(0), { gradientTolerance: 0, maxEvaluations: 5 })
    expect(result).toMatchObject({ converged: true, evaluations: 1, value: 7 })
  })

  test.each([1, 2, 3, 5, 8])('after %i evaluations says that it has not converged and gives the best yet', (most) => {
    const m = geometric(20, 1e4).map((_, j) => j + 1)
    const f = quadratic(geometric(20, 1e4), m)
    const gradient = new Float64Array(20)
    const atStart = f(new Float64Array(20), gradient)
    let calls = 0
    const counting: Objective = (x, g) => (calls++, f(x, g))
    const result = minimise(counting, new Float64Array(20), { gradientTolerance: 1e-9, maxEvaluations: most })
    expect(result.converged).toBe(false)
    expect(result.evaluations).toBe(calls)
    expect(calls).toBeLessThanOrEqual(most)
    expect(result.value).toBe(f(result.x, gradient))
    expect(result.value).toBeLessThanOrEqual(atStart)
  })

  test('never comes on a function without a minimum, and says so', () => {
    const f: Objective = (x, gradient) => {
      gradient[0] = -1
      return -x[0]
    }
    const result = minimise(f, Float64Array.of(0), { gradientTolerance: 1e-9, maxEvaluations: 50 })
    expect(result.converged).toBe(false)
    expect(Number.isFinite(result.value)).toBe(true)
    expect(result.evaluations).toBeLessThanOrEqual(50)
  })

  test('on a gradient that points the wrong way says that it has not converged, and stays where it was', () => {
    const f: Objective = (x, gradient) => {
      gradient[0] = -2 * x[0]
      return x[0] ** 2
    }
    const result = minimise(f, Float64Array.of(3), { gradientTolerance: 1e-9, maxEvaluations: 500 })
    expect(result).toMatchObject({ converged: false, value: 9 })
    expect([...result.x]).toEqual([3])
  })

  test('with a tolerance that rounding cannot meet says that it has not converged, though it has the minimum', () => {
    const third: Objective = (x, gradient) => {
      gradient[0] = Math.exp(x[0]) - 1 / 3
      return Math.exp(x[0]) - x[0] / 3
    }
    const result = minimise(third, Float64Array.of(0), { gradientTolerance: -1, maxEvaluations: 500 })
    expect(result.converged).toBe(false)
    expect(result.evaluations).toBeLessThanOrEqual(500)
    expect(result.x[0]).toBeCloseTo(Math.log(1 / 3), 6)
  })

  test.each([
    ['value and gradient', NaN, NaN],
    ['gradient', 1, NaN]
  ])('on a %s that is no number is not called converged', (_, value, slope) => {
    const f: Objective = (_x, gradient) => {
      gradient.fill(slope)
      return value
    }
    expect(minimise(f, new Float64Array(2), { gradientTolerance: 1e-4, maxEvaluations: 20 }).converged).toBe(false)
  })

  test('means that the gradient at the answer is within the tolerance', () => {
    const f = quadratic(geometric(12, 1e3), geometric(12, 1e3).map((_, j) => -j))
    for (const gradientTolerance of [1, 1e-2, 1e-4, 1e-6]) {
      const { x, converged } = minimise(f, new Float64Array(12), { gradientTolerance, maxEvaluations: 1000 })
      const gradient = new Float64Array(12)
      f(x, gradient)
      expect(converged).toBe(true)
      expect(farthest(gradient, Array(12).fill(0))).toBeLessThanOrEqual(gradientTolerance)
    }
  })
})
