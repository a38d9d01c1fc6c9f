// The Gram matrix K = X·X' of feature rows (the linear kernel): a regression in its dual form needs nothing else of X, so
// several fits share one.

import { dot } from '../core/vectors.js'
import { plainDualProblem, type DualProblem, type DualSettings } from './dual-problem.js'
import { HAS_SIMD, LANES, withArena, type Arena } from './simd/simd.js'
import { asSparse, transposed, type DenseRows, type SparseColumns, type SparseRows } from './sparse-matrix.js'

/** A symmetric n×n matrix K in single precision. */
export interface GramMatrix extends GramPart {
  /** A copy of row i: n numbers. */
  row(i: number): Float32Array
  /** The rows and columns of these numbers, ascending; no copy is made. */
  among(rows: Int32Array): GramPart
}

/** Rows and the same columns of a Gram matrix. */
export interface GramPart {
  n: number
  /** K·A; A is n×4. */
  times(A: Float64Array): Float64Array
  /** The dual of kernel-logistic-regression.ts, to be minimised. */
  dualProblem(settings: DualSettings): DualProblem<number> | DualProblem<Float64Array>
}

const ROUNDING = 2 ** -22 // relative error of a sum in single precision
const DENSE_COLUMN = 1 / 4 // a column with values in more of the rows than this is multiplied as a dense one

/** Calls `use` with K = X·X' of these rows; K is of no use after it has returned. */
export function withGramMatrix<T>(rows: SparseRows | DenseRows | SparseColumns, use: (gram: GramMatrix) => T): T {
  if (!HAS_SIMD) return use(plainGramMatrix(asSparse(rows)))
  return withArena((arena) => use(simdGramMatrix(rows, arena)))
}

/** The columns of an n-row matrix in two groups, by their addresses: n×d dense with d a multiple of 4, and sparse (CSC). */
interface PlacedColumns {
  dense: { d: number; values: number }
  sparse: { columns: number; starts: number; rows: number; values: number }
}

function placeColumns(rows: SparseRows | DenseRows | SparseColumns, arena: Arena): PlacedColumns {
  if ('values' in rows && !('indices' in rows) && rows.columns % LANES === 0) {
    return { dense: { d: rows.columns, values: arena.place(rows.values) }, sparse: { columns: 0, starts: arena.zeros(1), rows: 0, values: 0 } }
  }
  return placeSplit('byColumn' in rows ? rows.byColumn : transposed(asSparse(rows)), arena)
}

/** Columns with values in many rows as dense ones, the others as they are: written where they are multiplied, without a copy in between. */
function placeSplit({ rows: columns, columns: n, starts, indices, values }: SparseRows, arena: Arena): PlacedColumns {
  const isDense = (j: number): boolean => starts[j + 1] - starts[j] > n * DENSE_COLUMN
  let [denseColumns, sparseValues] = [0, 0]
  for (let j = 0; j < columns; j++) {
    if (isDense(j)) denseColumns++
    else sparseValues += starts[j + 1] - starts[j]
  }
  const d = Math.ceil(denseColumns / LANES) * LANES
  const placed = {
    dense: { d, values: arena.zeros(n * d) },
    sparse: {
      columns: columns - denseColumns,
      starts: arena.zeros(columns - denseColumns + 1),
      rows: arena.reserve(sparseValues),
      values: arena.reserve(sparseValues)
    }
  }
  const dense = arena.floats(placed.dense.values, n * d)
  const [sparseStarts, sparseRows] = [arena.integers(placed.sparse.starts, columns - denseColumns + 1), arena.integers(placed.sparse.rows, sparseValues)]
  const sparse = arena.floats(placed.sparse.values, sparseValues)
  let [denseColumn, sparseColumn, end] = [0, 0, 0]
  for (let j = 0; j < columns; j++) {
    if (isDense(j)) {
      for (let p = starts[j]; p < starts[j + 1]; p++) dense[indices[p] * d + denseColumn] = values[p]
      denseColumn++
    } else {
      for (let p = starts[j]; p < starts[j + 1]; p++, end++) { // views to copy by would be objects by the hundred thousand
        sparseRows[end] = indices[p]
        sparse[end] = values[p]
      }
      sparseStarts[++sparseColumn] = end
    }
  }
  return placed
}

/** K in an arena. */
interface Placed {
  arena: Arena
  /** The address of K's rows, end to end. */
  K: number
  /** How many rows and columns K has. */
  N: number
}

