import { describe, expect, test } from 'vitest'
import { withMemory } from '../../../src/core/lent-memory.js'

describe('lent memory', () => {
  test('has room for what is asked for, and is lent again', () => {
    const first = withMemory(1000, (memory) => memory)
    expect(first.byteLength).toBeGreaterThanOrEqual(1000)
    expect(withMemory(900, (memory) => memory)).toBe(first)
    expect(withMemory(10_000, (memory) => memory.byteLength)).toBeGreaterThanOrEqual(10_000)
  })

  test('is lent to one computation at a time, also where one calls another or fails', () => {
    withMemory(100, (outer) => {
      const inner = withMemory(100, (memory) => memory)
      expect(inner).not.toBe(outer)
      expect(() => withMemory(100, () => { throw new Error('no') })).toThrow('no')
      expect(withMemory(100, (memory) => memory)).not.toBe(outer)
    })
  })

  test('is not kept where it is very large', () => {
    const large = withMemory(40 * 2 ** 20, (memory) => memory)
    expect(withMemory(40 * 2 ** 20, (memory) => memory) === large).toBe(false)
  })
})
