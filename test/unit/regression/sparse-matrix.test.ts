import { describe, expect, test } from 'vitest'
import { transposed, withIntercept, type SparseRows } from '../../../src/regression/sparse-matrix.js'
import { countNgrams, chooseColumns, tfidfRows } from '../../../src/model/tfidf.js'
import { denseRows } from '../../support/dense-rows.js'

/** Sparse rows, plainly. */
function dense({ rows, columns, starts, indices, values }: SparseRows): number[][] {
  return Array.from({ length: rows }, (_, i) => {
    const row = new Array<number>(columns).fill(0)
    for (let p = starts[i]; p < starts[i + 1]; p++) row[indices[p]] += values[p]
    return row
  })
}

const SPARSE: SparseRows = {
  rows: 4,
  columns: 3,
  starts: Int32Array.of(0, 2, 2, 3, 6),
  indices: Int32Array.of(0, 2, 1, 2, 0, 1),
  values: Float32Array.of(1, 2, 3, 4, 5, 6)
}

describe('dense vectors as rows', () => {
  test('have every number in its place', () => {
    const rows = denseRows(Float32Array.of(1, 2, 3, 4, 5, 6), 2)
    expect([rows.rows, rows.columns]).toEqual([2, 3])
    expect(dense(rows)).toEqual([[1, 2, 3], [4, 5, 6]])
  })

  test('keep a zero as a value like others, so that every row has every column', () => {
    const rows = denseRows(Float32Array.of(0, 1, 0, 0), 2)
    expect([...rows.indices]).toEqual([0, 1, 0, 1])
    expect(dense(rows)).toEqual([[0, 1], [0, 0]])
  })

  test('are none of no columns where there are no vectors', () => {
    expect(denseRows(new Float32Array(0), 0)).toMatchObject({ rows: 0, columns: 0, starts: Int32Array.of(0) })
  })
})

describe('rows with an intercept', () => {
  test('have a last column that is 1 in every row, also in an empty one, and are else what they were', () => {
    const widened = withIntercept(SPARSE)
    expect([widened.rows, widened.columns]).toEqual([4, 4])
    expect(dense(widened)).toEqual(dense(SPARSE).map((row) => [...row, 1]))
  })

  test('are well-formed: each column once in a row, starts that fit the values', () => {
    const { rows, starts, indices, values } = withIntercept(SPARSE)
    expect([...starts]).toEqual([0, 3, 4, 6, 10])
    expect(indices).toHaveLength(starts[rows])
    expect(values).toHaveLength(starts[rows])
    for (let i = 0; i < rows; i++) {
      const columns = [...indices.subarray(starts[i], starts[i + 1])]
      expect(new Set(columns).size).toBe(columns.length)
    }
  })

  test('leave the rows that were given as they are', () => {
    const before = structuredClone(SPARSE)
    withIntercept(SPARSE)
    expect(SPARSE).toEqual(before)
  })

  test('are made of n-grams and of dense vectors alike', () => {
    const counts = countNgrams(['oh hello', 'hello', 'zzz'])
    const ngrams = tfidfRows(counts, chooseColumns(counts).columns)
    const vectors = denseRows(Float32Array.of(1, 2, 3, 4, 5, 6), 3)
    for (const rows of [ngrams, vectors]) {
      expect(dense(withIntercept(rows))).toEqual(dense(rows).map((row) => [...row, 1]))
    }
  })

  test('of no rows are none, with the column there', () => {
    const none = withIntercept(denseRows(new Float32Array(0), 0))
    expect(none).toMatchObject({ rows: 0, columns: 1, starts: Int32Array.of(0), values: new Float32Array(0) })
  })
})

describe('a matrix turned over', () => {
  test('has its rows as columns', () => {
    expect(dense(transposed(SPARSE))).toEqual([0, 1, 2].map((j) => dense(SPARSE).map((row) => row[j])))
  })

  test('and over again is what it was, entry for entry in order', () => {
    const counts = countNgrams(['over and over', 'and', '', 'over'])
    const rows = tfidfRows(counts, chooseColumns(counts).columns)
    expect(dense(transposed(transposed(rows)))).toEqual(dense(rows))
    expect(transposed(transposed(rows)).starts).toEqual(rows.starts)
  })
})
