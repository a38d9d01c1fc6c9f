import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { denseRows, withIntercept, type SparseRows } from '../../../src/regression/sparse-matrix.js'
import { gramOf, plainGram } from '../../../src/regression/gram-matrix.js'
import { plainProducts, productsOf } from '../../../src/regression/simd.js'
import { chooseColumns, countNgrams, tfidfRows } from '../../../src/model/tfidf.js'

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
  ['of n-grams', tfidfRows(counts, chooseColumns(counts))]
]

function expectClose(values: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  expect(values.length).toBe(expected.length)
  for (let j = 0; j < values.length; j++) expect(Math.abs(values[j] - expected[j])).toBeLessThanOrEqual(within)
}

describe.each(matrices)('a matrix that is %s', (_, rows) => {
  const W = numbers(rows.columns * 4)
  const R = numbers(rows.rows * 4)

  test('times four columns is the same in WebAssembly as in TypeScript', () => {
    const [Z, plain] = [new Float64Array(rows.rows * 4), new Float64Array(rows.rows * 4)]
    productsOf(rows).times(W, Z)
    plainProducts(rows).times(W, plain)
    expectClose(Z, plain, 1e-12)
  })

  test('transposed, times four columns, is added to what is there, the same in both', () => {
    const [G, plain] = [W.slice(), W.slice()]
    R.fill(0, 0, 4) // a row that is left out
    productsOf(rows).addTransposed(R, G)
    plainProducts(rows).addTransposed(R, plain)
    expectClose(G, plain, 1e-12)
  })

  test('has the Gram matrix of its rows, the same in both', () => {
    const { n, values } = gramOf(rows)
    expect(n).toBe(rows.rows)
    expectClose(values, plainGram(rows).values, 1e-5)
  })

  test('has a Gram matrix whose products are the same in both', () => {
    const [Z, plain] = [new Float64Array(rows.rows * 4), new Float64Array(rows.rows * 4)]
    gramOf(rows).times(R, Z)
    plainGram(rows).times(R, plain)
    expectClose(Z, plain, 1e-4)
  })
})

test('a larger matrix after a smaller one has room', () => {
  for (const n of [10, 700, 20]) {
    const rows = denseRows(Float32Array.from(numbers(n * 8)), n)
    expectClose(gramOf(rows).values, plainGram(rows).values, 1e-5)
  }
})
