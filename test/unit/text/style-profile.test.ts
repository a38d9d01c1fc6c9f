import { describe, expect, test } from 'vitest'
import { describeStyle, type StyleProfile } from '../../../src/text/style-profile.js'
import { createTweetTokenizer } from '../../../src/text/tokens.js'
import { countSharedNgrams } from '../../../src/text/ngram-trie.js'
import { logOddsWeight } from '../../../src/text/keyness.js'

const undated = (texts: string[]) => texts.map((text) => ({ text, createdAt: null }))
const repeat = (texts: string[], times: number) => Array.from({ length: times }, () => texts).flat()
const valueOf = ({ measures }: StyleProfile, name: string) => measures.find((measure) => measure.name === name)!
const words = ({ words }: StyleProfile) => words.map(({ text }) => text)

describe('the weight of a piece', () => {
  // Independently: probabilities under either posterior, their odds, and the variance by the paper's approximation.
  function independent(y: number, n: number, y2: number, n2: number, prior: number): number {
    const pseudo = prior * ((y + y2) / (n + n2))
    const [p, p2] = [(y + pseudo) / (n + prior), (y2 + pseudo) / (n2 + prior)]
    const odds = p / (1 - p) / (p2 / (1 - p2))
    return Math.log(odds) / Math.hypot((y + pseudo) ** -0.5, (y2 + pseudo) ** -0.5)
  }

  test.each([[7, 1500, 0, 4000, 500], [3, 20, 9, 40, 5], [1, 10, 1, 10, 100], [60, 1000, 30, 2000, 500]])(
    'is the z of the weighted log-odds for y = %d of %d and %d of %d, prior %d', (y, n, y2, n2, prior) => {
      expect(logOddsWeight([y, y2], [n, n2], prior)).toBeCloseTo(independent(y, n, y2, n2, prior), 10)
      expect(logOddsWeight([y2, y], [n2, n], prior)).toBeCloseTo(-independent(y, n, y2, n2, prior), 10)
    })

  test('is what the words of tweets are given', () => {
    const own = [...repeat(['gonna nap'], 60), ...repeat(['nap time now'], 40)]
    const rest = [...repeat(['time for tea now'], 100), ...repeat(['gonna'], 80)]
    const { words } = describeStyle(undated(own), [rest])
    const [n, n2] = [60 * 2 + 40 * 3, 100 * 4 + 80]
    const prior = (50 * (n + n2)) / (100 + 180)
    expect(words.map(({ text }) => text)).toEqual(['nap', 'gonna'])
    expect(words[0].weight).toBeCloseTo(independent(100, n, 0, n2, prior), 10)
    expect(words[1].weight).toBeCloseTo(independent(60, n, 80, n2, prior), 10)
    expect([words[0].theirs, words[0].others]).toEqual([100, 0])
  })

  test('is zero for what is as much the others’, and shrinks as the prior grows', () => {
    expect(logOddsWeight([5, 10], [100, 200], 50)).toBeCloseTo(0, 12)
    const weights = [1000, 2000, 8000, 64_000].map((prior) => logOddsWeight([20, 5], [1000, 1000], prior))
    expect(weights).toEqual([...weights].sort((a, b) => b - a))
  })
})

describe('n-grams', () => {
  test('are counted as by a plain count of sets', () => {
    const texts = ['so so tired 😭', 'so tired', 'not so\ntired', '👩‍👩‍👧 so', 'x', '']
    const reader = createTweetTokenizer()
    const read = (list: string[]) => list.map((text) => reader.read(text).characters)
    const [own, rest] = [read(texts), read(['tired 😭', 'so!', '🇯🇵 tired'])]
    const { totals, found } = countSharedNgrams(own, rest, 2)
    const setOf = (characters: number[]) => new Set([2, 3, 4].flatMap((n) =>
      characters.slice(0, Math.max(0, characters.length - n + 1)).map((_, i) => characters.slice(i, i + n).join())))
    const sets = [own, rest].map((list) => list.map(setOf))
    const expected = [...new Set(sets[0].flatMap((set) => [...set]))]
      .map((key) => [key, ...sets.map((side) => side.filter((set) => set.has(key)).length)] as const)
      .filter(([, y]) => y >= 2)
    const sorted = (rows: (readonly [string, ...number[]])[]) => rows.map((row) => row.join(' ')).sort()
    expect(sorted(found.map(({ ngram, tweets }) => [ngram.join(), ...tweets]))).toEqual(sorted(expected))
    const sum = (list: number[][]) => list
      .flatMap(({ length }) => [2, 3, 4].map((n) => Math.max(0, length - n + 1)))
      .reduce((a, b) => a + b, 0)
    expect(totals).toEqual([sum(own), sum(rest)])
  })

  test('are shown with spaces, line breaks and links to be seen, each saying something new', () => {
    const own = repeat(['yes\nno maybe https://t.co/abc', 'oh well\nright, https://t.co/def'], 20)
    const habits = describeStyle(undated(own), [repeat(['plain words here', 'nothing much'], 20)])
    const texts = habits.ngrams.map(({ text }) => text)
    expect(texts.join('')).toMatch(/⏎/)
    expect(words(habits)).toContain('🔗')
    expect(texts.join('')).not.toMatch(/\s|\ufffc/)
    for (const text of texts) expect(texts.filter((other) => other.includes(text))).toEqual([text])
  })
})

