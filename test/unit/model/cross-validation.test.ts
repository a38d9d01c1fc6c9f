import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { foldsOf as foldsOfTemplates, heldOutLogits, templateOf } from '../../../src/model/cross-validation.js'
import { SoftmaxRegression } from '../../../src/regression/softmax-regression.js'
import { denseRows } from '../../support/dense-rows.js'

const FOLDS = 5

const foldsOf = (texts: string[], labels: Int32Array, folds: number): Int32Array => foldsOfTemplates(texts.map(templateOf), labels, folds)

/** Texts of one user, each of which begins in its own way. */
const different = (n: number, user = ''): string[] =>
  Array.from({ length: n }, (_, i) => `${String.fromCodePoint(0x4e00 + i)}${i} unlike the others ${user}`)

/** The labels of users with these many tweets each, one user after the other. */
const labelsOf = (...sizes: number[]): Int32Array =>
  Int32Array.from(sizes.flatMap((n, c) => new Array<number>(n).fill(c)))

/** How many of user c's tweets are in each fold. */
const sizesOf = (folds: Int32Array, labels: Int32Array, c: number): number[] =>
  Array.from({ length: FOLDS }, (_, fold) => folds.filter((f, i) => f === fold && labels[i] === c).length)

describe('folds', () => {
  test('hold every tweet once, as many of each user in each', () => {
    const labels = labelsOf(40, 25)
    const folds = foldsOf([...different(40), ...different(25)], labels, FOLDS)
    expect(folds).toHaveLength(65)
    expect(sizesOf(folds, labels, 0)).toEqual([8, 8, 8, 8, 8])
    expect(sizesOf(folds, labels, 1)).toEqual([5, 5, 5, 5, 5])
  })

  test('differ by one tweet at most where they cannot be of one size', () => {
    const labels = labelsOf(23, 42)
    const folds = foldsOf([...different(23), ...different(42)], labels, FOLDS)
    for (const c of [0, 1]) {
      const sizes = sizesOf(folds, labels, c)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBe(1)
    }
  })

  test('are blocks of consecutive tweets of a user, however the users are mixed', () => {
    const labels = Int32Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 0 : 1))
    const folds = foldsOf(different(60), labels, FOLDS)
    for (const c of [0, 1]) {
      const own = [...folds].filter((_, i) => labels[i] === c)
      expect(own).toEqual([...own].sort((a, b) => a - b))
      expect(new Set(own).size).toBe(FOLDS)
    }
  })

  test('keep tweets of one template together, with the first of them', () => {
    const texts = different(40)
    for (const i of [3, 17, 22, 39]) texts[i] = `Now playing: song number ${i}`
    const folds = foldsOf(texts, labelsOf(40), FOLDS)
    const others = foldsOf(different(40), labelsOf(40), FOLDS)
    expect([3, 17, 22, 39].map((i) => folds[i])).toEqual([0, 0, 0, 0])
    texts.forEach((text, i) => !text.startsWith('Now') && expect(folds[i]).toBe(others[i]))
  })

  test('take texts for one template whose beginnings differ in case, spaces and links only', () => {
    const texts = different(40)
    texts[2] = 'https://t.co/abc Now   PLAYING this one'
    texts[38] = 'now playing that one'
    const folds = foldsOf(texts, labelsOf(40), FOLDS)
    expect(folds[38]).toBe(folds[2])
  })

  test("keep a template of one user apart from another's that is the same", () => {
    const texts = [...different(20), ...different(20)]
    texts[0] = texts[39] = 'Good morning everybody'
    const folds = foldsOf(texts, labelsOf(20, 20), FOLDS)
    expect([folds[0], folds[39]]).toEqual([0, 4])
  })

  test('hold no more than twice their share of a user whose tweets are all of one template', () => {
    const texts = Array.from({ length: 40 }, (_, i) => `Now playing: song number ${i}`)
    const folds = foldsOf(texts, labelsOf(40), FOLDS)
    expect([...folds.slice(0, 16)]).toEqual(Array(16).fill(0))
    expect(Math.max(...sizesOf(folds, labelsOf(40), 0))).toBe(16)
  })

  test('never hold all tweets of a user, also where all are of a few templates in turn', () => {
    for (const templates of [2, 3, 5, 6, 8, 10, 20]) {
      const opening = (i: number): string => 'abcdefghijklmnopqrst'[i % templates]
      const texts = Array.from({ length: 40 }, (_, i) => `${opening(i)} and so on, number ${i}`)
      const labels = labelsOf(40)
      const largest = Math.max(...sizesOf(foldsOf(texts, labels, FOLDS), labels, 0))
      expect(largest, `of ${templates} templates`).toBeLessThanOrEqual(20)
    }
  })

  test.each([1, 2, 3, 4, 6, 7])('give %d tweets, fewer than folds or hardly more, a fold each', (n) => {
    const folds = foldsOf(different(n), labelsOf(n), FOLDS)
    expect(folds.every((fold) => fold >= 0 && fold < FOLDS)).toBe(true)
    expect(new Set(folds).size).toBe(Math.min(n, FOLDS))
  })

  test('of no tweets are none', () => {
    expect(foldsOf([], new Int32Array(0), FOLDS)).toEqual(new Int32Array(0))
  })

  test('are the same for the same tweets', () => {
    const texts = different(30).map((text, i) => (i % 4 ? text : `Now playing: ${text}`))
    expect(foldsOf(texts, labelsOf(15, 15), FOLDS)).toEqual(foldsOf(texts, labelsOf(15, 15), FOLDS))
  })
})

