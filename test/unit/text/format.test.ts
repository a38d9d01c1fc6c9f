import { describe, expect, test } from 'vitest'
import { count, percent, signed, when } from '../../../src/text/format.js'

describe('a probability in percent', () => {
  test.each([
    [0, '0%'],
    [0.0004, '< 0.1%'],
    [0.001, '0.1%'],
    [0.0374, '3.7%'],
    [0.25, '25%'],
    [0.5, '50%'],
    [0.30000000000000004, '30%'],
    [0.9876, '98.8%'],
    [0.999, '99.9%'],
    [0.9996, '> 99.9%'],
    [1, '100%']
  ])('%d is %s', (probability, words) => {
    expect(percent(probability)).toBe(words)
  })

  test('is never 0% or 100% for what is not certain', () => {
    const small = Array.from({ length: 320 }, (_, i) => 10 ** -i / 2)
    const large = Array.from({ length: 16 }, (_, i) => 1 - 10 ** -i / 2)
    const between = Array.from({ length: 9999 }, (_, i) => (i + 1) / 10_000)
    const words = [...small, ...large, ...between].filter((p) => p > 0 && p < 1).map(percent)
    expect(words.length).toBeGreaterThan(10_000)
    expect(words.filter((word) => word === '0%' || word === '100%')).toEqual([])
  })

  test('is within a twentieth of a percent of the number', () => {
    for (let p = 0.001; p <= 0.999; p += 0.00037) {
      expect(Math.abs(parseFloat(percent(p)) - 100 * p)).toBeLessThanOrEqual(0.0501)
    }
  })
})

describe('a date', () => {
  test.each([
    ['2026-11-21T07:05:59Z', '21 Nov 2026, 07:05 UTC'],
    ['2026-01-01T00:00:00Z', '1 Jan 2026, 00:00 UTC'],
    ['2025-12-31T23:30:00-05:00', '1 Jan 2026, 04:30 UTC'],
    ['2024-02-29T13:00:00Z', '29 Feb 2024, 13:00 UTC']
  ])('%s reads %s', (date, words) => {
    expect(when(new Date(date))).toBe(words)
  })
})

test.each([
  [0, 'tweet', '0 tweets'],
  [1, 'tweet', '1 tweet'],
  [2, 'tweet', '2 tweets'],
  [1234, 'tweet', '1,234 tweets'],
  [1_000_000, 'user', '1,000,000 users']
])('%i of "%s" are "%s"', (n, noun, words) => {
  expect(count(n, noun)).toBe(words)
})

describe('a signed number', () => {
  test.each([
    [2.345, '+2.3'], [-2.345, '−2.3'], [0, '+0.0'], [-0.02, '−0.0'], [0.05, '+0.1'], [-12, '−12.0'], [123.456, '+123.5']
  ])('%d is %j', (part, shown) => {
    expect(signed(part)).toBe(shown)
  })
})
