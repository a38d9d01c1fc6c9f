import { describe, expect, test } from 'vitest'
import { dot, fromBytes, joinVectors, shared, sharedFromBase64, slices, toBytes, withJoinedVectors } from '../../../src/core/vectors.js'

describe('a vector as bytes', () => {
  test('is little-endian float32, whatever the machine', () => {
    const vector = Float32Array.of(1, -2, 0.5, 1e-45)
    expect([...toBytes(vector)]).toEqual([
      0x00, 0x00, 0x80, 0x3f,
      0x00, 0x00, 0x00, 0xc0,
      0x00, 0x00, 0x00, 0x3f,
      0x01, 0x00, 0x00, 0x00
    ])
  })

  test('reads as an independent reader of little-endian numbers reads it', () => {
    const vector = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i) * 10 ** ((i % 60) - 30))
    const bytes = toBytes(vector)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    expect(bytes).toHaveLength(4 * 384)
    expect(Array.from(vector, (_, i) => view.getFloat32(4 * i, true))).toEqual([...vector])
  })

  test.each([
    ['ordinary numbers', [1, -1, 0.1, 123456.789]],
    ['the largest and the smallest', [3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45]],
    ['zeros of both signs', [0, -0]],
    ['infinities and not-a-number', [Infinity, -Infinity, NaN]],
    ['nothing', []]
  ])('comes back with %s unchanged', (_, numbers) => {
    const vector = Float32Array.from(numbers)
    expect(fromBytes(toBytes(vector))).toEqual(vector)
  })

  test('holds a part of a larger array and nothing beside it', () => {
    const part = Float32Array.of(9, 9, 1, 2, 9).subarray(2, 4)
    expect(toBytes(part)).toEqual(toBytes(Float32Array.of(1, 2)))
  })

  test.each([1, 2, 3, 5])('is read from an offset of %i, where no float32 may begin', (offset) => {
    const vector = Float32Array.of(0.25, -7, 1e10)
    const buffer = new Uint8Array(offset + 12 + 3).fill(0xff)
    buffer.set(toBytes(vector), offset)
    expect(fromBytes(buffer.subarray(offset, offset + 12))).toEqual(vector)
  })

  test('is read from the pooled buffers of Node', () => {
    const vector = Float32Array.of(3, 1, 4, 1, 5)
    Buffer.from('odd')
    expect(fromBytes(Buffer.from(toBytes(vector)))).toEqual(vector)
  })

  test.each([1, 2, 3, 5, 1535])('cannot be of %i bytes', (length) => {
    expect(() => fromBytes(new Uint8Array(length))).toThrow(RangeError)
  })

  test.each([[[]], [[1]], [[1, -2]], [[0.1, 1e-45, -0, NaN]]])('comes back from base64 into memory that threads share: %j', (numbers) => {
    const vector = Float32Array.from(numbers)
    const text = (part: Float32Array): string => Buffer.from(toBytes(part)).toString('base64').replace(/(.{8})/g, '$1\n')
    const back = sharedFromBase64([text(vector)])
    expect([...back]).toEqual([...vector])
    expect([...sharedFromBase64([text(vector.subarray(0, 1)), '', text(vector.subarray(1))])]).toEqual([...vector])
    expect(back.buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  test('is shared as it is', () => {
    const [floats, ints] = [shared(Float32Array.of(1, 2.5).subarray(1)), shared(Uint16Array.of(7))]
    expect([[...floats], [...ints]]).toEqual([[2.5], [7]])
    expect([floats, ints].every(({ buffer }) => buffer instanceof SharedArrayBuffer)).toBe(true)
    expect([floats.constructor, ints.constructor]).toEqual([Float32Array, Uint16Array])
  })

  test('shares no memory with the vector, there or back', () => {
    const vector = Float32Array.of(1, 2)
    const bytes = toBytes(vector)
    const back = fromBytes(bytes)
    vector[0] = 8
    bytes.fill(0)
    expect([...back]).toEqual([1, 2])
  })
})

describe('the dot product', () => {
  test('with a start is that of the numbers from there on, for any lengths', () => {
    const block = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i))
    for (const length of [0, 1, 2, 5, 8]) {
      for (const start of [0, 1, 7, 30 - length]) {
        const a = Float32Array.from({ length }, (_, i) => i + 1)
        expect(dot(a, block, start)).toBeCloseTo(a.reduce((sum, x, i) => sum + x * block[start + i], 0), 10)
      }
    }
    expect(() => dot([1, 2, 3], block, 28)).toThrow(RangeError)
  })

  test('is the sum of the products', () => {
    expect(dot([1, 2, 3], Float32Array.of(4, -5, 6))).toBe(12)
  })

  test('of empty vectors is 0', () => {
    expect(dot([], [])).toBe(0)
  })

  test('is symmetric and linear', () => {
    const a = Array.from({ length: 50 }, (_, i) => Math.cos(3 * i))
    const b = Array.from({ length: 50 }, (_, i) => Math.sin(7 * i))
    expect(dot(a, b)).toBe(dot(b, a))
    expect(dot(a.map((value) => 2 * value), b)).toBeCloseTo(2 * dot(a, b), 12)
  })

  test.each([
    [[1, 2], [1]],
    [[], [1]]
  ])('of %j and %j is refused', (a, b) => {
    expect(() => dot(a, b)).toThrow(RangeError)
    expect(() => dot(b, a)).toThrow(RangeError)
  })
})

describe('several vectors', () => {
  test('are joined end to end, in order', () => {
    const parts = [Float32Array.of(1, 2), Float32Array.of(), Float32Array.of(3), Float32Array.of(4, 5, 6)]
    expect(joinVectors(parts)).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    expect(withJoinedVectors(parts, (whole) => [...whole])).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('joined from none are empty', () => {
    expect(joinVectors([])).toEqual(new Float32Array(0))
    expect(withJoinedVectors([], (whole) => [...whole])).toEqual([])
  })

  test('are taken apart as they were joined', () => {
    const parts = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]
    expect(slices(joinVectors(parts), 2)).toEqual(parts)
  })

  test('taken apart are views, not copies', () => {
    const whole = Float32Array.of(1, 2, 3, 4)
    const [, second] = slices(whole, 2)
    whole[2] = 7
    expect([...second]).toEqual([7, 4])
  })

  test('taken apart from nothing are none, or empty', () => {
    expect(slices(new Float32Array(0), 0)).toEqual([])
    expect(slices(new Float32Array(0), 2)).toEqual([new Float32Array(0), new Float32Array(0)])
  })
})
