import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { graphemesOf } from '../../../src/text/graphemes.js'
import { decodeText, dropDuplicates, duplicateKey, LINK, maskLinks } from '../../../src/text/normalize.js'

describe('a text as its author typed it', () => {
  test.each([
    ['fish &amp; chips', 'fish & chips'],
    ['1 &lt; 2 &gt; 0', '1 < 2 > 0'],
    ['&quot;it&apos;s&quot; &#39;fine&#x27;', '"it\'s" \'fine\''],
    ['&AMP; &LT;', '& <'],
    ['caf&eacute; &hellip; &#8217; &#x1F331;', 'café … ’ 🌱']
  ])('has the entities of %j decoded', (raw, text) => {
    expect(decodeText(raw)).toBe(text)
  })

  test.each([
    ['&amp;lt;', '&lt;'],
    ['&amp;amp;', '&amp;'],
    ['&amp;amp;lt;', '&amp;lt;'],
    ['&amp;#39;', '&#39;']
  ])('has %j decoded once and no more', (raw, text) => {
    expect(decodeText(raw)).toBe(text)
  })

  test.each(['AT&T', 'a & b;', '&heartless;', '&amp', '& amp;', '&#;'])('keeps %j, which is no entity', (raw) => {
    expect(decodeText(raw)).toBe(raw)
  })

  test('has one kind of line end', () => {
    expect(decodeText('a\r\nb\rc\nd\r\n\r\ne')).toBe('a\nb\nc\nd\n\ne')
  })

  test('has nothing blank around it, and keeps the blanks within', () => {
    expect(decodeText(' \n\t so   it is \r\n')).toBe('so   it is')
  })

  test('is empty where there is nothing but blanks and NULs', () => {
    expect(decodeText(' \0\r\n\0 ')).toBe('')
  })

  test('has no NUL, which Postgres cannot store', () => {
    expect(decodeText('\0a\0b\0')).toBe('ab')
  })

  test('has no half of a surrogate pair, which UTF-8 cannot hold', () => {
    expect(decodeText('a\ud83d b \ude00c')).toBe('a\ufffd b \ufffdc')
    expect(decodeText('a😀b')).toBe('a😀b')
  })

  test('has accents composed', () => {
    expect(decodeText('cafe\u0301')).toBe('caf\u00e9')
    expect(decodeText('か\u3099')).toBe('が')
    expect(decodeText('\u1100\u1161\u11a8')).toBe('각')
  })

  test('has letters that only look alike left apart', () => {
    expect(decodeText('ﬁ ① ２')).toBe('ﬁ ① ２')
  })
})

describe('a link', () => {
  test.each([
    ['https://t.co/AbC123'],
    ['http://t.co/AbC123'],
    ['t.co/AbC123'],
    ['HTTPS://T.CO/ABC'],
    ['pic.twitter.com/xyz'],
    ['https://pic.x.com/xyz']
  ])('of X (%s) is one character', (link) => {
    expect(maskLinks(link)).toBe(LINK)
    expect(maskLinks(`look: ${link} there`)).toBe(`look: ${LINK} there`)
    expect(maskLinks(`見て${link}\n次`)).toBe(`見て${LINK}\n次`)
  })

  test.each([
    ['https://example.org/a/b?c=d#e', 'example.org'],
    ['http://www.example.org', 'example.org'],
    ['https://news.example.org:8080/x', 'news.example.org'],
    ['https://example.org/?u=https://t.co/abc', 'example.org'],
    ['https://not-t.co/abc', 'not-t.co']
  ])('to another place (%s) keeps the host', (link, host) => {
    expect(maskLinks(`so ${link} it is`)).toBe(`so ${LINK}${host} it is`)
  })

  test.each([
    ['https://t.co/AbC123見てね', `${LINK}見てね`],
    ['（https://t.co/AbC123）次', `（${LINK}）次`],
    ['(https://t.co/AbC123)', `(${LINK})`]
  ])('of X ends with its letters and digits: %s', (text, masked) => {
    expect(maskLinks(text)).toBe(masked)
  })

  test('beside others is masked each time', () => {
    expect(maskLinks('https://t.co/a https://t.co/b https://example.org/c pic.x.com/d'))
      .toBe(`${LINK} ${LINK} ${LINK}example.org ${LINK}`)
  })

  test.each(['last.co/x', 'at.co', 'http', 'a://b', 'topic.twitter.community/'])('is not seen in %j', (text) => {
    expect(maskLinks(text)).toBe(text)
  })
})

