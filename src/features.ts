// Feature rows for the two models of an attribution: what is common to how they are laid out.

import { asSparse, type SparseRows } from './style.js'

/** Dense vectors that lie end to end, as sparse rows in which every column has a value. */
export function denseRows(vectors: Float32Array, rows: number): SparseRows {
  return asSparse({ rows, columns: rows ? vectors.length / rows : 0, values: vectors })
}

/** The rows with one more column, the last, that is 1 everywhere: the intercept's. */
export function withIntercept({ rows, columns, starts, indices, values }: SparseRows): SparseRows {
  const widened = {
    rows,
    columns: columns + 1,
    starts: starts.map((start, i) => start + i),
    indices: new Int32Array(indices.length + rows),
    values: new Float32Array(values.length + rows)
  }
  for (let i = 0; i < rows; i++) {
    const end = widened.starts[i + 1] - 1
    widened.indices.set(indices.subarray(starts[i], starts[i + 1]), widened.starts[i])
    widened.values.set(values.subarray(starts[i], starts[i + 1]), widened.starts[i])
    widened.indices[end] = columns
    widened.values[end] = 1
  }
  return widened
}
