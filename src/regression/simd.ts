// The inner loops of fitting in WebAssembly SIMD (kernel.c, which `npm run kernel` builds), and matrix products with four
// columns at a time by it, or in TypeScript where WebAssembly has no SIMD.

import { readFileSync } from 'node:fs'
import { PATHS } from '../core/paths.js'
import { asSparse, type DenseRows, type SparseRows } from './sparse-matrix.js'

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

type Functions = 'sparse_times' | 'sparse_transposed_times' | 'dense_times' | 'dense_transposed_times' |
  'gram_times' | 'gram_dense' | 'gram_sparse' | 'mirror' | 'combine'
export type Kernel = Record<Functions, (...args: number[]) => void> & Record<'product' | 'regression', (...args: number[]) => number>

const PAGE = 65_536 // bytes

const code = readFileSync(PATHS.simd)
const memory = new WebAssembly.Memory({ initial: 1 })

/** The functions of kernel.c; undefined where WebAssembly has no SIMD. */
export const kernel = WebAssembly.validate(code)
  ? (new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, log: Math.log } }).exports as Kernel)
  : undefined

/** Places in the kernel's memory, one behind the other, from its beginning: they hold until others are made. */
export class Places {
  private end = PAGE // the kernel's stack is below

  /** @param bytes that will be needed at the same time */
  constructor(bytes: number) {
    const missing = this.end + bytes + 1024 - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE))
  }

  /** What comes next may take the place of what came after this. */
  mark(): () => void {
    const { end } = this
    return () => void (this.end = end)
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
export function productsOf(rows: SparseRows | DenseRows): Products {
  return kernel ? wasmProducts(rows, kernel) : plainProducts(asSparse(rows))
}

function wasmProducts(rows: SparseRows | DenseRows, kernel: Kernel): Products {
  const { rows: n, columns: d, values } = rows
  const sparse = 'indices' in rows && !isFull(rows) ? rows : undefined
  const places = new Places(4 * (n + 1 + 2 * values.length) + 16 * LANES * (n + d))
  const X = places.floats(values.length)
  X.set(values)
  const layout = sparse ? [places.ints(sparse.starts), places.ints(sparse.indices)].map(({ byteOffset }) => byteOffset) : []
  const wide = places.doubles(d * LANES)
  const long = places.doubles(n * LANES)
  const [x, w, z] = [X, wide, long].map(({ byteOffset }) => byteOffset)
  return {
    times(W, Z) {
      wide.set(W)
      if (!sparse) kernel.dense_times(x, n, d, w, z)
      else kernel.sparse_times(...layout, x, n, w, z)
      Z.set(long)
    },
    addTransposed(R, G) {
      long.set(R)
      wide.set(G)
      if (!sparse) kernel.dense_transposed_times(x, n, d, z, w)
      else kernel.sparse_transposed_times(...layout, x, n, z, w)
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
