import { describe, expect, test } from 'vitest'
import { clip, wrap } from '../../../src/pictures/wrap-text.js'

describe('lines', () => {
  test('break at blanks, at line ends and between East Asian characters, and in a word that is too long', () => {
    expect(wrap('one two three', 5)).toEqual(['one two', 'three'])
    expect(wrap('one\n\ntwo', 5)).toEqual(['one', 'two'])
    expect(wrap('名前はまだ無い', 3.5)).toEqual(['名前は', 'まだ無', 'い'])
    expect(wrap('nnnnnnnn', 2)).toEqual(['nnn', 'nnn', 'nn'])
  })

  test('begin with no closing mark and end with no opening one', () => {
    expect(wrap('名前は。まだ', 3.2)).toEqual(['名前', 'は。ま', 'だ'])
    expect(wrap('名前「はまだ', 3.2)).toEqual(['名前', '「はま', 'だ'])
  })

  test('are clipped where there are too many', () => {
    expect(clip(['one two', 'three'], 2, 5)).toEqual(['one two', 'three'])
    expect(clip(['one two', 'three'], 1, 5)).toEqual(['one tw…'])
  })
})
