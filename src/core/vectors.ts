// Dense vectors are Float32Array in memory and little-endian float32 bytes in Postgres.

import { withMemory } from './lent-memory.js'

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/**
 * The dot product of `a` with the numbers of `b` from `start` on.
 * @throws RangeError where `b` has too few numbers, or more than `a` when no start is given
 */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>, start?: number): number {
  const from = start ?? 0
  if (b.length < from + a.length || (start === undefined && b.length > a.length)) {
    throw new RangeError(`Vectors of ${a.length} and ${b.length} numbers have no dot product.`)
  }
  let even = 0
  let odd = 0 // two sums, neither of which waits for the other
  const last = a.length - 1
  for (let j = 0; j < last; j += 2) {
    even += a[j] * b[from + j]
    odd += a[j + 1] * b[from + j + 1]
  }
  return a.length % 2 ? even + odd + a[last] * b[from + last] : even + odd
}

/** A vector of n numbers as 4n little-endian bytes. */
export function toBytes(vector: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(vector.length * 4)
  if (hostIsLittleEndian) {
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
  } else {
    const view = new DataView(bytes.buffer)
    vector.forEach((value, i) => view.setFloat32(i * 4, value, true))
  }
  return bytes
}

/** 4n little-endian bytes as a new vector of n numbers. */
export function fromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  if (bytes.byteLength % 4 !== 0) throw new RangeError(`${bytes.byteLength} bytes are no whole number of float32 values.`)
  const copy = new Uint8Array(bytes)
  if (hostIsLittleEndian) return new Float32Array(copy.buffer)
  const view = new DataView(copy.buffer)
  return Float32Array.from({ length: copy.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true))
}

/** A copy in memory that threads share: passing it to a thread copies nothing. */
export function shared<T extends Float32Array | Int32Array | Uint16Array>(array: T): T {
  const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(array.byteLength))
  copy.set(array)
  return copy
}

/** 4n little-endian bytes in base64, in parts (line ends are ignored), as a vector of n numbers in memory that threads share. */
export function sharedFromBase64(parts: string[]): Float32Array {
  const most = parts.reduce((sum, part) => sum + Buffer.byteLength(part, 'base64'), 0) // counts line ends too
  const block = new SharedArrayBuffer(most)
  const bytes = Buffer.from(block)
  const length = parts.reduce((end, part) => end + bytes.write(part, end, 'base64'), 0)
  return hostIsLittleEndian ? new Float32Array(block, 0, length / 4) : shared(fromBytes(bytes.subarray(0, length)))
}

/** Arrays of numbers, end to end in one. */
export function joinVectors(parts: Float32Array[]): Float32Array<ArrayBuffer> {
  return joinInto(new Float32Array(lengthOf(parts)), parts)
}

/** Calls `use` with arrays of numbers end to end in one, which is of no use after it has returned. */
export function withJoinedVectors<T>(parts: Float32Array[], use: (whole: Float32Array) => T): T {
  const length = lengthOf(parts)
  return withMemory(4 * length, (memory) => use(joinInto(new Float32Array(memory, 0, length), parts)))
}

const lengthOf = (parts: Float32Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)

function joinInto<T extends Float32Array>(whole: T, parts: Float32Array[]): T {
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0)
  return whole
}

/** n vectors that lie end to end in one array, as n views of it. */
export function slices(vectors: Float32Array<ArrayBuffer>, n: number): Float32Array<ArrayBuffer>[] {
  const dimensions = n ? vectors.length / n : 0
  if (!Number.isInteger(dimensions)) throw new RangeError(`${vectors.length} numbers are not ${n} vectors of one length.`)
  return Array.from({ length: n }, (_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions))
}
