import { describe, expect, test } from 'vitest'
import { openUploadReader } from '../../../support/archive.js'

const { texts, refusal } = openUploadReader()

describe("X's archive", () => {
  test('is recognised: other parts of the archive, scripts and web pages are refused', async () => {
    const likes = 'window.YTD.like.part0 = [ {"like": {"fullText": "of another"}} ]'
    expect(await refusal(likes, 'like.js')).toMatch(/another part of an X archive \(like\).*data\/tweets\.js/)
    expect(await refusal('alert(1)', 'tweets.js')).toMatch(/^Line 1 does not start as the tweets\.js/)
    expect(await refusal('<!DOCTYPE html><p>', 'Your archive.html')).toMatch(/^Line 1 starts a web page/)
  })
})

describe('plain text', () => {
  test('may start with what looks like another format', async () => {
    expect(await texts('"a tweet"\nin quotes\n', 'a.txt')).toEqual(['"a tweet"', 'in quotes'])
    expect(await texts('[thread] tea\n{sigh}\n', 'a.txt')).toEqual(['[thread] tea', '{sigh}'])
    expect(await texts('text\ntweet\n', 'a.txt')).toEqual(['text', 'tweet'])
  })

  test('without any line is refused, whatever the file is called', async () => {
    for (const name of ['a.txt', 'a.csv', 'a.js', 'a.json']) {
      expect(await refusal(' \n\n', name)).toBe('This file holds no tweets.')
      expect(await refusal('', name)).toBe('This file holds no tweets.')
    }
  })
})
