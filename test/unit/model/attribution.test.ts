import { beforeAll, describe, expect, test } from 'vitest'
import { randomNumbers, shuffled } from '../../../support/datasets.js'
import { assemble, fitAttribution, fitEncoderModel, fitNgramModel, foldsFor, readTexts, stack, type Attribution } from '../../../src/model/attribution.js'
import { logitsOf, readQuestion, verdictOf, type Verdict } from '../../../src/model/question.js'
import { sum, type Logits } from '../../../src/model/stacking.js'
import { argmax, softmaxInPlace } from '../../../src/regression/softmax.js'
import { joinVectors } from '../../../src/core/vectors.js'

/** What somebody makes of words. */
type Style = (words: string[]) => string

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1)

const QUIET: Style = (words) => `${words.join(' ')} idk 🌱`
const FORMAL: Style = (words) => `${capital(words.join(' '))}; particulars will follow.`
const LOUD: Style = (words) => `${words.join(' ').toUpperCase()}!!! #GO`
const ASKING: Style = (words) => `${capital(words.join(', '))}? Or is it just me?`
const STYLES = [QUIET, FORMAL, LOUD, ASKING]

const WORDS = ('tea rain train cat moon bread bike sock plant kettle garden bus bridge lecture archive dinner ' +
  'ferry game pizza shoes derby friday cloud stairs letter umbrella chalk lamp scissors window river pencil').split(' ')

/** n texts of a style, of words that are drawn, with no regard to who writes. */
function write(style: Style, n: number, seed: number, words: readonly string[] = WORDS): string[] {
  const random = randomNumbers(seed)
  const word = (): string => words[Math.floor(random() * words.length)]
  return Array.from({ length: n }, () => style(Array.from({ length: 4 + Math.floor(random() * 4) }, word)))
}