describe('duplicates', () => {
  test.each([
    ['Look at this https://t.co/a', 'Look at this https://t.co/b'],
    ['Look at this https://t.co/a', 'look AT this'],
    ['Look https://t.co/a at this', 'Look at this'],
    ['Look at this https://example.org/1', 'Look at this pic.twitter.com/2'],
    ['Look  at\n\nthis ', 'Look at this'],
    ['ÉTÉ', 'été']
  ])('%j and %j are', (a, b) => {
    expect(duplicateKey(a)).toBe(duplicateKey(b))
  })

  test.each([
    ['Look at this', 'Look at that'],
    ['Look at this', 'Look at this!'],
    ['😀', '😁'],
    ['👍🏽', '👍'],
    ['Look at this', 'Lookatthis'],
    ['https://t.co/a明日', 'https://t.co/b昨日']
  ])('%j and %j are not', (a, b) => {
    expect(duplicateKey(a)).not.toBe(duplicateKey(b))
  })

  test('are dropped in favour of the first, in order', () => {
    const items = [
      { id: 1, text: 'One https://t.co/a' },
      { id: 2, text: 'Two' },
      { id: 3, text: 'ONE' },
      { id: 4, text: 'two https://t.co/b' },
      { id: 5, text: 'Three' }
    ]
    expect(dropDuplicates(items, ({ text }) => text).map(({ id }) => id)).toEqual([1, 2, 5])
  })

  test('are dropped together with texts of nothing but links', () => {
    const texts = ['https://t.co/a', 'https://example.org/b pic.x.com/c', ' ', '', 'a']
    expect(dropDuplicates(texts, (text) => text)).toEqual(['a'])
  })
})

describe('the characters of a text', () => {
  test.each([
    ['nothing', []],
    ['plain letters', ['a', ' ', 'b', '!']],
    ['a skin tone', ['a', '👍🏽', 'b']],
    ['a family joined up', ['👨‍👩‍👧‍👦', '!']],
    ['a profession with a skin tone', ['👩🏽‍🚀', '👩🏽‍🚀']],
    ['flags', ['🇯🇵', '🇫🇷', ' ', '🏴󠁧󠁢󠁳󠁣󠁴󠁿']],
    ['a keycap and a heart in colour', ['1️⃣', '❤️', '❤']],
    ['emoji alone', ['😀', '😀', '😂']],
    ['combining marks', ['e\u0301', 'x\u0323\u0307', 'z']],
    ['Japanese', ['東', '京', 'で', 'す', '。', 'か\u3099']],
    ['Arabic with vowels', ['مَ', 'رْ', 'حَ', 'ب', 'ا']],
    ['Arabic without vowels', ['م', 'ر', 'ح', 'ب', 'ا']],
    ['Devanagari', ['न', 'म']],
    ['a masked link', ['a', LINK, 'b']],
    ['a letter beyond the first plane', ['𝔸', 'a', '𠮷']],
    ['a NUL', ['a', '\0', 'b']],
    ['half of a surrogate pair', ['a', '\ud83d', 'b', '\ude00', 'c']],
    ['half of a surrogate pair beside an emoji', ['\ude00', '😀', '\ud83d', 'a']]
  ])('are told apart as a reader would: %s', (_, expected) => {
    expect(graphemesOf(expected.join(''))).toEqual(expected)
  })

  test.each([
    ['a Thai vowel behind its consonant', ['กำ', 'ล']],
    ['a Persian word with a non-joiner', ['م', 'ی\u200c', 'خ']],
    ['halfwidth katakana with its voicing mark', ['ｶ\uff9e', 'ｷ']],
    ['Hangul in single jamo', ['\u1112\u1161\u11ab', '\u1100\u1173\u11af']]
  ])('are told apart as a reader would, with no mark among them: %s', (_, expected) => {
    expect(graphemesOf(expected.join(''))).toEqual(expected)
  })

  test.each(['กำลัง', 'می\u200cخواهم', 'ｶ\uff9eｷ\uff9e', 'naïve', '東京です', 'مرحبا', 'don’t — “quote”'])(
    'of %j are the same whether or not an emoji follows',
    (text) => {
      expect(graphemesOf(`${text}😀`)).toEqual([...graphemesOf(text), '😀'])
    }
  )

  test('are those of the Unicode segmenter, whatever the text', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
    const parts = ['a', ' ', 'é', 'e\u0301', '東', '😂', '❤\ufe0f', '❤', '👍🏽', '🏽', '👩‍👩‍👧', '\u200d', '🇯🇵', '🇫', 'กำ', 'क्ष', 'ൎക', '\u0600١', '각', 'ᄒ', 'ᅡ', '𝒜', '𐀀', '1\ufe0f⃣', '™', '\ud83d']
    fc.assert(fc.property(fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))), (some) => {
      const text = some.join('').replaceAll('\r', '')
      expect(graphemesOf(text)).toEqual(Array.from(segmenter.segment(text), ({ segment }) => segment))
    }), { numRuns: 3000 })
  })

  test('put together again are the text', () => {
    const text = 'Ünïcödé 👩‍❤️‍💋‍👩 and e\u0301\u0302\u0303 \ud800 \0 東京 🇯🇵🇫🇷'
    expect(graphemesOf(text).join('')).toBe(text)
  })
})
