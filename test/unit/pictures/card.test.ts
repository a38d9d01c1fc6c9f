import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cardSvg } from '../../../src/pictures/card.js'
import type { Verdict } from '../../../src/model/question.js'
import type { Prediction } from '../../../src/prediction/predict-author.js'
import { widthOf } from '../../../src/pictures/wrap-text.js'
import { graphemesOf } from '../../../src/text/graphemes.js'
import { expectPicture, readPng } from '../../support/png.js'
import { sharedThreads } from '../../support/threads.js'

const NAMES = ['ruth_demo', 'ivo_demo', 'tara_demo', 'milo_demo']
const PROBABILITIES = [0.92, 0.05, 0.02, 0.01]

const toPng = async (svg: string): Promise<Buffer> => Buffer.from(await sharedThreads().draw(svg))

/** The part of a prediction that a card draws. */
function predictionOf(text: string, { users = NAMES, verdict = 'named' as Verdict } = {}): Prediction {
  const candidates = users.map((username, i) => ({ user: { username }, probability: PROBABILITIES[i] }))
  return { text, verdict, author: users[0], candidates } as unknown as Prediction
}

/** The texts of an SVG, with entities decoded and without zero-width non-joiners. */
function textsOf(svg: string): string[] {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name]).replaceAll('\u200c', ''))
}

/** The lines of the quotation, between the header and the answer. */
const quoted = (svg: string): string[] =>
  textsOf(svg).slice(2, textsOf(svg).findIndex((text) => /^(Most|Too|Unlike)/.test(text)))

describe('the card as SVG', () => {
  test('shows the app, the text, the answer and every candidate', () => {
    const texts = textsOf(cardSvg(predictionOf('Nobody wrote this.')))
    expect(texts).toEqual([
      'HypoTweet', 'A text that nobody has written', 'Nobody wrote this.', 'Most likely @ruth_demo: 92%',
      '@ruth_demo', '92%', '@ivo_demo', '5%', '@tara_demo', '2%', '@milo_demo', '1%'
    ])
  })

  test.each([2, 3, 4])('has a bar for each of %d candidates, in proportion to the probability', (k) => {
    const svg = cardSvg(predictionOf('text', { users: NAMES.slice(0, k) }))
    const track = Number(/width="(\d+)" fill="#e7e3f6"/.exec(svg)![1])
    const bars = [...svg.matchAll(/ rx="10" width="([\d.]+)" fill="#(?:5b4bb7|958bc8)"/g)].map(([, w]) => Number(w))
    expect(bars).toHaveLength(k)
    expect(bars[0]).toBeCloseTo(0.92 * track, 0)
    expect(bars).toEqual([...bars].sort((a, b) => b - a))
    for (const [, y] of svg.matchAll(/ y="([\d.]+)"/g)) expect(Number(y)).toBeLessThan(630)
  })

  test.each([
    ['named', 'Most likely @ruth_demo: 92%', 1],
    ['too close to call', 'Too close to call', 0],
    ['unlike any of them', 'Unlike any of them', 0]
  ] as const)('has the words for the verdict %s, and highlights only a named author', (verdict, words, bold) => {
    const svg = cardSvg(predictionOf('text', { verdict }))
    expect(textsOf(svg)).toContain(words)
    expect(textsOf(svg).filter((text) => /^(Most|Too|Unlike)/.test(text))).toHaveLength(1)
    expect(svg.match(/#5b4bb7"\/>/g)).toHaveLength(1 + bold) // one of them is the stripe at the top
    expect(textsOf(svg).includes('If it had to be one of them:')).toBe(verdict === 'unlike any of them')
  })

  test('escapes markup and drops characters that XML forbids', () => {
    const svg = cardSvg(predictionOf('</text><script>"a" & \'b\'</script>\0\u0007\u001b\u202e\uffff\ud800 end'))
    expect(svg).not.toContain('<script')
    // eslint-disable-next-line no-control-regex
    expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e\uffff]/)
    expect(svg.isWellFormed()).toBe(true)
    expect(quoted(svg).join(' ').replaceAll('\ufffd', '')).toBe('</text><script>"a" & \'b\'</script> end')
  })

  test('shows a text of 280 characters in full, in a smaller size', () => {
    const text = 'The quick brown fox jumps over it. '.repeat(8).trim()
    const [short, long] = ['Hello.', text].map((text) => cardSvg(predictionOf(text)))
    expect(quoted(long).join(' ')).toBe(text)
    const size = (svg: string) => Number(/x="94" y="[\d.]+" font-size="(\d+)"/.exec(svg)![1])
    expect(size(short)).toBe(56)
    expect(size(long)).toBeLessThan(40)
  })

  test.each([
    ['words', 'long words '.repeat(364)],
    ['one word', 'la'.repeat(2000)],
    ['lines', 'line\n\n'.repeat(600)],
    ['Japanese', '吾輩は猫である。名前はまだ無い。'.repeat(250)],
    ['emoji', '👩🏽‍🚀🌱'.repeat(1000)]
  ])('clips a text that is too long: %s', (_, text) => {
    const lines = quoted(cardSvg(predictionOf(text)))
    expect(lines.length).toBeLessThan(8)
    expect(lines.at(-1)).toMatch(/…$/)
    expect(lines.slice(0, -1).join('')).not.toContain('…')
  })

  test('aligns right-to-left text to the right', () => {
    const svg = cardSvg(predictionOf('مرحبا بالعالم، كيف حالك؟'))
    expect(svg).toMatch(/x="1106"[^>]* text-anchor="end">\u202bمرحبا بالعالم، كيف حالك؟\u202c</)
    expect(cardSvg(predictionOf('Salam, مرحبا'))).toMatch(/x="94"[^>]*>Salam, مرحبا</)
  })

  test('draws only the first code point of an emoji, and the letters of a flag', () => {
    expect(quoted(cardSvg(predictionOf('a 👩🏽‍🚀 b ❤️ c 🇫🇷 d 1️⃣')))).toEqual(['a 👩 b ❤ c FR d 1'])
  })

  test('fits the widest names', () => {
    const svg = cardSvg(predictionOf('text', { users: ['W'.repeat(15), 'M'.repeat(15)] }))
    for (const [, size, name] of svg.matchAll(/font-size="(\d+)"[^>]*>(@[WM]+|Most[^<]*)</g)) {
      expect(Number(size) * widthOf(name)).toBeLessThan(name.startsWith('@') ? 360 : 1080)
    }
  })
})

