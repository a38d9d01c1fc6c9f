import { describe, expect, test } from 'vitest'
import { FNV_START, fnv, hashText, scramble } from '../../../src/core/hashing.js'

describe('hashes', () => {
  // Test vectors of FNV-1a, 32 bits, by its authors: http://www.isthe.com/chongo/tech/comp/fnv/
  test.each([['', 0x811c9dc5], ['a', 0xe40c292c], ['foobar', 0xbf9cf968]])('are FNV-1a: %j', (text, expected) => {
    const hash = [...Buffer.from(text)].reduce(fnv, FNV_START)
    expect(hash >>> 0).toBe(expected)
  })

  test.each([[0, 0], [1, 0x514e28b7], [0xffffffff, 0x81f16f39]])('are finished as MurmurHash3 finishes them: %d', (hash, expected) => {
    expect(scramble(hash | 0) >>> 0).toBe(expected)
  })

  test('of texts that differ in the last character only are far apart in every bit', () => {
    const hashes = Array.from({ length: 1000 }, (_, i) => hashText(`seed ${i}`))
    expect(new Set(hashes).size).toBe(1000)
    for (let bit = 0; bit < 32; bit++) {
      const set = hashes.filter((hash) => (hash >>> bit) & 1).length
      expect(Math.abs(set - 500)).toBeLessThan(80)
    }
  })
})
