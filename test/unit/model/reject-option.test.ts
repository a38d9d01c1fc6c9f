import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { transposed, type SparseRows } from '../../../src/regression/sparse-matrix.js'
import { withGramMatrix } from '../../../src/regression/gram-matrix.js'
import { ngramsOf } from '../../../src/text/ngrams.js'
import { bestTwo, noveltyThresholdOf, reliabilityOf, similarityToNearest } from '../../../src/model/reject-option.js'
import { chooseColumns, countNgrams, knownShares, tfidfRows } from '../../../src/model/tfidf.js'

const random = randomNumbers(11)

/** Sparse rows of length 1, about `filled` of their columns filled. */
function randomRows(rows: number, columns: number, filled: number): SparseRows {
  const plain = Array.from({ length: rows }, () => {
    const row = Array.from({ length: columns }, () => (random() < filled ? random() + 0.1 : 0))
    const length = Math.hypot(...row) || 1
    return row.map((x) => x / length)
  })
  const filledIn = plain.map((row) => row.flatMap((x, j) => (x ? [{ x, j }] : [])))
  const starts = Int32Array.of(0, ...filledIn.map((_, i) => filledIn.slice(0, i + 1).flat().length))
  const all = filledIn.flat()
  const indices = Int32Array.from(all, ({ j }) => j)
  return { rows, columns, starts, indices, values: Float32Array.from(all, ({ x }) => x) }
}

const thresholdOf = (rows: SparseRows, known: (row: number) => number, labels: Int32Array): number =>
  withGramMatrix(rows, (gram) => noveltyThresholdOf(gram, known, labels))

function rowOf(rows: SparseRows, i: number): Float32Array {
  const row = new Float32Array(rows.columns)
  for (let p = rows.starts[i]; p < rows.starts[i + 1]; p++) row[rows.indices[p]] = rows.values[p]
  return row
}

/** Row i alone. */
function alone({ columns, starts, indices, values }: SparseRows, i: number): SparseRows {
  const [start, end] = [starts[i], starts[i + 1]]
  return { rows: 1, columns, starts: Int32Array.of(0, end - start), indices: indices.slice(start, end), values: values.slice(start, end) }
}

/** The mean of the five largest cosines, plainly. */
function plainNearness(rows: SparseRows, row: Float32Array, skip = -1): number {
  const cosines = Array.from({ length: rows.rows }, (_, i) => rowOf(rows, i).reduce((sum, x, j) => sum + x * row[j], 0))
  const others = cosines.filter((_, i) => i !== skip).sort((a, b) => b - a)
  return others.slice(0, 5).reduce((sum, cosine) => sum + cosine, 0) / 5
}