test.each([
  ['Latin', 'Nobody wrote this.'], ['Japanese', '吾輩は猫である。'], ['Arabic', 'مرحبا بالعالم'], ['emoji', '🌱💀 ok'],
  ['invisible characters', '\u200b\u202e']
])('the card is a PNG for a text in %s', async (_, text) => {
  expectPicture(await toPng(cardSvg(predictionOf(text))))
})

test('two texts give two different pictures', async () => {
  const [one, other] = await Promise.all(['one', 'other'].map((text) => toPng(cardSvg(predictionOf(text)))))
  expect(readPng(one).bytes.equals(readPng(other).bytes)).toBe(false)
})

describe('what is drawn of a text', () => {
  const drawn = (text: string): string[] => quoted(cardSvg(predictionOf(text))).map((line) => line.replace(/[\u202b\u202c]/g, ''))
  const units = (text: string): number => drawn(text).join('').length

  test.each([
    ['Hebrew with its points', 'בְּרֵאשִׁ֖ית בָּרָ֣א'], ['Vietnamese', 'Tiếng Việt'], ['Thai', 'น้ำที่นี่'], ['Hindi', 'क्ष्म्य राष्ट्रीय'], ['Tibetan', 'བསྒྲུབས'], ['Korean', '한국어']
  ])('is all of a word in %s', (_, text) => {
    expect(drawn(text).join(' ')).toBe(text.normalize('NFC'))
  })

  test.each([
    ['marks on each letter', `a${'\u0315\u0300\u05ae'.repeat(20)}`.repeat(200)],
    ['marks on one letter', `a${'\u0315\u0300\u05ae\u0327'.repeat(1900)}`],
    ['marks without a letter', '\u0300'.repeat(25_000)],
    ['an endless conjunct', '\u0915\u094d'.repeat(3900)],
    ['an endless emoji', '\u{1f469}\u200d'.repeat(2000)],
    ['an endless flag', `\u{1f3f4}${'\u{e0067}'.repeat(1900)}`],
    ['Hangul parts', '\u1100'.repeat(4000)]
  ])('is bounded in code points: %s', (_, text) => {
    expect(units(text)).toBeLessThan(4 * 700)
  })

  test('is a flag with a mark on it too', () => {
    expect(drawn('\u{1f1eb}\u{1f1f7}\u0300')).toEqual(['FR\u0300'])
  })

  test('has no character of more than eight code points or more than three marks, whatever the text is', () => {
    const marks = fc.constantFrom('\u0300', '\u05ae', '\u20dd', '\u094d', '\u0e34', '\u200d', '\u{e0067}', '\ufe0f')
    const pieces = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.array(marks, { maxLength: 30 }).map((all) => all.join('')), fc.constantFrom('a', 'क', 'ก', '👩', '🇦', '語', 'م')), { maxLength: 60 })
    fc.assert(fc.property(pieces, (all) => {
      for (const character of drawn(all.join('')).flatMap((line) => graphemesOf(line))) {
        expect([...character].length).toBeLessThanOrEqual(8)
        expect(character).not.toMatch(/[\p{Mn}\p{Me}]{4}/u)
      }
    }))
  })
})