describe('held-out logits', () => {
  const n = 30
  const random = randomNumbers(7)
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3)
  const vectors = Float32Array.from({ length: n * 4 }, (_, p) => random() + Number(p % 4 === labels[Math.floor(p / 4)]))
  const rows = denseRows(vectors, n)
  const foldOf = Int32Array.from({ length: n }, (_, i) => Math.floor(i / 6))

  const trained = (y: Int32Array, rowWeights: Float64Array): SoftmaxRegression => {
    const model = new SoftmaxRegression({ penalty: 1, intercept: true, tolerance: 1e-9 })
    model.train(rows, y, { rowWeights })
    return model
  }
  const heldOut = (y: Int32Array): Float64Array => heldOutLogits(y, foldOf, (weights) => trained(y, weights).logits(rows))
  const rowOf = (logits: Float64Array, i: number): number[] => Array.from(logits.subarray(3 * i, 3 * i + 3))

  test('are by a model that leaves the whole fold out and no other row', () => {
    const kept: number[][] = []
    heldOutLogits(labels, foldOf, (weights) => {
      kept.push(Array.from(weights.keys()).filter((i) => weights[i] > 0))
      return trained(labels, weights).logits(rows)
    })
    const all = Array.from({ length: n }, (_, i) => i)
    expect(kept).toEqual([0, 1, 2, 3, 4].map((fold) => all.filter((i) => foldOf[i] !== fold)))
  })

  test('are what a model of the other rows alone gives', () => {
    const logits = heldOut(labels)
    for (const fold of [0, 3]) {
      const others = Array.from({ length: n }, (_, i) => i).filter((i) => foldOf[i] !== fold)
      const model = new SoftmaxRegression({ penalty: 1, intercept: true, tolerance: 1e-9 })
      const matrix = Float32Array.from(others.flatMap((i) => [...vectors.subarray(4 * i, 4 * i + 4)]))
      model.train(denseRows(matrix, others.length), Int32Array.from(others, (i) => labels[i]))
      const expected = model.logits(rows)
      for (let i = 0; i < n; i++) {
        if (foldOf[i] !== fold) continue
        rowOf(logits, i).forEach((z, c) => expect(z).toBeCloseTo(expected[3 * i + c], 4))
      }
    }
  })

  test('of a row do not change when the labels of two rows of its fold are exchanged', () => {
    const exchanged = labels.slice()
    ;[exchanged[6], exchanged[7]] = [labels[7], labels[6]]
    const before = heldOut(labels)
    const after = heldOut(exchanged)
    for (let i = 6; i < 12; i++) {
      rowOf(after, i).forEach((z, c) => expect(z).toBeCloseTo(rowOf(before, i)[c], 6))
    }
    expect(rowOf(after, 0)).not.toEqual(rowOf(before, 0))
  })

  test.each([0, 8, 29])('of row %d do not change with its own label', (i) => {
    const before = heldOut(labels)
    for (const other of [1, 2]) {
      const changed = labels.slice()
      changed[i] = (labels[i] + other) % 3
      const after = heldOut(changed)
      rowOf(after, i).forEach((z, c) => expect(z).toBeCloseTo(rowOf(before, i)[c], 6))
    }
  })

  test('say nothing right of labels that have nothing to do with the rows', () => {
    const noise = randomNumbers(3)
    const many = 300
    const y = Int32Array.from({ length: many }, () => Math.floor(noise() * 2))
    const x = denseRows(Float32Array.from({ length: many * 8 }, () => noise() - 0.5), many)
    const folds = Int32Array.from({ length: many }, (_, i) => i % FOLDS)
    const fit = (rowWeights: Float64Array): Float64Array => {
      const model = new SoftmaxRegression({ penalty: 0.1, intercept: true })
      model.train(x, y, { rowWeights })
      return model.logits(x)
    }
    const logits = heldOutLogits(y, folds, fit)
    const right = y.filter((c, i) => logits[2 * i + c] > logits[2 * i + 1 - c]).length / many
    expect(Math.abs(right - 0.5)).toBeLessThan(0.1)
  })
})
