// Matrices of feature rows, sparse (CSR, CSC) or dense.

/** Rows of a sparse matrix (CSR): row i has values[p] in column indices[p] for starts[i] ≤ p < starts[i + 1]. */
export interface SparseRows {
  rows: number
  columns: number
  starts: Int32Array
  indices: Int32Array
  values: Float32Array
}

/** Rows of a dense matrix, end to end. */
export type DenseRows = Pick<SparseRows, 'rows' | 'columns' | 'values'>

/** A sparse matrix that is there by its columns (CSC): row j of `byColumn` is column j. */
export type SparseColumns = Pick<SparseRows, 'rows' | 'columns'> & { byColumn: SparseRows }

/** A dense matrix as a sparse one without gaps; a sparse one as it is. */
export function asSparse(matrix: SparseRows | DenseRows | SparseColumns): SparseRows {
  if ('indices' in matrix) return matrix
  if ('byColumn' in matrix) return transposed(matrix.byColumn)
  const { rows, columns, values } = matrix
  const starts = Int32Array.from({ length: rows + 1 }, (_, i) => i * columns)
  const indices = Int32Array.from(values, (_, p) => p % columns)
  return { rows, columns, starts, indices, values }
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

/** The matrix with its rows as columns: its row j has what all rows have in column j. */
export function transposed({ rows, columns, starts, indices, values }: SparseRows): SparseRows {
  const turned = { rows: columns, columns: rows, starts: new Int32Array(columns + 1), indices: new Int32Array(values.length), values: new Float32Array(values.length) }
  for (let p = 0; p < values.length; p++) turned.starts[indices[p] + 1]++
  for (let j = 0; j < columns; j++) turned.starts[j + 1] += turned.starts[j]
  const next = turned.starts.slice()
  for (let i = 0; i < rows; i++) {
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      const at = next[indices[p]]++
      turned.indices[at] = i
      turned.values[at] = values[p]
    }
  }
  return turned
}
