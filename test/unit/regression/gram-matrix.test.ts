import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { withIntercept, type SparseRows } from '../../../src/regression/sparse-matrix.js'
import { plainGramMatrix, withGramMatrix, type GramMatrix } from '../../../src/regression/gram-matrix.js'
import { plainProducts, withProducts } from '../../../src/regression/matrix-products.js'
import { chooseColumns, countNgrams, tfidfRows } from '../../../src/model/tfidf.js'
import { denseRows } from '../../support/dense-rows.js'

const random = randomNumbers(5)
const numbers = (n: number): Float64Array => Float64Array.from({ length: n }, () => random() - 0.5)

function sparseRows(rows: number, columns: number, filled: number): SparseRows {
  const starts = new Int32Array(rows + 1)
  const indices: number[] = []
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) if (random() < filled * (j % 7 ? 0.5 : 2)) indices.push(j)
    starts[i + 1] = indices.length
  }
  return { rows, columns, starts, indices: Int32Array.from(indices), values: Float32Array.from(indices, () => random() - 0.5) }
}

const words = 'tea rain train cat moon bread bike sock plant kettle'.split(' ')
const texts = Array.from({ length: 60 }, (_, i) => `${words[i % 10]} ${words[(i * 7) % 9]} ${i}`)
const counts = countNgrams(texts)

const matrices: [string, SparseRows][] = [
  ['sparse', sparseRows(37, 90, 0.1)],
  ['nearly full', sparseRows(20, 30, 0.5)],
  ['with empty rows', sparseRows(40, 9, 0.02)],
  ['of one row', sparseRows(1, 50, 0.3)],
  ['full', denseRows(Float32Array.from(numbers(13 * 21)), 13)],
  ['full, of an even number of rows', denseRows(Float32Array.from(numbers(8 * 5)), 8)],
  ['full, with an intercept', withIntercept(denseRows(Float32Array.from(numbers(13 * 21)), 13))],
  ['of n-grams', tfidfRows(counts, chooseColumns(counts).columns)]
]

/** How far the numbers are apart at the most; NaN where one is none. */
function distance(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(values.length).toBe(expected.length)
  let largest = 0
  for (let j = 0; j < values.length; j++) largest = Math.max(largest, Math.abs(values[j] - expected[j]))
  return largest
}

/** All rows of a Gram matrix, end to end. */
const valuesOf = (gram: GramMatrix): number[] => Array.from({ length: gram.n }, (_, i) => [...gram.row(i)]).flat()

describe.each(matrices)('a matrix that is %s', (_, rows) => {
  const W = numbers(rows.columns * 4)
  const R = numbers(rows.rows * 4)

  test('times four columns is the same in WebAssembly as in TypeScript', () => {
    const [Z, plain] = [new Float64Array(rows.rows * 4), new Float64Array(rows.rows * 4)]
    withProducts(rows, ({ times }) => times(W, Z))
    plainProducts(rows).times(W, plain)
    expect(distance(Z, plain)).toBeLessThanOrEqual(1e-12)
  })

  test('transposed, times four columns, is added to the numbers that are there, the same in both', () => {
    const [G, plain] = [W.slice(), W.slice()]
    R.fill(0, 0, 4) // a row that is left out
    withProducts(rows, ({ addTransposed }) => addTransposed(R, G))
    plainProducts(rows).addTransposed(R, plain)
    expect(distance(G, plain)).toBeLessThanOrEqual(1e-12)
  })

  test('has the Gram matrix of its rows, the same in both', () => {
    withGramMatrix(rows, (gram) => {
      expect(gram.n).toBe(rows.rows)
      expect(distance(valuesOf(gram), valuesOf(plainGramMatrix(rows)))).toBeLessThanOrEqual(1e-5)
    })
  })

  test('has a Gram matrix whose products are the same in both', () => {
    const product = withGramMatrix(rows, (gram) => gram.times(R))
    expect(distance(product, plainGramMatrix(rows).times(R))).toBeLessThanOrEqual(1e-4)
  })
})

test('a larger matrix after a smaller one has room', () => {
  for (const n of [10, 700, 20]) {
    const rows = denseRows(Float32Array.from(numbers(n * 8)), n)
    const values = withGramMatrix(rows, valuesOf)
    expect(distance(values, valuesOf(plainGramMatrix(rows)))).toBeLessThanOrEqual(1e-5)
  }
})

describe('matrices that are used at the same time', () => {
  const [small, large] = [denseRows(Float32Array.from(numbers(9 * 8)), 9), denseRows(Float32Array.from(numbers(300 * 8)), 300)]
  const A = numbers(9 * 4)

  test('a Gram matrix stays what it was while another is made, used and given up', () => {
    withGramMatrix(small, (gram) => {
      const before = [gram.times(A), valuesOf(gram)]
      withGramMatrix(large, (other) => other.times(numbers(300 * 4)))
      expect([gram.times(A), valuesOf(gram)]).toEqual(before)
      expect(distance(before[1], valuesOf(plainGramMatrix(small)))).toBeLessThanOrEqual(1e-5)
    })
  })

  test('products stay right while a Gram matrix and other products are in use', () => {
    const W = numbers(8 * 4)
    const [before, after, plain] = [0, 0, 0].map(() => new Float64Array(9 * 4))
    withProducts(small, ({ times }) => {
      times(W, before)
      withGramMatrix(large, (gram) => withProducts(large, (others) => others.addTransposed(gram.times(numbers(300 * 4)), numbers(8 * 4))))
      times(W, after)
    })
    plainProducts(small).times(W, plain)
    expect(after).toEqual(before)
    expect(distance(after, plain)).toBeLessThanOrEqual(1e-12)
  })

  test('two dual problems of one Gram matrix do not touch each other', () => {
    const settings = { y: Int32Array.from({ length: 9 }, (_, i) => i % 2), s: new Float64Array(9).fill(1), classes: 2, penalty: 1, hasIntercept: true }
    const other = { ...settings, penalty: 3, s: new Float64Array(9).fill(2) }
    withGramMatrix(small, (gram) => {
      const valuesAt = (...problems: ReturnType<GramMatrix['dualProblem']>[]): number[] => {
        const starts = problems.map((problem) => problem.write(new Float64Array(2 * 10 * 4).fill(0.1)) as never)
        return problems.map((problem, i) => problem.objective(starts[i], problem.space.vector() as never))
      }
      const [first] = valuesAt(gram.dualProblem(settings))
      const [second] = valuesAt(gram.dualProblem(other))
      expect(valuesAt(gram.dualProblem(settings), gram.dualProblem(other))).toEqual([first, second])
      expect(first).not.toBe(second)
    })
  })
})
