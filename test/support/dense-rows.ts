import { asSparse, type SparseRows } from '../../src/regression/sparse-matrix.js'

/** Vectors that lie end to end, as sparse rows in which every column has a value. */
export function denseRows(vectors: Float32Array, rows: number): SparseRows {
  return asSparse({ rows, columns: rows ? vectors.length / rows : 0, values: vectors })
}
