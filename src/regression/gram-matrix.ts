// What the rows of a matrix have in common, K = X·X': regressions in the space of the samples need no more of X.

import { transposed, asSparse, type DenseRows, type SparseRows } from './sparse-matrix.js'
import { kernel, LANES, Places, type Kernel } from './simd.js'
import { VECTORS, type Objective, type Space } from './lbfgs.js'

/**
 * A symmetric n×n matrix K in single precision. All share the kernel's memory: one holds until another is made by
 * {@link gramOf}, and of its regressions only the last may be used.
 */
export interface Gram extends Part {
  /** K's rows, end to end. */
  values: Float32Array
  /** The rows and columns of these numbers, ascending. */
  among(rows: Int32Array): Part
}

/** The rows and columns of a Gram matrix that a regression is about, of which it takes no copy. */
export interface Part {
  n: number
  /** Z ← K·A; A and Z are n×4. */
  times(A: Float64Array, Z: Float64Array): void
  /** The objective of sample-space.ts by the kernel; undefined where the kernel or its four columns do not do. */
  regression(y: Int32Array, s: Float64Array, classes: number, penalty: number): Regression<Float32Array> | undefined
}

export interface Regression<V> {
  space: Space<V>
  objective: Objective<V>
}

const ROUNDING = 2 ** -22 // of a sum in single precision
const DENSE_COLUMN = 1 / 4 // a column with a value in more of the rows is worth a dense one

/** K = X·X', how much the rows of a matrix have in common. */
export function gramOf(rows: SparseRows | DenseRows): Gram {
  const isAligned = !('indices' in rows) && rows.columns % LANES === 0
  return kernel && isAligned ? wasmGram(allWide(rows), kernel) : gramOfColumns(transposed(asSparse(rows)))
}

/** The same of a matrix that is given by its columns, as X'. Those with many values are multiplied as a dense matrix. */
export function gramOfColumns(columns: SparseRows): Gram {
  return kernel ? wasmGram(splitColumns(columns), kernel) : plainGram(transposed(columns))
}

/** Columns: `wide` n×d dense with d a multiple of 4, `long` by the column (CSC). */
interface Split {
  n: number
  wide: { d: number; values: Float32Array }
  long: { columns: number; starts: Int32Array; rows: Int32Array; values: Float32Array }
}

const allWide = ({ rows: n, columns: d, values }: DenseRows): Split =>
  ({ n, wide: { d, values }, long: { columns: 0, starts: new Int32Array(1), rows: new Int32Array(0), values: new Float32Array(0) } })

function splitColumns({ rows: columns, columns: n, starts, indices, values }: SparseRows): Split {
  const sizes = Int32Array.from({ length: columns }, (_, j) => starts[j + 1] - starts[j])
  const isWide = (j: number): boolean => sizes[j] > n * DENSE_COLUMN
  const wides = sizes.reduce((count, _, j) => count + Number(isWide(j)), 0)
  const held = sizes.reduce((sum, size, j) => sum + (isWide(j) ? 0 : size), 0)
  const d = Math.ceil(wides / LANES) * LANES
  const wide = new Float32Array(n * d)
  const long = { columns: columns - wides, starts: new Int32Array(columns - wides + 1), rows: new Int32Array(held), values: new Float32Array(held) }
  let [place, number, end] = [0, 0, 0]
  for (let j = 0; j < columns; j++) {
    if (isWide(j)) {
      for (let p = starts[j]; p < starts[j + 1]; p++) wide[indices[p] * d + place] = values[p]
      place++
    } else {
      for (let p = starts[j]; p < starts[j + 1]; p++, end++) {
        long.rows[end] = indices[p]
        long.values[end] = values[p]
      }
      long.starts[++number] = end
    }
  }
  return { n, wide: { d, values: wide }, long }
}

/** What the kernel keeps of a Gram matrix. */
interface Kept {
  places: Places
  /** Forgets what else has been placed. */
  release: () => void
  K: Float32Array
  /** K's rows and columns. */
  N: number
}

function wasmGram({ n, wide, long }: Split, kernel: Kernel): Gram {
  const building = 4 * (wide.values.length + long.starts.length + 2 * long.values.length)
  const fitting = 4 * LANES * 2 * (n + 1) * (VECTORS + 1) + 16 * n // one vector more finds the start
  const places = new Places(4 * n * n + Math.max(building, fitting) + 8 * LANES * n)
  const K = places.floats(n * n)
  const release = places.mark()
  const [starts, rows] = [places.ints(long.starts), places.ints(long.rows)]
  const [longs, X] = [places.floats(long.values.length), places.floats(wide.values.length)]
  longs.set(long.values)
  X.set(wide.values)
  kernel.gram_dense(X.byteOffset, n, wide.d, K.byteOffset)
  kernel.gram_sparse(starts.byteOffset, rows.byteOffset, longs.byteOffset, long.columns, n, K.byteOffset)
  kernel.mirror(K.byteOffset, n)
  const kept = { places, release, K, N: n }
  return { ...partOf(kept, Int32Array.of(0, n), n, kernel), values: K, among: (rows) => partOf(kept, runsOf(rows), rows.length, kernel) }
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

function partOf({ places, release, K, N }: Kept, runs: Int32Array, n: number, kernel: Kernel): Part {
  const place = (): number[] => [K.byteOffset, N, places.ints(runs).byteOffset, runs.length / 2]
  return {
    n,
    times(A, Z) {
      release()
      const part = place()
      const [a, z] = [places.floats(n * LANES), places.floats(n * LANES)]
      a.set(A)
      kernel.gram_times(...part, a.byteOffset, z.byteOffset)
      Z.set(z)
    },
    regression(y, s, classes, penalty) {
      if (classes > LANES) return undefined
      release()
      const part = place()
      const size = 2 * (n + 1) * LANES
      const labels = places.ints(y)
      const weights = places.floats(n)
      weights.set(s)
      const rest = [n, classes, labels.byteOffset, weights.byteOffset, penalty]
      return {
        space: {
          rounding: ROUNDING,
          vector: () => places.floats(size).fill(0),
          combine: (into, a, t, b) => kernel.combine(into.byteOffset, a.byteOffset, t, b.byteOffset, size),
          product: (a, b) => kernel.product(a.byteOffset, b.byteOffset + 2 * size, size / 2),
          size: (gradient) => Math.sqrt(Math.max(0, kernel.product(gradient.byteOffset, gradient.byteOffset + 2 * size, size / 2)))
        },
        objective: (x, gradient) => kernel.regression(...part, ...rest, x.byteOffset, gradient.byteOffset)
      }
    }
  }
}

/** The same without WebAssembly. */
export function plainGram({ rows: n, columns, starts, indices, values }: SparseRows): Gram {
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
  return plainGramOf(K, n)
}

function plainGramOf(K: Float32Array, n: number): Gram {
  return {
    n,
    values: K,
    times(A, Z) {
      for (let i = 0; i < n; i++) {
        for (let c = 0; c < LANES; c++) {
          let sum = 0
          for (let j = 0; j < n; j++) sum += K[i * n + j] * A[j * LANES + c]
          Z[i * LANES + c] = sum
        }
      }
    },
    among(rows) {
      const among = new Float32Array(rows.length ** 2)
      rows.forEach((row, i) => rows.forEach((column, j) => (among[i * rows.length + j] = K[row * n + column])))
      return plainGramOf(among, rows.length)
    },
    regression: () => undefined
  }
}
