import { expect, test } from 'vitest'
import { importInWords, noneDropped } from '../../../../src/sources/archive/report.js'

const NOTHING = { read: 0, kept: 0, beyond: 0, dropped: noneDropped() }

test('a report says how many were read and kept, and nothing of reasons that did not occur', () => {
  expect(importInWords({ ...NOTHING, read: 12, kept: 12 })).toBe('12 read, 12 kept.')
})

test('a report has each reason for leaving tweets out, with its number', () => {
  const counts = { read: 15_021, kept: 3_200, beyond: 11_800, dropped: { ...noneDropped(), retweets: 6, replies: 5, duplicates: 4, empty: 3, tooLong: 3 } }
  expect(importInWords(counts)).toBe('15,021 read, 3,200 kept. Left out: reposts (6), replies (5), repeated (4), without words (3), ' +
    'too long (3), older than the newest 3,200 or 1,000,000 characters (11,800).')
})