describe('what is typical', () => {
  const plain = ['a walk in the park', 'tea with the neighbours', 'rain again in the town']

  test('is used more by them, by at least three tweets, heaviest first', () => {
    const own = [...repeat(['lol a walk', 'lol tea ngl', 'the rain lol'], 10), 'zebra zebra zebra zebra zebra']
    const habits = describeStyle(undated(own), [repeat(plain, 20), repeat(plain, 10)])
    expect(words(habits)[0]).toBe('lol')
    expect(words(habits)).toContain('ngl')
    expect(words(habits)).not.toContain('zebra')
    for (const list of [habits.words, habits.ngrams]) {
      const weights = list.map(({ weight }) => weight)
      expect(weights).toEqual([...weights].sort((a, b) => b - a))
      const right = list.filter(({ weight, theirs, others }) => weight > 1.96 && theirs > others && theirs <= 100)
      expect(right).toEqual(list)
    }
    expect(habits.words.length).toBeLessThanOrEqual(12)
    expect(habits.ngrams.length).toBeLessThanOrEqual(8)
  })

  test('is nothing where all write the same, or the same one word', () => {
    for (const texts of [repeat(plain, 20), repeat(['gm'], 40)]) {
      expect(describeStyle(undated(texts), [texts, texts])).toMatchObject({ words: [], ngrams: [] })
    }
  })

  test('may be emoji, hashtags, mentions, or Japanese', () => {
    const own = repeat(['今日はカレー 👩‍💻👍🏽 #朝活', '毎日カレー 👩‍💻👍🏽 @Some_Body'], 20)
    const found = words(describeStyle(undated(own), [repeat(['今日は雨', '毎日寒い ☕️'], 20)]))
    for (const word of ['カレー', '👩‍💻', '👍🏽', '#朝活', '@some_body']) expect(found).toContain(word)
    expect(found).not.toContain('今日')
  })
})

describe('habits in numbers', () => {
  test('are theirs, and the mean over the others, each counting the same', () => {
    const own = ['Hi!! 😀👍🏽', 'what? #one #2 @you\nok', 'Done. https://t.co/abc']
    const habits = describeStyle(undated(own), [['aa!', 'bb!', 'cc!'], ['DDDD']])
    const row = (name: string) => [valueOf(habits, name).theirs, valueOf(habits, name).others]
    expect(row('Characters in a tweet (median)')).toEqual([7, 3.5])
    expect(row('Emoji per tweet')).toEqual([2 / 3, 0])
    expect(row('Exclamation marks per tweet')).toEqual([2 / 3, 0.5])
    expect(row('Question marks per tweet')).toEqual([1 / 3, 0])
    expect(row('Links per tweet')).toEqual([1 / 3, 0])
    expect(row('Hashtags per tweet')).toEqual([1 / 3, 0])
    expect(row('Mentions per tweet')).toEqual([1 / 3, 0])
    expect(row('Line breaks per tweet')).toEqual([1 / 3, 0])
    expect(row('Capitals among the letters')).toEqual([2 / 18, 0.5])
    expect(row('Tweets that end without punctuation')).toEqual([2 / 3, 0.5])
  })

  test('are null where there is nothing to count', () => {
    const alone = describeStyle(undated(['今日は雨']), [])
    expect(alone.measures.every(({ others }) => others === null)).toBe(true)
    expect(valueOf(alone, 'Capitals among the letters').theirs).toBeNull()
    const empty = describeStyle([], [['hello'], []])
    expect(empty).toMatchObject({ tweets: 0, others: { users: 1, tweets: 1 }, words: [], ngrams: [] })
    expect(empty.measures.every(({ theirs }) => theirs === null)).toBe(true)
    expect(describeStyle(undated(['', ' ']), [['']])).toMatchObject({ tweets: 2, words: [], ngrams: [] })
    expect(JSON.parse(JSON.stringify([alone, empty]))).toEqual([alone, empty])
  })

  test('count a long tweet whole', () => {
    const long = `${'word '.repeat(1000)}😀`
    expect(valueOf(describeStyle(undated([long]), []), 'Characters in a tweet (median)').theirs).toBe(5002)
  })
})

test('hours and weekdays are counted in UTC, from Monday, where there is a date', () => {
  const dates = ['2026-11-16T00:10:00Z', '2026-11-22T23:59:00Z', '2026-11-22T23:00:00-02:00']
  const own = [...dates.map((date) => ({ text: 'x', createdAt: new Date(date) })), ...undated(['y'])]
  const { times } = describeStyle(own, [])
  expect(times.dated).toBe(3)
  expect(times.hours).toEqual(Array.from({ length: 24 }, (_, hour) => ({ 0: 1, 1: 1, 23: 1 })[hour] ?? 0))
  expect(times.weekdays).toEqual([2, 0, 0, 0, 0, 0, 1])
  expect(describeStyle(undated(['y']), []).times.dated).toBe(0)
})

test('no more than 400 tweets, 20 others and 2,000 of their tweets are read', () => {
  const others = Array.from({ length: 30 }, () => repeat(['theirs'], 500))
  const habits = describeStyle(undated(repeat(['mine'], 500)), others)
  expect([habits.tweets, habits.others]).toEqual([400, { users: 20, tweets: 2000 }])
  expect(describeStyle([], [repeat(['theirs'], 500)]).others).toEqual({ users: 1, tweets: 400 })
})
