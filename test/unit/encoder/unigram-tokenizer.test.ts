import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AutoTokenizer, env, type PreTrainedTokenizer } from '@xenova/transformers'
import { beforeAll, describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { tweetsOf } from '../../../support/synthetic-tweets.js'
import { PATHS } from '../../../src/core/paths.js'
import { createUnigramTokenizer, type UnigramTokenizer } from '../../../src/encoder/unigram-tokenizer.js'

let tokenizer: Record<string, unknown>
let pieces: UnigramTokenizer
let library: PreTrainedTokenizer

beforeAll(async () => {
  tokenizer = JSON.parse(await readFile(join(PATHS.encoder, 'tokenizer.json'), 'utf8'))
  pieces = createUnigramTokenizer(tokenizer)!
  env.localModelPath = dirname(PATHS.encoder)
  library = await AutoTokenizer.from_pretrained(basename(PATHS.encoder), { local_files_only: true })
})

const byLibrary = (text: string): number[] => library.encode(text)

describe('the tokens of a text are those that the library gives', () => {
  test.each([
    ['plain', 'The kettle is on and nobody is home.'],
    ['loud', 'LETS GOOO!!! #winning @nobody'],
    ['with emoji', '🌱🌙✨☕️🐈👩🏽‍🚀🏳️‍🌈 ok 🔗'],
    ['in Japanese', '吾輩は猫である。名前はまだ無い。'],
    ['right to left', 'مرحبا بالعالم שלום עולם'],
    ['of lines', '\n\n  first\n\tsecond\r\nthird  \n'],
    ['blank', '   '],
    ['beginning with a space', ' x'],
    ['with the character that stands for a space', '▁a ▁ b▁'],
    ['half a pair of surrogates', 'cut off \ud83d and on'],
    ['with links', 'see https://t.co/abc, http://example.org/ö?x and t.co/xyz pic.twitter.com/abc'],
    ['with what only looks like a link', 'not.co/abc xt.co/abc et.co/ èt.co/abc _pic.twitter.com/a https:// t.co/'],
    ['with a link before a line end', 'https://t.co/abc\nnext https://t.co/\u0085x https://a\ufeffb'],
    ['of unknown characters', '\u{10ffff}\u{10fffe}a\u{10ffff} \u{10ffff}']
  ])('for one that is %s', (_, text) => {
    expect(pieces(text, 1e6)).toEqual(byLibrary(text))
  })

  test('for tweets', () => {
    for (const text of tweetsOf(5, 300)) expect(pieces(text, 1e6)).toEqual(byLibrary(text))
  })

  test('for random characters', () => {
    const random = randomNumbers(4)
    const alphabet = [...'aeinrst  .,!?#@/:▁\n\téß漢字🌱👩🏽‍🚀🔗⏎', 'https://', 't.co/', '\u0301', '\u{1f1e9}\u{1f1ea}']
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: 1 + Math.floor(random() * 40) }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
      expect(pieces(text, 1e6), JSON.stringify(text)).toEqual(byLibrary(text))
    }
  })
})

test('at most as many tokens are given as asked for', () => {
  const text = 'a sentence that goes on and on '.repeat(100)
  expect(pieces(text, 256)).toEqual(byLibrary(text).slice(0, 256))
})

test('special tokens cannot be typed', () => {
  const [first, ...typed] = pieces('<s><pad><unk>', 1e6)
  expect(first).toBe(1)
  for (const special of [1, 2]) expect(typed).not.toContain(special)
})

test('a tokenizer of another type is not supported', () => {
  expect(createUnigramTokenizer({ ...tokenizer, model: { type: 'WordPiece', vocab: {} } })).toBeUndefined()
  expect(createUnigramTokenizer({ ...tokenizer, normalizer: null })).toBeUndefined()
  expect(createUnigramTokenizer(undefined)).toBeUndefined()
})
