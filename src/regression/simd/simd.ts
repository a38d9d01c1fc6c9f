// The inner loops of fitting in WebAssembly SIMD (simd.c, which `npm run simd` builds), and the memory that they work on.

import { readFileSync } from 'node:fs'
import { PATHS } from '../../core/paths.js'

/** The part of WebAssembly's interface that is used here; Node's types leave it to a browser's. */
declare const WebAssembly: {
  validate(code: Uint8Array): boolean
  Module: new (code: Uint8Array) => object
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number }
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** Columns side by side in every matrix that is multiplied with. */
export const LANES = 4

type Procedures = 'sparse_times' | 'sparse_transposed_times' | 'dense_times' | 'dense_transposed_times' |
  'gram_times' | 'gram_dense' | 'gram_sparse' | 'mirror' | 'combine'
type SimdFunctions = Record<Procedures, (...args: number[]) => void> & Record<'product' | 'dual_loss', (...args: number[]) => number>

const PAGE = 65_536 // bytes
const MAX_IDLE_BYTES = 48 * 2 ** 20 // a larger memory is not kept for the next call

const code = readFileSync(PATHS.simd)
const compiled = WebAssembly.validate(code) ? new WebAssembly.Module(code) : undefined

/** Whether WebAssembly has SIMD here. */
export const HAS_SIMD = compiled !== undefined

/**
 * A WebAssembly memory and the functions that work on it. What lies in it is known by its address (in bytes), which stays
 * good while the memory grows; numbers are copied in and out.
 */
export class Arena {
  readonly functions: SimdFunctions
  private readonly memory = new WebAssembly.Memory({ initial: 2 })
  private end = PAGE // the functions' stack is below

  constructor() {
    if (!compiled) throw new Error('WebAssembly has no SIMD here.')
    this.functions = new WebAssembly.Instance(compiled, { env: { memory: this.memory, log: Math.log } }).exports as SimdFunctions
  }

  get bytes(): number {
    return this.memory.buffer.byteLength
  }

  /** Room for so many numbers of four bytes, whatever they were before. */
  reserve(length: number): number {
    return this.take(4 * length)
  }

  /** Room for so many zeros of four bytes. */
  zeros(length: number): number {
    const address = this.take(4 * length)
    new Uint8Array(this.memory.buffer, address, 4 * length).fill(0)
    return address
  }

  /** Copies numbers in: 32-bit integers and floats as they are, Float64Array in double precision. */
  place(values: Int32Array | Float32Array | Float64Array): number {
    const address = this.take(values.byteLength)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    new Uint8Array(this.memory.buffer, address, values.byteLength).set(bytes)
    return address
  }

  /** Copies numbers in, in single precision. */
  placeFloats(values: ArrayLike<number>): number {
    const address = this.take(4 * values.length)
    new Float32Array(this.memory.buffer, address, values.length).set(values)
    return address
  }

  /** Copies numbers over what lies at an address. */
  write(address: number, values: Float64Array): void {
    new Float64Array(this.memory.buffer, address, values.length).set(values)
  }

  /** The numbers that lie at an address, not a copy: of no use once more has been placed, since the memory may grow. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length)
  }

  /** The same for 32-bit integers. */
  integers(address: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length)
  }

  /** A copy of single-precision numbers. */
  readFloats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length).slice()
  }

  /** Copies double-precision numbers out. */
  readDoubles(address: number, into: Float64Array): void {
    into.set(new Float64Array(this.memory.buffer, address, into.length))
  }

  /** Where the next numbers will lie; {@link release} gives up all that was placed since. */
  mark(): number {
    return this.end
  }

  release(mark: number): void {
    this.end = mark
  }

  private take(bytes: number): number {
    const address = this.end
    this.end = Math.ceil((address + bytes) / 16) * 16
    const missing = this.end + 1024 - this.bytes
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    return address
  }
}

const idle: Arena[] = []

/**
 * Lends a memory to a synchronous computation, which alone has it until it returns: a call inside another gets another
 * memory, so that no result is overwritten by a later call. Memories are used again, since a new one costs its page faults.
 */
export function withArena<T>(use: (arena: Arena) => T): T {
  const arena = idle.pop() ?? new Arena()
  const start = arena.mark()
  try {
    return use(arena)
  } finally {
    arena.release(start)
    if (arena.bytes <= MAX_IDLE_BYTES) idle.push(arena)
  }
}
