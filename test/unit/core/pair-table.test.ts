import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PairTable } from '../../../src/core/pair-table.js'

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const pairs = fc.array(fc.tuple(fc.oneof(int32, fc.integer({ min: 0, max: 3 })), fc.oneof(int32, fc.integer({ min: 0, max: 3 }))), { maxLength: 200 })

describe('a table from pairs to integers', () => {
  test('holds what a Map of texts would hold, whatever it was expected to hold', () => {
    fc.assert(fc.property(pairs, fc.integer({ min: 0, max: 500 }), (added, expected) => {
      const table = new PairTable(expected)
      const plain = new Map<string, number>()
      added.forEach(([a, b], i) => {
        const known = plain.get(`${a} ${b}`) ?? i
        plain.set(`${a} ${b}`, known)
        expect(table.getOrAdd(a, b, i)).toBe(known)
      })
      expect(table.size).toBe(plain.size)
      for (const [a, b] of added) expect(table.get(a, b)).toBe(plain.get(`${a} ${b}`))
    }))
  })

  test('takes an unsigned number and the signed one of the same 32 bits for one', () => {
    const table = new PairTable()
    table.getOrAdd(0xffffffff, 0x80000000, 7)
    expect(table.get(0xffffffff, 0x80000000)).toBe(7)
    expect(table.get(-1, -(2 ** 31))).toBe(7)
  })

  test('has −1 for pairs that were not added', () => {
    const table = new PairTable()
    for (let i = 0; i < 1000; i++) table.getOrAdd(i, -i, i)
    expect(table.get(3, 3)).toBe(-1)
    expect(table.get(1000, -1000)).toBe(-1)
    expect(table.get(0, 0)).toBe(0)
  })

  test('is empty after it was cleared, for fewer, as many or more pairs, again and again', () => {
    const table = new PairTable(4)
    for (const n of [300, 3, 900, 0, 20, 2000, 5]) {
      table.clear(n)
      expect(table.size).toBe(0)
      for (let i = 0; i < n; i++) expect(table.get(i, 7)).toBe(-1)
      for (let i = 0; i < n; i++) expect(table.getOrAdd(i, 7, n + i)).toBe(n + i)
      for (let i = 0; i < n; i++) expect(table.get(i, 7)).toBe(n + i)
    }
  })
})
