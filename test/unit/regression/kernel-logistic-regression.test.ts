import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { balancedWeights } from '../../../src/regression/classes.js'
import { plainGramMatrix, withGramMatrix, type GramMatrix } from '../../../src/regression/gram-matrix.js'
import { SoftmaxRegression } from '../../../src/regression/softmax-regression.js'
import { fitDual, weightsOf, type DualFit } from '../../../src/regression/kernel-logistic-regression.js'
import { denseRows } from '../../support/dense-rows.js'

const random = randomNumbers(9)

/** n rows of d features, whose classes they hint at. */
function data(n: number, d: number, k: number) {
  const y = Int32Array.from({ length: n }, (_, i) => i % k)
  const x = Float32Array.from({ length: n * d }, (_, p) => random() - 0.5 + 0.6 * Number(p % d === y[Math.floor(p / d)]))
  return { y, rows: denseRows(x, n) }
}

function expectClose(values: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  expect(values.length).toBe(expected.length)
  for (let j = 0; j < values.length; j++) expect(Math.abs(values[j] - expected[j])).toBeLessThanOrEqual(within)
}

describe.each([
  [2, true], [3, true], [4, true], [5, true], [9, true], [3, false], [5, false]
])('a regression of %d classes in its dual form, with intercepts: %s', (k, hasIntercept) => {
  const { y, rows } = data(90, 120, k)
  const options = { classes: k, penalty: 0.3, tolerance: 1e-6, maxEvaluations: 500, hasIntercept }
  const dual = (s: Float64Array, more: Partial<Parameters<typeof fitDual>[3]> = {}, labels = y): DualFit =>
    withGramMatrix(rows, (gram) => fitDual(gram, labels, s, { ...options, ...more }))

  /** Fitted in the primal form. */
  function primal(s: Float64Array): SoftmaxRegression {
    const model = new SoftmaxRegression({ penalty: 0.3, intercept: hasIntercept, tolerance: 1e-9, solver: 'primal' })
    model.train(rows, y, { rowWeights: s })
    return model
  }

  test('has the same logits as in its primal form', () => {
    const s = balancedWeights(y)
    const fit = dual(s)
    expectClose(fit.logits, primal(s).logits(rows), 2e-3)
    expect(fit.intercepts.some((b) => b !== 0)).toBe(hasIntercept)
  })

  test('gives rows that were left out the logits that the primal gives them', () => {
    const s = balancedWeights(y, (i) => i % 10 > 0 || i === 0)
    expectClose(dual(s).logits, primal(s).logits(rows), 2e-3)
  })

  test.each([false, true])('has the same logits with WebAssembly and without (rows left out: %s)', (leaveOut) => {
    const s = balancedWeights(y, (i) => !leaveOut || i % 10 > 0)
    expectClose(dual(s).logits, fitDual(plainGramMatrix(rows), y, s, options).logits, 2e-3)
  })

  test('stands for weights that give the same logits', () => {
    const fit = dual(balancedWeights(y))
    const model = SoftmaxRegression.ofWeights(weightsOf(fit, rows, hasIntercept), k, { intercept: hasIntercept })
    expectClose(model.logits(rows), fit.logits, 1e-4)
  })

  test('does not depend on the class of a row that is left out', () => {
    const s = balancedWeights(y, (i) => i > 0)
    const other = y.slice()
    other[0] = 1
    expect(dual(s, {}, other).logits).toEqual(dual(s).logits)
  })

  test.each([false, true])('comes to the same from another start, sooner from one near by (rows left out: %s)', (leaveOut) => {
    const s = balancedWeights(y, (i) => !leaveOut || i % 10 > 0)
    const fit = dual(s)
    const { coefficients, intercepts } = dual(s, { tolerance: 1e-2 })
    const near = dual(s, { start: { coefficients, intercepts } })
    expectClose(near.logits, fit.logits, 2e-3)
    expect(near.evaluations).toBeLessThan(fit.evaluations)
  })

  test('is fitted alike each time', () => {
    const s = balancedWeights(y)
    expect(dual(s)).toEqual(dual(s))
  })

  test('keeps its result while others are fitted', () => {
    const s = balancedWeights(y)
    const [first, second] = withGramMatrix(rows, (gram: GramMatrix) => {
      const fit = fitDual(gram, y, s, options)
      const before = structuredClone(fit)
      fitDual(gram, y, balancedWeights(y, (i) => i % 3 > 0), { ...options, penalty: 2 })
      return [before, fit]
    })
    dual(s, { penalty: 5 })
    expect(second).toEqual(first)
  })
})

test('rows without any feature leave the classes their weighted shares', () => {
  const rows = denseRows(new Float32Array(12 * 4), 12)
  const y = Int32Array.from({ length: 12 }, (_, i) => Number(i >= 9))
  const options = { classes: 2, penalty: 1, tolerance: 1e-6, maxEvaluations: 500, hasIntercept: true }
  const { logits } = withGramMatrix(rows, (gram) => fitDual(gram, y, new Float64Array(12).fill(1), options))
  expect(logits[0] - logits[1]).toBeCloseTo(Math.log(3), 3)
})
