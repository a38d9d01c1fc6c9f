// Matrix products with four columns at a time, the inner loops of fitting: in WebAssembly SIMD (kernel.c, which
// `npm run kernel` builds), or in TypeScript where WebAssembly has no SIMD.

import { readFileSync } from 'node:fs'
import type { SparseRows } from './style.js'

/** What is used of WebAssembly's own interface, which Node's types leave to a browser's. */
declare const WebAssembly: {
  validate(code: Uint8Array): boolean
  Module: new (code: Uint8Array) => object
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number }
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** Columns side by side in every matrix that is multiplied with. */
export const LANES = 4

/** An n×d matrix X. Only the one that was made last may be used: they share their memory. */
export interface Products {
  /** Z ← X·W; W is d×4, Z n×4. */
  times(W: Float64Array, Z: Float64Array): void
  /** G ← G + X'·R; R is n×4, G d×4. */
  addTransposed(R: Float64Array, G: Float64Array): void
}

/** A symmetric n×n matrix K in single precision; like {@link Products}, only the one that was made last may be used. */
export interface Gram {
  n: number
  /** K's rows, end to end. */
  values: Float32Array
  /** Z ← K·A; A and Z are n×4. */
  times(A: Float64Array, Z: Float64Array): void
}

type Functions = 'sparse_times' | 'sparse_transposed_times' | 'dense_times' | 'dense_transposed_times' |
  'gram_times' | 'gram_dense' | 'gram_sparse' | 'mirror'
type Exports = Record<Functions, (...args: number[]) => void>

const PAGE = 65_536 // bytes
const DENSE_COLUMN = 1 / 4 // a column with a value in more of the rows is worth a dense one

const code = readFileSync(new URL('../src/kernel.wasm', import.meta.url))
const memory = new WebAssembly.Memory({ initial: 1 })
const wasm = WebAssembly.validate(code)
  ? (new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports as Exports)
  : undefined

/** Places in the kernel's memory, one behind the other. */
class Places {
  private end = PAGE // the kernel's stack is below

  constructor(bytes: number) {
    const missing = this.end + bytes + 1024 - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE))
  }

  ints(values: Int32Array): Int32Array {
    const place = new Int32Array(memory.buffer, this.take(values.byteLength), values.length)
    place.set(values)
    return place
  }

  floats(length: number): Float32Array {
    return new Float32Array(memory.buffer, this.take(4 * length), length)
  }

  doubles(length: number): Float64Array {
    return new Float64Array(memory.buffer, this.take(8 * length), length)
  }

  private take(bytes: number): number {
    const place = this.end
    this.end = Math.ceil((place + bytes) / 16) * 16
    return place
  }
}

/** The products of a matrix that is given by its rows; full rows are multiplied as a dense matrix. */
export function productsOf(rows: SparseRows): Products {
  return wasm ? wasmProducts(rows, wasm) : plainProducts(rows)
}

function wasmProducts({ rows: n, columns: d, starts, indices, values }: SparseRows, wasm: Exports): Products {
  const isDense = isFull({ rows: n, columns: d, starts, indices, values })
  const places = new Places(4 * (starts.length + indices.length + values.length) + 16 * LANES * (n + d))
  const X = places.floats(values.length)
  X.set(values)
  const layout = isDense ? [] : [places.ints(starts), places.ints(indices)].map(({ byteOffset }) => byteOffset)
  const wide = places.doubles(d * LANES)
  const long = places.doubles(n * LANES)
  const [x, w, z] = [X, wide, long].map(({ byteOffset }) => byteOffset)
  return {
    times(W, Z) {
      wide.set(W)
      if (isDense) wasm.dense_times(x, n, d, w, z)
      else wasm.sparse_times(...layout, x, n, w, z)
      Z.set(long)
    },
    addTransposed(R, G) {
      long.set(R)
      wide.set(G)
      if (isDense) wasm.dense_transposed_times(x, n, d, z, w)
      else wasm.sparse_transposed_times(...layout, x, n, z, w)
      G.set(wide)
    }
  }
}

/** Whether every row has every column, in order. */
function isFull({ rows, columns, indices, values }: SparseRows): boolean {
  return values.length === rows * columns && indices.every((column, p) => column === p % columns)
}