/** A readable vector of length 1: the shares of capitals, other letters, signs, spaces, and characters beyond ASCII. */
function vectorOf(text: string): Float32Array {
  const kinds = [/\p{Lu}/gu, /\p{Ll}/gu, /[!?.,;#]/g, /\s/g, /[^\0-\x7f]/gu]
  const shares = kinds.map((kind) => (text.match(kind)?.length ?? 0) / text.length)
  return Float32Array.from(shares, (share) => share / Math.hypot(...shares))
}

const vectorsOf = (texts: string[]): Float32Array => joinVectors(texts.map(vectorOf))

/** What users have written, one user after the other. */
function setOf(users: string[][]): Parameters<typeof fitAttribution>[0] {
  const texts = users.flat()
  return { texts, vectors: vectorsOf(texts), labels: Int32Array.from(users.flatMap((own, c) => own.map(() => c))) }
}

/** n×k logits of texts, each asked about by itself. */
function logitsOfAll(attribution: Attribution, texts: string[]): Logits {
  const each = texts.map((text) => logitsOf(attribution, readQuestion(attribution, text, vectorOf(text))))
  return { ngrams: joined(each.map(({ ngrams }) => ngrams)), encoder: joined(each.map(({ encoder }) => encoder)) }
}

const joined = (parts: Float64Array[]): Float64Array => Float64Array.from(parts.flatMap((part) => [...part]))

/** Each text's probabilities. */
function probabilitiesOf(attribution: Attribution, texts: string[]): Float64Array[] {
  const logits = sum(logitsOfAll(attribution, texts))
  const k = logits.length / texts.length
  return texts.map((_, i) => {
    const row = logits.slice(i * k, i * k + k)
    softmaxInPlace(row)
    return row
  })
}

const answersOf = (attribution: Attribution, texts: string[]): number[] =>
  probabilitiesOf(attribution, texts).map(argmax)

function verdict(attribution: Attribution, text: string): Verdict {
  const question = readQuestion(attribution, text, vectorOf(text))
  return verdictOf(attribution, question, sum(logitsOf(attribution, question)))
}

/** The share of texts of which it holds. */
const share = (texts: string[], holds: (text: string) => boolean): number => texts.filter(holds).length / texts.length

describe.each([2, 3, 4])('among %d users who write differently', (k) => {
  const users = STYLES.slice(0, k).map((style, c) => write(style, 40, c))
  let attribution: Attribution

  beforeAll(() => {
    attribution = fitAttribution(setOf(users))
  })

  test('a new text is given to whose manner it has', () => {
    STYLES.slice(0, k).forEach((style, c) => {
      expect(answersOf(attribution, write(style, 10, 100 + c))).toEqual(new Array(10).fill(c))
    })
  })

  test('probabilities sum to 1 for any text', () => {
    const texts = ['x', '', '👩🏽‍🚀', '今日は', 'a\nb', 'https://t.co/abc', 'word '.repeat(500), ...write(QUIET, 3, 9)]
    for (const probabilities of probabilitiesOf(attribution, texts.filter(Boolean))) {
      expect(probabilities).toHaveLength(k)
      expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
      expect(probabilities.every((p) => p > 0 && p < 1)).toBe(true)
    }
  })

  test('most texts in the manner of one are named', () => {
    const texts = STYLES.slice(0, k).flatMap((style, c) => write(style, 10, 200 + c))
    expect(share(texts, (text) => verdict(attribution, text) === 'named')).toBeGreaterThan(0.8)
  })

  test('reliability is of every tweet, and high', () => {
    const { accuracy, confusion } = attribution.reliability
    expect(accuracy).toBeGreaterThan(0.95)
    expect(confusion.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual(new Array(k).fill(40))
  })

  test('a text in a foreign script is unlike any of them', () => {
    for (const text of ['今日はとても暑いですね。', 'مرحبا بكم في المدينة القديمة', 'Сегодня очень жарко']) {
      expect([text, verdict(attribution, text)]).toEqual([text, 'unlike any of them'])
    }
  })
})

describe('twenty tweets of each of four users', () => {
  const users = STYLES.map((style, c) => write(style, 20, 10 + c))

  test('are enough to tell manners that differ as these do', () => {
    const attribution = fitAttribution(setOf(users))
    STYLES.forEach((style, c) => {
      expect(answersOf(attribution, write(style, 5, 300 + c))).toEqual(new Array(5).fill(c))
    })
    for (const weight of attribution.weights) expect(weight).toBeGreaterThan(0)
  })

  test('are enough beside many of another, who is not preferred for that', () => {
    const attribution = fitAttribution(setOf([write(QUIET, 300, 1), write(FORMAL, 20, 2)]))
    expect(answersOf(attribution, write(QUIET, 5, 3))).toEqual(new Array(5).fill(0))
    expect(answersOf(attribution, write(FORMAL, 5, 4))).toEqual(new Array(5).fill(1))
  })
})

describe('what an attribution is made of', () => {
  const users = STYLES.map((style, c) => write(style, 30, 20 + c))
  const texts = write(LOUD, 3, 5)

  test('n-grams alone and the encoder alone each decide by themselves when the other is left out', () => {
    const set = setOf(users)
    for (const [used, unused] of [['ngrams', 'encoder'], ['encoder', 'ngrams']] as const) {
      const attribution = fitAttribution(set, used)
      const logits = logitsOfAll(attribution, texts)
      expect(logits[unused].every((z) => z === 0)).toBe(true)
      expect(attribution.heldOut[unused].every((z) => z === 0)).toBe(true)
      expect(sum(logits)).toEqual(logits[used])
      expect(answersOf(attribution, texts)).toEqual([2, 2, 2])
    }
  })

  test('the same tweets make the same attribution', () => {
    expect(fitAttribution(setOf(users))).toEqual(fitAttribution(setOf(users)))
  })

  test('a question gives the same answer after another has been read and answered', () => {
    const attribution = fitAttribution(setOf(users))
    const questions = texts.map((text) => readQuestion(attribution, text, vectorOf(text)))
    const before = questions.map((question) => logitsOf(attribution, question))
    const other = fitAttribution(setOf([write(LOUD, 40, 7), write(ASKING, 40, 8)]))
    verdict(other, 'Something else, or is it?')
    expect(questions.map((question) => logitsOf(attribution, question))).toEqual(before)
    expect(new Set(before.map(({ ngrams }) => ngrams[0])).size).toBe(texts.length)
  })

  test('held-out scores are less sure of a tweet than the model that has seen it', () => {
    const { texts, vectors, labels } = setOf(users)
    const attribution = fitAttribution({ texts, vectors, labels })
    const loss = (logits: Float64Array): number => labels.reduce((sum, c, i) => {
      const row = logits.slice(4 * i, 4 * i + 4)
      softmaxInPlace(row)
      return sum - Math.log(row[c])
    }, 0)
    expect(loss(sum(attribution.heldOut))).toBeGreaterThan(loss(sum(logitsOfAll(attribution, texts))))
  })

  test('can be put together from parts that were copied from other threads', () => {
    const { texts: all, vectors, labels } = setOf(users)
    const { counts, templates } = readTexts(all)
    const foldOf = foldsFor({ templates, labels })
    const ngrams = structuredClone(fitNgramModel({ counts: [counts], labels, foldOf }))
    const encoder = structuredClone(fitEncoderModel({ vectors: [vectors], labels, foldOf }))
    const stacked = structuredClone(stack({ ngrams: ngrams.heldOut, encoder: encoder.heldOut }, labels))
    expect(assemble(ngrams, encoder, stacked)).toEqual(fitAttribution({ texts: all, vectors, labels }))
  })
})

describe('order', () => {
  const users = [QUIET, FORMAL, LOUD].map((style, c) => write(style, 30, 30 + c))
  const texts = [...write(QUIET, 3, 6), ...write(FORMAL, 3, 7), ...write(LOUD, 3, 8), 'rain AND tea, maybe']
  let before: Float64Array[]

  beforeAll(() => {
    before = probabilitiesOf(fitAttribution(setOf(users)), texts)
  })

  test('of the users changes nothing but the order of the answer', () => {
    const order = [2, 0, 1]
    const after = probabilitiesOf(fitAttribution(setOf(order.map((c) => users[c]))), texts)
    after.forEach((row, i) => order.forEach((c, at) => expect(row[at]).toBeCloseTo(before[i][c], 2)))
  })

  test('in which users are mixed changes nothing, as long as the tweets of each keep theirs', () => {
    const { texts: all, labels } = setOf(users)
    const next = [0, 30, 60]
    const mixed = shuffled([...labels], randomNumbers(1)).map((c) => next[c]++)
    const own = mixed.map((i) => all[i])
    const set = { texts: own, vectors: vectorsOf(own), labels: Int32Array.from(mixed, (i) => labels[i]) }
    const after = probabilitiesOf(fitAttribution(set), texts)
    after.forEach((row, i) => row.forEach((p, c) => expect(p).toBeCloseTo(before[i][c], 2)))
  })

  test('of the tweets of a user changes how much each model counts, not what it says', () => {
    const plain = fitAttribution(setOf(users))
    const reversed = fitAttribution(setOf(users.map((own) => [...own].reverse())))
    const [a, b] = [plain, reversed].map((attribution) => logitsOfAll(attribution, texts))
    for (const [m, model] of (['ngrams', 'encoder'] as const).entries()) {
      a[model].forEach((z, p) => expect(b[model][p] / reversed.weights[m]).toBeCloseTo(z / plain.weights[m], 1))
    }
    expect(answersOf(reversed, texts.slice(0, 9))).toEqual(answersOf(plain, texts.slice(0, 9)))
  })
})

describe('any script: two manners are told apart', () => {
  const japanese = ['今日', '明日', '電車', '雨', '猫', '仕事', '東京', '音楽', '映画', 'お茶', '朝ごはん', '図書館', '天気', '友達']
  const arabic = [
    'القهوة', 'المطر', 'القطار', 'الكتاب', 'المدينة', 'البحر', 'الليل', 'الصباح', 'العمل', 'الموسيقى', 'البيت', 'الطريق'
  ]
  const emoji = ['🌱', '🌙', '☕️', '🐈', '🥐', '🧦', '🌧️', '🚲', '👩🏽‍🚀', '🎉', '🔥', '🇯🇵']

  test.each<[string, string[], Style, Style]>([
    ['Japanese', japanese, (w) => `${w.join('と')}ですね。`, (w) => `${w.join('も')}だよwww`],
    ['Arabic', arabic, (w) => `${w.join(' و')} اليوم؟`, (w) => `${w.join('، ')} يا سلام!!`],
    ['emoji alone', emoji, (w) => w.join(''), (w) => [...w, ...w].join(' ')],
    ['one script and another', japanese, (w) => w.join('と'), (w) => w.map((word) => arabic[word.length]).join(' ')]
  ])('%s', (_, words, one, other) => {
    const attribution = fitAttribution(setOf([write(one, 30, 1, words), write(other, 30, 2, words)]))
    const texts = [...write(one, 10, 3, words), ...write(other, 10, 4, words)]
    const right = answersOf(attribution, texts).filter((answer, i) => answer === Number(i >= 10)).length
    expect(right).toBeGreaterThanOrEqual(19)
    expect(attribution.reliability.accuracy).toBeGreaterThan(0.9)
  })
})

describe('probabilities can be believed', () => {
  test('where a fifth of the tweets are by somebody else than it says', () => {
    const random = randomNumbers(12)
    const noisy = (n: number, seed: number): Parameters<typeof fitAttribution>[0] => {
      const set = setOf(STYLES.map((style, c) => write(style, n, seed + c)))
      const from = set.labels.slice()
      const chosen = shuffled([...from.keys()], random).slice(0, from.length / 5)
      const given = shuffled(chosen, random)
      chosen.forEach((i, at) => (set.labels[i] = from[given[at]]))
      return set
    }
    const attribution = fitAttribution(noisy(60, 40))
    const { texts, labels } = noisy(150, 50)
    const answers = probabilitiesOf(attribution, texts)
    const accuracy = answers.filter((p, i) => argmax(p) === labels[i]).length / texts.length
    const confidence = answers.reduce((sum, p) => sum + p[argmax(p)], 0) / texts.length
    expect(accuracy).toBeGreaterThan(0.75)
    expect(accuracy).toBeLessThan(0.92)
    expect(Math.abs(confidence - accuracy)).toBeLessThan(0.06)
    expect(Math.abs(attribution.reliability.accuracy - accuracy)).toBeLessThan(0.08)
  })

  test('where nothing is to be known, they are near chance', () => {
    const attribution = fitAttribution(setOf([write(QUIET, 80, 61), write(QUIET, 80, 62)]))
    const answers = probabilitiesOf(attribution, write(QUIET, 60, 63))
    const confidence = answers.reduce((sum, p) => sum + Math.max(...p), 0) / 60
    expect(confidence).toBeLessThan(0.65)
  })
})

describe('declining', () => {
  test('is for two who write alike: too close to call', () => {
    const attribution = fitAttribution(setOf([write(QUIET, 80, 71), write(QUIET, 80, 72)]))
    expect(attribution.reliability.closeMargin).toBeGreaterThan(0)
    const close = (text: string): boolean => verdict(attribution, text) === 'too close to call'
    expect(share(write(QUIET, 40, 73), close)).toBeGreaterThan(0.7)
  })

  test('between two who write alike does not keep a third from being named', () => {
    const attribution = fitAttribution(setOf([write(QUIET, 80, 71), write(QUIET, 80, 72), write(LOUD, 80, 73)]))
    expect(share(write(LOUD, 20, 74), (text) => verdict(attribution, text) === 'named')).toBeGreaterThan(0.8)
    const close = (text: string): boolean => verdict(attribution, text) === 'too close to call'
    expect(share(write(QUIET, 20, 75), close)).toBeGreaterThan(0.6)
  })

  test('is seldom for their own manner as unlike any of them, and often for a stranger\'s', () => {
    const attribution = fitAttribution(setOf([write(QUIET, 80, 81), write(FORMAL, 80, 82)]))
    const unlike = (text: string): boolean => verdict(attribution, text) === 'unlike any of them'
    expect(share([...write(QUIET, 50, 83), ...write(FORMAL, 50, 84)], unlike)).toBeLessThan(0.2)
    expect(share(write(LOUD, 50, 85), unlike)).toBeGreaterThan(0.9)
  })

  test('is for a text without anything that they write', () => {
    const attribution = fitAttribution(setOf([write(QUIET, 30, 91), write(FORMAL, 30, 92)]))
    expect(verdict(attribution, '§¶')).toBe('unlike any of them')
  })
})

describe('odd tweets', () => {
  test('that are all the same, by everybody, are too close to call', () => {
    const same = new Array<string>(20).fill('good morning everybody')
    const attribution = fitAttribution(setOf([same, same]))
    const [probabilities] = probabilitiesOf(attribution, ['good morning everybody'])
    expect(probabilities[0]).toBeCloseTo(0.5, 3)
    expect(verdict(attribution, 'good morning everybody')).toBe('too close to call')
    expect(attribution.weights.every(Number.isFinite)).toBe(true)
  })

  test('that are all the same, by one user, are known as that user\'s', () => {
    const same = new Array<string>(20).fill('good morning everybody')
    const attribution = fitAttribution(setOf([same, write(LOUD, 20, 1)]))
    expect(answersOf(attribution, ['good morning everybody', ...write(LOUD, 3, 2)])).toEqual([0, 1, 1, 1])
    expect(attribution.reliability.accuracy).toBe(1)
  })

  test('of a few templates in turn are judged held out as well as others', () => {
    const openings = [
      'Now playing:', 'Coming up soon:', 'Weather report:', 'Traffic update:', 'Thought of the day:', 'Tonight at nine:'
    ]
    const announced = (text: string, i: number): string => `${openings[i % openings.length]} ${text}`
    const station = write((words) => words.join(' '), 60, 95).map(announced)
    expect(fitAttribution(setOf([station, write(LOUD, 60, 96)])).reliability.accuracy).toBeGreaterThan(0.95)
  })

  test('of a single character each are told apart', () => {
    const attribution = fitAttribution(setOf([new Array<string>(20).fill('x'), new Array<string>(20).fill('!')]))
    expect(answersOf(attribution, ['x', '!'])).toEqual([0, 1])
  })
})
