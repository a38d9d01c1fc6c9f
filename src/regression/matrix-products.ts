// Products of a feature matrix X (n×d) with four columns at a time: in WebAssembly SIMD, or in TypeScript where there is none.

import { HAS_SIMD, LANES, withArena, type Arena } from './simd/simd.js'
import { asSparse, type DenseRows, type SparseRows } from './sparse-matrix.js'

/** Products with an n×d matrix X. */
export interface MatrixProducts {
  /** Z ← X·W; W is d×4, Z n×4. */
  times(W: Float64Array, Z: Float64Array): void
  /** G ← G + X'·R; R is n×4, G d×4. */
  addTransposed(R: Float64Array, G: Float64Array): void
}

/** Calls `use` with the products of a matrix; they are of no use after it has returned. */
export function withProducts<T>(rows: SparseRows | DenseRows, use: (products: MatrixProducts) => T): T {
  return HAS_SIMD ? withArena((arena) => use(simdProducts(rows, arena))) : use(plainProducts(rows))
}

function simdProducts(rows: SparseRows | DenseRows, arena: Arena): MatrixProducts {
  const { rows: n, columns: d, values } = rows
  const sparse = 'indices' in rows && !isFull(rows) ? rows : undefined
  const layout = sparse ? [arena.place(sparse.starts), arena.place(sparse.indices)] : []
  const x = arena.place(values)
  const [w, z] = [arena.reserve(2 * d * LANES), arena.reserve(2 * n * LANES)] // in double precision
  const { sparse_times, sparse_transposed_times, dense_times, dense_transposed_times } = arena.functions
  return {
    times(W, Z) {
      arena.write(w, W)
      if (sparse) sparse_times(...layout, x, n, w, z)
      else dense_times(x, n, d, w, z)
      arena.readDoubles(z, Z)
    },
    addTransposed(R, G) {
      arena.write(z, R)
      arena.write(w, G)
      if (sparse) sparse_transposed_times(...layout, x, n, z, w)
      else dense_transposed_times(x, n, d, z, w)
      arena.readDoubles(w, G)
    }
  }
}

/** Whether every row has every column, in order. */
function isFull({ rows, columns, indices, values }: SparseRows): boolean {
  return values.length === rows * columns && indices.every((column, p) => column === p % columns)
}

/** The same in TypeScript. */
export function plainProducts(matrix: SparseRows | DenseRows): MatrixProducts {
  const { rows, starts, indices, values } = asSparse(matrix)
  return {
    times(W, Z) {
      Z.fill(0)
      for (let i = 0; i < rows; i++) {
        for (let p = starts[i]; p < starts[i + 1]; p++) {
          for (let c = 0; c < LANES; c++) Z[i * LANES + c] += values[p] * W[indices[p] * LANES + c]
        }
      }
    },
    addTransposed(R, G) {
      for (let i = 0; i < rows; i++) {
        for (let p = starts[i]; p < starts[i + 1]; p++) {
          for (let c = 0; c < LANES; c++) G[indices[p] * LANES + c] += values[p] * R[i * LANES + c]
        }
      }
    }
  }
}
