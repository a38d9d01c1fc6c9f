import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { denseRows, withIntercept } from '../../../src/regression/sparse-matrix.js'
import { gramOf, plainGram } from '../../../src/regression/gram-matrix.js'
import { balancedWeights, linearScores, SoftmaxRegression } from '../../../src/regression/softmax-regression.js'
import { fitDual, modelOf } from '../../../src/regression/kernel-logistic-regression.js'

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

describe.each([2, 3, 4, 5, 9])('a regression of %d classes that is fitted by what its rows have in common', (k) => {
  const { y, rows } = data(90, 120, k)
  const options = { classes: k, penalty: 0.3, tolerance: 1e-6 }

  /** Fitted by the weights of the features. */
  function plain(s: Float64Array): SoftmaxRegression {
    const model = new SoftmaxRegression({ penalty: 0.3, interceptColumn: rows.columns, tolerance: 1e-9 })
    model.train(withIntercept(rows), y, { rowWeights: s })
    return model
  }

  test('has the same scores as one that is fitted by its features', () => {
    const s = balancedWeights(y)
    expectClose(fitDual(gramOf(rows), y, s, options).scores, plain(s).logits(withIntercept(rows)), 2e-3)
  })

  test('scores rows that were left out as that one does', () => {
    const s = balancedWeights(y, (i) => i % 10 > 0 || i === 0)
    expectClose(fitDual(gramOf(rows), y, s, options).scores, plain(s).logits(withIntercept(rows)), 2e-3)
  })

  test.each([false, true])('has the same scores with WebAssembly and without (rows left out: %s)', (leaveOut) => {
    const s = balancedWeights(y, (i) => !leaveOut || i % 10 > 0)
    expectClose(fitDual(gramOf(rows), y, s, options).scores, fitDual(plainGram(rows), y, s, options).scores, 2e-3)
  })

  test('is the same by its features', () => {
    const fit = fitDual(gramOf(rows), y, balancedWeights(y), options)
    expectClose(linearScores(modelOf(fit, rows), withIntercept(rows)), fit.scores, 1e-4)
  })

  test('does not heed the class of a row that is left out', () => {
    const s = balancedWeights(y, (i) => i > 0)
    const other = y.slice()
    other[0] = 1
    expect(fitDual(gramOf(rows), other, s, options).scores).toEqual(fitDual(gramOf(rows), y, s, options).scores)
  })

  test('comes to the same from another start, sooner from near by', () => {
    const s = balancedWeights(y)
    const fit = fitDual(gramOf(rows), y, s, options)
    const { coefficients, intercepts } = fitDual(gramOf(rows), y, s, { ...options, tolerance: 1e-2 })
    const near = fitDual(gramOf(rows), y, s, { ...options, start: { coefficients, intercepts } })
    expectClose(near.scores, fit.scores, 2e-3)
    expect(near.evaluations).toBeLessThan(fit.evaluations)
  })

  test('is fitted alike each time', () => {
    const s = balancedWeights(y)
    expect(fitDual(gramOf(rows), y, s, options)).toEqual(fitDual(gramOf(rows), y, s, options))
  })
})

test('rows without any feature leave the classes their weighted shares', () => {
  const rows = denseRows(new Float32Array(12 * 4), 12)
  const y = Int32Array.from({ length: 12 }, (_, i) => Number(i >= 9))
  const { scores } = fitDual(gramOf(rows), y, new Float64Array(12).fill(1), { classes: 2, penalty: 1, tolerance: 1e-6 })
  expect(scores[0] - scores[1]).toBeCloseTo(Math.log(3), 3)
})
