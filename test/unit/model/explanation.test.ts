import { beforeAll, describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { fitAttribution, type Attribution } from '../../../src/model/attribution.js'
import { logitsOf, readQuestion } from '../../../src/model/question.js'
import { sum } from '../../../src/model/stacking.js'
import { explain, type Explanation } from '../../../src/model/explanation.js'
import { ngramsOf } from '../../../src/text/ngrams.js'
import { countNgrams, tfidfRows } from '../../../src/model/tfidf.js'
import { graphemesOf } from '../../../src/text/graphemes.js'
import { LINK, maskLinks } from '../../../src/text/normalize.js'
import { joinVectors } from '../../../src/core/vectors.js'

const WORDS = 'tea rain train cat moon bread bike sock plant kettle garden bus bridge lecture shoes cloud'.split(' ')

const STYLES: ((words: string[]) => string)[] = [
  (words) => `${words.join(' ')} lol 🌱 https://t.co/abc`,
  (words) => `${words.join(' ')}; particulars\nwill follow. e\u0301 مرحبا`,
  (words) => `${words.join(' ').toUpperCase()}!!! 👩🏽‍🚀 🇯🇵 #GO`,
  (words) => `${words.join(', ')}? Or is it 今日 https://example.org/page`
]

function write(style: (words: string[]) => string, n: number, seed: number): string[] {
  const random = randomNumbers(seed)
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)]
  return Array.from({ length: n }, () => style([word(), word(), word(), word()]))
}