/** The same without WebAssembly. */
export function plainProducts({ rows, starts, indices, values }: SparseRows): Products {
  return {
    times(W, Z) {
      for (let i = 0; i < rows; i++) {
        let a = 0, b = 0, c = 0, d = 0
        for (let p = starts[i]; p < starts[i + 1]; p++) {
          const value = values[p]
          const at = indices[p] * LANES
          a += value * W[at]
          b += value * W[at + 1]
          c += value * W[at + 2]
          d += value * W[at + 3]
        }
        Z[i * LANES] = a
        Z[i * LANES + 1] = b
        Z[i * LANES + 2] = c
        Z[i * LANES + 3] = d
      }
    },
    addTransposed(R, G) {
      for (let i = 0; i < rows; i++) {
        const a = R[i * LANES], b = R[i * LANES + 1], c = R[i * LANES + 2], d = R[i * LANES + 3]
        for (let p = starts[i]; p < starts[i + 1]; p++) {
          const value = values[p]
          const at = indices[p] * LANES
          G[at] += value * a
          G[at + 1] += value * b
          G[at + 2] += value * c
          G[at + 3] += value * d
        }
      }
    }
  }
}

/** K = X·X', how much the rows of a matrix have in common. Columns with many values are multiplied as a dense matrix. */
export function gramOf(rows: SparseRows): Gram {
  const { n, wide, long } = splitColumns(rows)
  return wasm ? wasmGram(n, wide, long, wasm) : plainGram(rows)
}

/** Columns: `wide` n×d dense with d a multiple of 4, `long` by the column (CSC). */
interface Split {
  n: number
  wide: { d: number; values: Float32Array }
  long: { columns: number; starts: Int32Array; rows: Int32Array; values: Float32Array }
}

function splitColumns({ rows: n, columns, starts, indices, values }: SparseRows): Split {
  const found = new Int32Array(columns)
  for (const column of indices) found[column]++
  const placeOf = new Int32Array(columns) // among the wide or, negative, among the long
  let d = 0
  let longs = 0
  for (let j = 0; j < columns; j++) placeOf[j] = found[j] > n * DENSE_COLUMN ? d++ : -++longs
  d = Math.ceil(d / LANES) * LANES
  const wide = { d, values: new Float32Array(n * d) }
  const long = { columns: longs, starts: new Int32Array(longs + 1), rows: new Int32Array(0), values: new Float32Array(0) }
  for (let j = 0; j < columns; j++) if (placeOf[j] < 0) long.starts[-placeOf[j]] = found[j]
  for (let j = 0; j < longs; j++) long.starts[j + 1] += long.starts[j]
  long.rows = new Int32Array(long.starts[longs])
  long.values = new Float32Array(long.starts[longs])
  const next = long.starts.slice()
  for (let i = 0; i < n; i++) {
    for (let p = starts[i]; p < starts[i + 1]; p++) {
      const place = placeOf[indices[p]]
      if (place >= 0) wide.values[i * d + place] = values[p]
      else {
        const at = next[-place - 1]++
        long.rows[at] = i
        long.values[at] = values[p]
      }
    }
  }
  return { n, wide, long }
}

function wasmGram(n: number, wide: Split['wide'], long: Split['long'], wasm: Exports): Gram {
  const places = new Places(4 * (n * n + wide.values.length + long.starts.length + 2 * long.values.length) + 8 * LANES * n)
  const K = places.floats(n * n)
  const [A, Z] = [places.floats(n * LANES), places.floats(n * LANES)]
  const [starts, rows] = [places.ints(long.starts), places.ints(long.rows)]
  const [longs, X] = [places.floats(long.values.length), places.floats(wide.values.length)]
  longs.set(long.values)
  X.set(wide.values)
  const [k, a, z] = [K, A, Z].map(({ byteOffset }) => byteOffset)
  wasm.gram_dense(X.byteOffset, n, wide.d, k)
  wasm.gram_sparse(starts.byteOffset, rows.byteOffset, longs.byteOffset, long.columns, n, k)
  wasm.mirror(k, n)
  return {
    n,
    values: K,
    times(from, into) {
      A.set(from)
      wasm.gram_times(k, n, a, z)
      into.set(Z)
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
    }
  }
}