function simdGramMatrix(rows: SparseRows | DenseRows | SparseColumns, arena: Arena): GramMatrix {
  const { gram_dense, gram_sparse, mirror } = arena.functions
  const n = rows.rows
  const K = arena.zeros(n * n)
  const mark = arena.mark()
  const { dense, sparse } = placeColumns(rows, arena)
  gram_dense(dense.values, n, dense.d, K)
  gram_sparse(sparse.starts, sparse.rows, sparse.values, sparse.columns, n, K)
  mirror(K, n)
  arena.release(mark)
  const placed = { arena, K, N: n }
  return {
    ...simdPart(placed, Int32Array.of(0, n), n),
    row: (i) => arena.readFloats(K + 4 * i * n, n),
    among: (rows) => simdPart(placed, runsOf(rows), rows.length)
  }
}

/** Ascending numbers as runs: start, end, start, end … */
function runsOf(rows: Int32Array): Int32Array {
  const runs: number[] = []
  rows.forEach((row, i) => {
    if (i === 0 || row !== rows[i - 1] + 1) runs.push(row, row)
    runs[runs.length - 1] = row + 1
  })
  return Int32Array.from(runs)
}

function simdPart(placed: Placed, runs: Int32Array, n: number): GramPart {
  const { arena, K, N } = placed
  const part: GramPart = {
    n,
    times(A) {
      const mark = arena.mark()
      const [a, z] = [arena.placeFloats(A), arena.reserve(n * LANES)]
      arena.functions.gram_times(K, N, arena.place(runs), runs.length / 2, a, z)
      const product = Float64Array.from(arena.readFloats(z, n * LANES))
      arena.release(mark)
      return product
    },
    dualProblem: (settings) => (settings.classes <= LANES ? simdDualProblem(placed, runs, n, settings) : plainDualProblem(part, settings))
  }
  return part
}

/** Vectors are addresses of 2·(4n + 4) numbers in single precision. */
function simdDualProblem({ arena, K, N }: Placed, runs: Int32Array, n: number, settings: DualSettings): DualProblem<number> {
  const { y, s, classes, penalty, hasIntercept } = settings
  const { combine, product, dual_loss } = arena.functions
  const mark = arena.mark()
  const size = 2 * (n + 1) * LANES
  const half = 2 * size // in bytes: where the products K·A begin
  const part = [K, N, arena.place(runs), runs.length / 2]
  const rest = [n, classes, arena.place(y), arena.placeFloats(s), penalty, Number(hasIntercept)]
  return {
    space: {
      rounding: ROUNDING,
      vector: () => arena.zeros(size),
      combine: (into, a, t, b) => combine(into, a, t, b, size),
      product: (a, b) => product(a, b + half, size / 2),
      size: (gradient) => Math.sqrt(Math.max(0, product(gradient, gradient + half, size / 2)))
    },
    objective: (x, gradient) => dual_loss(...part, ...rest, x, gradient),
    write: (numbers) => arena.placeFloats(numbers),
    read: (vector) => Float64Array.from(arena.readFloats(vector, size)),
    release: () => arena.release(mark)
  }
}

/** The same in TypeScript. */
export function plainGramMatrix({ rows: n, columns, starts, indices, values }: SparseRows): GramMatrix {
  const K = new Float32Array(n * n)
  const row = new Float32Array(columns)
  for (let i = 0; i < n; i++) {
    for (let p = starts[i]; p < starts[i + 1]; p++) row[indices[p]] = values[p]
    for (let j = 0; j <= i; j++) {
      let product = 0
      for (let p = starts[j]; p < starts[j + 1]; p++) product += values[p] * row[indices[p]]
      K[i * n + j] = K[j * n + i] = product
    }
    for (let p = starts[i]; p < starts[i + 1]; p++) row[indices[p]] = 0
  }
  return plainGramMatrixOf(K, n)
}

function plainGramMatrixOf(K: Float32Array, n: number): GramMatrix {
  const gram: GramMatrix = {
    n,
    row: (i) => K.slice(i * n, (i + 1) * n),
    times(A) {
      const column = new Float64Array(n)
      const product = new Float64Array(n * LANES)
      for (let c = 0; c < LANES; c++) {
        for (let j = 0; j < n; j++) column[j] = A[j * LANES + c]
        for (let i = 0; i < n; i++) product[i * LANES + c] = dot(column, K, i * n)
      }
      return product
    },
    among(rows) {
      const part = new Float32Array(rows.length ** 2)
      rows.forEach((row, i) => rows.forEach((column, j) => (part[i * rows.length + j] = K[row * n + column])))
      return plainGramMatrixOf(part, rows.length)
    },
    dualProblem: (settings) => plainDualProblem(gram, settings)
  }
  return gram
}