describe('the reliability of held-out answers', () => {
  const logits = Float64Array.of(
    3, 1, 0, // by 0, given to 0
    0, 2, 1, // by 0, given to 1
    1, 4, 2, // by 1, given to 1
    0, 1, 5, // by 1, given to 2
    0, 1, 2, // by 2, given to 2
    9, 1, 2 // by 2, given to 0
  )
  const labels = Int32Array.of(0, 0, 1, 1, 2, 2)

  test('counts who is taken for whom', () => {
    expect(reliabilityOf(logits, labels).confusion).toEqual([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
  })

  test('is right for the share that was given to the right user', () => {
    expect(reliabilityOf(logits, labels).accuracy).toBe(0.5)
  })

  test('has rows that sum to the tweets of each user, of whatever number', () => {
    const labels = Int32Array.from({ length: 60 }, (_, i) => (i < 10 ? 0 : i < 40 ? 1 : 2))
    const { confusion, accuracy } = reliabilityOf(Float64Array.from({ length: 180 }, random), labels)
    expect(confusion.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual([10, 30, 20])
    expect(accuracy).toBeCloseTo((confusion[0][0] + confusion[1][1] + confusion[2][2]) / 60, 12)
  })
})

describe('the margin that is a coin flip', () => {
  /** The largest margin such that of the duels up to it, ten or more, the best of two wins six in ten at most. */
  function plainMargin(logits: Float64Array, labels: Int32Array): number {
    const k = logits.length / labels.length
    const duels = [...labels].flatMap((truth, i) => {
      const ranked = [...logits.subarray(i * k, i * k + k)].map((z, c) => ({ z, c })).sort((p, q) => q.z - p.z)
      const [best, second] = ranked
      return [best.c, second.c].includes(truth) ? [{ margin: best.z - second.z, won: best.c === truth }] : []
    })
    const flips = duels.filter(({ margin: most }) => {
      const within = duels.filter(({ margin }) => margin <= most)
      return within.length >= 10 && within.filter(({ won }) => won).length / within.length <= 0.6
    })
    return Math.max(0, ...flips.map(({ margin }) => margin))
  }

  const noisy = (n: number, k: number, help: number): { logits: Float64Array; labels: Int32Array } => {
    const labels = Int32Array.from({ length: n }, (_, i) => i % k)
    const helps = (p: number): boolean => p % k === labels[Math.floor(p / k)]
    const logits = Float64Array.from({ length: n * k }, (_, p) => random() + (helps(p) ? help : 0))
    return { logits, labels }
  }

  test.each([[2, 0], [2, 0.1], [2, 0.3], [3, 0], [3, 0.2], [4, 0.1], [4, 0.4]])(
    'is what its definition says for %d users and logits that help by %d', (k, help) => {
      for (let round = 0; round < 5; round++) {
        const { logits, labels } = noisy(120, k, help)
        expect(reliabilityOf(logits, labels).closeMargin).toBe(plainMargin(logits, labels))
      }
    }
  )

  test('counts answers of one margin together, whatever their order', () => {
    for (let round = 0; round < 20; round++) {
      const { logits, labels } = noisy(60, 2, 0.2)
      const rounded = logits.map((z) => Math.round(4 * z) / 4)
      expect(reliabilityOf(rounded, labels).closeMargin).toBe(plainMargin(rounded, labels))
    }
  })

  test('is above 0 where labels have nothing to do with the logits', () => {
    const { logits, labels } = noisy(400, 2, 0)
    expect(reliabilityOf(logits, labels).closeMargin).toBeGreaterThan(0.3)
  })

  test('is 0 where the best of two always wins', () => {
    const { logits, labels } = noisy(100, 3, 2)
    expect(reliabilityOf(logits, labels)).toMatchObject({ accuracy: 1, closeMargin: 0 })
  })

  test('is 0 where there were too few such answers to say', () => {
    const { logits, labels } = noisy(9, 2, 0)
    expect(reliabilityOf(logits.map((z, p) => (p % 2 === labels[p >> 1] ? -z : z)), labels).closeMargin).toBe(0)
  })

  test('takes no notice of answers whose true user is not among the best two', () => {
    const labels = new Int32Array(40)
    const logits = Float64Array.from({ length: 120 }, (_, p) => (p % 3 === 0 ? -10 : (p % 3) + random() / 10))
    expect(reliabilityOf(logits, labels)).toMatchObject({ accuracy: 0, closeMargin: 0 })
  })
})

describe('the best two', () => {
  test.each([
    [[1, 2], [1, 0]], [[2, 1], [0, 1]], [[0, 5, 3, 4], [1, 3]], [[-3, -1, -2], [1, 2]], [[4, 3, 2, 1], [0, 1]]
  ])('of %j are %j', (z, best) => {
    expect(bestTwo(z)).toEqual(best)
  })

  test('are two different ones where all are equal', () => {
    expect(new Set(bestTwo([1, 1, 1])).size).toBe(2)
  })
})

describe('the similarity to the nearest tweets', () => {
  test.each([0.05, 0.3, 0.9])('is the mean cosine to the five nearest rows, of rows filled to %d', (filled) => {
    const rows = randomRows(40, 30, filled)
    for (const i of [0, 7, 39]) {
      expect(similarityToNearest(transposed(rows), alone(rows, i))).toBeCloseTo(plainNearness(rows, rowOf(rows, i)), 6)
    }
  })

  test('is 1 for what is there five times, and 0 for what shares nothing', () => {
    const counts = countNgrams([...new Array<string>(5).fill('over and over'), 'zzz', 'zzz'])
    const columns = chooseColumns(counts).columns
    const rows = tfidfRows(counts, columns)
    expect(similarityToNearest(transposed(rows), alone(rows, 0))).toBeCloseTo(1, 6)
    expect(similarityToNearest(transposed(rows), tfidfRows(countNgrams(['']), columns))).toBe(0)
  })

  test('counts a neighbour that is missing as one that shares nothing', () => {
    const rows = randomRows(2, 4, 1)
    expect(similarityToNearest(transposed(rows), alone(rows, 0))).toBeCloseTo(plainNearness(rows, rowOf(rows, 0)), 6)
    expect(similarityToNearest(transposed(rows), alone(rows, 0))).toBeLessThanOrEqual(0.4)
  })
})

describe('the threshold of what is unlike any of them', () => {
  const all = (n: number): Float32Array => new Float32Array(n).fill(1)

  /** How near each tweet is to the others, plainly. */
  const nearnesses = (rows: SparseRows, known: Float32Array): number[] =>
    Array.from(known, (share, i) => share * plainNearness(rows, rowOf(rows, i), i))

  const outside = (rows: SparseRows, known: Float32Array, threshold: number): number =>
    nearnesses(rows, known).filter((near) => near < threshold - 1e-9).length

  test.each([
    ['all of each tweet is known', all(200)],
    ['some of each is new', Float32Array.from({ length: 200 }, random)]
  ])('leaves just 5 in 100 of the tweets outside, where all are looked at and %s', (_, known) => {
    const rows = randomRows(200, 60, 0.15)
    const labels = Int32Array.from({ length: 200 }, (_, i) => i % 4)
    expect(outside(rows, known, thresholdOf(rows, (i) => known[i], labels))).toBe(10)
  })

  test('leaves about 5 in 100 of the tweets outside, where a sample is looked at', () => {
    const rows = randomRows(600, 60, 0.15)
    const labels = Int32Array.from({ length: 600 }, (_, i) => (i < 100 ? 0 : i < 300 ? 1 : 2))
    const share = outside(rows, all(600), thresholdOf(rows, () => 1, labels)) / 600
    expect(share).toBeGreaterThan(0.015)
    expect(share).toBeLessThan(0.1)
  })

  test('is the lowest similarity where there are fewer than twenty', () => {
    const rows = randomRows(12, 20, 0.3)
    const labels = Int32Array.from({ length: 12 }, (_, i) => i % 2)
    expect(thresholdOf(rows, () => 1, labels)).toBeCloseTo(Math.min(...nearnesses(rows, all(12))), 6)
  })

  test('is 1 where all tweets are the same', () => {
    const counts = countNgrams(new Array<string>(30).fill('the same'))
    const rows = tfidfRows(counts, chooseColumns(counts).columns)
    expect(thresholdOf(rows, () => 1, Int32Array.from({ length: 30 }, (_, i) => i % 2))).toBeCloseTo(1, 6)
  })
})

describe('how much of a text is known', () => {
  const texts = ['hello there', 'hell no', 'oh no no no', 'there, there', 'zzz', 'no']

  /** The length of what at least two texts of `others` have as well, over the length of all, by n-grams' places. */
  function plainShare(text: string, others: string[]): number {
    const bucketsOf = (of: string): number[] => [...ngramsOf(of).buckets]
    const have = (bucket: number, among: string[]): number =>
      among.filter((of) => bucketsOf(of).includes(bucket)).length
    const squares = [...new Set(bucketsOf(text))].map((bucket) => {
      const isKnown = have(bucket, others) >= 2
      const idf = (1 + Math.log((1 + texts.length) / (1 + (isKnown ? have(bucket, texts) : 0)))) ** 1.5
      const count = bucketsOf(text).filter((other) => other === bucket).length
      return { isKnown, square: ((1 + Math.log(count)) * idf) ** 2 }
    })
    const sum = (of: typeof squares): number => of.reduce((total, { square }) => total + square, 0)
    return Math.sqrt(sum(squares.filter(({ isKnown }) => isKnown)) / sum(squares))
  }

  test('is the weight of its n-grams that two others have, each of their own tweets left out of the count', () => {
    const counts = countNgrams(texts)
    const shares = knownShares(counts, chooseColumns(counts).columns, true)
    texts.forEach((text, i) => {
      expect(shares(i)).toBeCloseTo(plainShare(text, texts.filter((_, other) => other !== i)), 5)
    })
    expect(shares(1)).toBeGreaterThan(shares(4))
  })

  test('is the weight of its n-grams that two of them have, for a new text', () => {
    const columns = chooseColumns(countNgrams(texts)).columns
    const asked = ['hello', 'no zebra', '§¶', 'there there']
    const shares = knownShares(countNgrams(asked), columns, false)
    asked.forEach((text, i) => expect(shares(i)).toBeCloseTo(plainShare(text, texts), 5))
    expect(shares(2)).toBe(0)
  })

  test('is 1 for what all have, and 0 for an empty text', () => {
    const counts = countNgrams(['same', 'same', 'same', ''])
    expect([0, 1, 2, 3].map(knownShares(counts, chooseColumns(counts).columns, true))).toEqual([1, 1, 1, 0])
  })
})