/** A readable vector: the shares of capitals, other letters, signs, and characters beyond ASCII. */
function vectorOf(text: string): Float32Array {
  const kinds = [/\p{Lu}/gu, /\p{Ll}/gu, /[!?.,;#]/g, /[^\0-\x7f]/gu]
  return Float32Array.from(kinds, (kind) => (text.match(kind)?.length ?? 0) / (text.length + 1))
}

const trainingTexts = (k: number): string[] => STYLES.slice(0, k).flatMap((style, c) => write(style, 30, c))

function fitStyles(k: number, features?: 'ngrams' | 'encoder'): Attribution {
  const texts = trainingTexts(k)
  const labels = Int32Array.from(texts, (_, i) => Math.floor(i / 30))
  return fitAttribution({ texts, vectors: joinVectors(texts.map(vectorOf)), labels }, features)
}

/** Each n-gram of a text: its bucket and the characters [start, end) that it covers. */
function ngramPlaces(text: string): { bucket: number; start: number; end: number }[] {
  const { buckets, starts, ends } = ngramsOf(text)
  return Array.from(buckets, (bucket, p) => ({ bucket, start: starts[p], end: ends[p] }))
}

const explained = (attribution: Attribution, text: string, vector = vectorOf(text)): Explanation =>
  explain(attribution, readQuestion(attribution, text, vector))

const total = (numbers: number[]): number => numbers.reduce((sum, x) => sum + x, 0)

/** Each candidate's logit less the mean over the candidates. */
function centredLogits(attribution: Attribution, text: string): number[] {
  const z = Array.from(sum(logitsOf(attribution, readQuestion(attribution, text, vectorOf(text)))))
  return z.map((x) => x - total(z) / z.length)
}

const TEXTS: [string, string][] = [
  ['one letter', 'x'],
  ['nothing known', '§¶'],
  ['a sentence', 'Or is it the rain? The cat will follow.'],
  ['the same letter over and over', 'oooooooooo'],
  ['shouting', 'TEA AND BREAD!!! #GO'],
  ['emoji alone', '👩🏽‍🚀👩🏽‍🚀🌱'],
  ['emoji of several parts among words', 'moon 👩🏽‍🚀🇯🇵 lol 🌱🌱'],
  ['combining marks', 'cafe\u0301 e\u0301 x\u0323\u0307 tea'],
  ['a link', 'https://t.co/xyz'],
  ['links among words', 'see https://t.co/xyz and https://example.org/page?q=1 lol 🌱'],
  ['lines', 'tea\n\nparticulars\nwill follow.'],
  ['spaces', '  tea   rain  '],
  ['Arabic', 'مرحبا بكم مرحبا'],
  ['Japanese', '今日は雨。今日も雨。'],
  ['half an emoji', 'tea \ud83d rain'],
  ['very long', 'the rain, the train and the bread; '.repeat(100)]
]

describe.each([2, 3, 4])('the explanation among %d candidates', (k) => {
  let attribution: Attribution

  beforeAll(() => {
    attribution = fitStyles(k)
  })

  const explainText = (text: string): Explanation => explained(attribution, text)

  test.each(TEXTS)("adds up to each candidate's score: %s", (_, text) => {
    const expected = centredLogits(attribution, text)
    const { candidates } = explainText(text)
    expect(candidates).toHaveLength(k)
    candidates.forEach(({ score, ngrams, encoder, intercept }, c) => {
      expect(ngrams + encoder + intercept).toBeCloseTo(expected[c], 7)
      expect(score).toBeCloseTo(expected[c], 7)
    })
  })

  test.each(TEXTS)('has characters that sum to what the n-grams add: %s', (_, text) => {
    const { characters: split, candidates } = explainText(text)
    for (const { characters: shades, ngrams } of candidates) {
      expect(shades).toHaveLength(split.length)
      expect(total(shades)).toBeCloseTo(ngrams, 9)
    }
  })

  test.each(TEXTS)('tells each part relative to the mean over the candidates: %s', (_, text) => {
    const { candidates } = explainText(text)
    for (const part of ['score', 'ngrams', 'encoder', 'intercept'] as const) {
      expect(total(candidates.map((candidate) => candidate[part]))).toBeCloseTo(0, 9)
    }
    candidates[0].characters.forEach((_, i) => {
      expect(total(candidates.map((candidate) => candidate.characters[i]))).toBeCloseTo(0, 9)
    })
  })

  test("has nothing from the n-grams and the encoder for the average of the candidates' tweets", () => {
    const explained = trainingTexts(k).map((text) => explainText(text).candidates)
    for (let c = 0; c < k; c++) {
      for (const part of ['ngrams', 'encoder'] as const) {
        const parts = explained.map((candidates) => candidates[c][part])
        expect(total(parts) / parts.length).toBeCloseTo(0, 5)
        expect(Math.max(...parts)).toBeGreaterThan(0.1)
      }
    }
  })

  test.each(TEXTS)('has the text by whole characters, links masked: %s', (_, text) => {
    const { characters: split } = explainText(text)
    expect(split).toEqual(graphemesOf(maskLinks(text)))
    expect(split.join('')).toBe(maskLinks(text))
  })

  test.each(TEXTS)('has six pieces at the most, strongest first, with spaces visible: %s', (_, text) => {
    for (const { pieces } of explainText(text).candidates) {
      const strengths = pieces.map(({ weight }) => Math.abs(weight))
      expect(strengths.length).toBeLessThanOrEqual(6)
      expect(strengths).toEqual([...strengths].sort((a, b) => b - a))
      for (const { text: piece } of pieces) {
        expect(piece).not.toBe('')
        expect(piece).not.toMatch(/\s/)
        expect(piece).not.toContain(LINK)
      }
    }
  })
})

describe('the pieces of an explanation', () => {
  const TEXT = 'bread LOk!?; winth' // no character twice but the space, so that a piece has one place
  let attribution: Attribution

  beforeAll(() => {
    attribution = fitStyles(4)
  })

  /** The average tweet's score for a candidate by the n-grams, users counting the same, plainly. */
  function averageScore(c: number): number {
    const { columns, ngramModel: { weights } } = attribution
    const scores = trainingTexts(4).map((text) => {
      const row = tfidfRows(countNgrams([text]), columns)
      return total(Array.from(row.indices, (column, p) => row.values[p] * weights[column * 4 + c]))
    })
    return total(scores) / scores.length
  }

  /** What the n-grams of each stretch of the text add to a candidate beyond an average tweet's share, plainly. */
  function plainPieces(text: string, c: number): Map<string, number> {
    const { columns, ngramModel: { weights }, weights: [a] } = attribution
    const averages = [0, 1, 2, 3].map(averageScore)
    const row = tfidfRows(countNgrams([text]), columns)
    const places = ngramPlaces(text)
    const split = graphemesOf(maskLinks(text))
    const sums = new Map<string, number>()
    for (const { bucket, start, end } of places) {
      const column = columns.buckets.indexOf(bucket)
      if (column < 0) continue
      const times = places.filter((place) => place.bucket === bucket).length
      const value = row.values[row.indices.indexOf(column)]
      const own = averages.map((average, of) => value * weights[column * 4 + of] - value ** 2 * average)
      const piece = split.slice(start, end).join('')
      sums.set(piece, (sums.get(piece) ?? 0) + (a * (own[c] - total(own) / 4)) / times)
    }
    return sums
  }

  test('do not overlap', () => {
    for (const { pieces } of explained(attribution, TEXT).candidates) {
      expect(pieces.length).toBeGreaterThan(2)
      const covered = pieces.map(({ text }) => TEXT.indexOf(text.replaceAll('␣', ' ')))
      expect(covered).not.toContain(-1)
      const all = pieces.flatMap(({ text }) => [...text]).filter((character) => character !== '␣')
      expect(new Set(all).size).toBe(all.length)
    }
  })

  test('are the strongest stretch, then the strongest that none before overlaps, each with all that it adds', () => {
    explained(attribution, 'bread!?; LO', vectorOf('')).candidates.forEach(({ pieces }, c) => {
      const sums = [...plainPieces('bread!?; LO', c)].sort(([, p], [, q]) => Math.abs(q) - Math.abs(p))
      const chosen: [string, number][] = []
      for (const [text, weight] of sums) {
        const overlaps = chosen.some(([other]) => [...other].some((character) => text.includes(character)))
        if (!overlaps && chosen.length < 6) chosen.push([text, weight])
      }
      expect(pieces.map(({ text }) => text.replaceAll('␣', ' '))).toEqual(chosen.map(([text]) => text))
      pieces.forEach(({ weight }, i) => expect(weight).toBeCloseTo(chosen[i][1], 6))
    })
  })

  test('show spaces, line ends and links by signs', () => {
    const seen = (text: string): string => {
      const { candidates } = explained(attribution, text)
      return candidates.flatMap(({ pieces }) => pieces.map((piece) => piece.text)).join('')
    }
    expect(seen('s\nw')).toContain('⏎')
    expect(seen('o l')).toContain('␣')
    expect(seen('https://t.co/other')).toBe('🔗'.repeat(4))
  })

  test('speak for who writes so, and against who does not', () => {
    const { candidates } = explained(attribution, '!!!')
    expect(candidates[2].ngrams).toBeGreaterThan(0)
    expect(candidates[2].pieces[0].weight).toBeGreaterThan(0)
    expect(candidates[0].pieces.some(({ weight }) => weight < 0)).toBe(true)
  })

  test('are none where nothing of the text was seen before', () => {
    const { candidates } = explained(attribution, '§')
    for (const { pieces, ngrams } of candidates) {
      expect(pieces).toEqual([])
      expect(ngrams).toBe(0)
    }
  })
})

describe('the explanation of one model alone', () => {
  test.each([
    ['ngrams', 'encoder'], ['encoder', 'ngrams']
  ] as const)('has nothing from the other: %s', (features, other) => {
    const attribution = fitStyles(3, features)
    const text = 'TEA!!! lol 🌱'
    const expected = centredLogits(attribution, text)
    explained(attribution, text).candidates.forEach((candidate, c) => {
      expect(Math.abs(candidate[other])).toBe(0)
      expect(candidate.score).toBeCloseTo(expected[c], 8)
    })
  })
})
