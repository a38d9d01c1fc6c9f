// How far an answer can be trusted, out of held-out answers on the candidates' own tweets: how often it is right, whom
// it takes for whom, and when it had better decline.

import type { Gram } from '../regression/gram-matrix.js'
import { argmax } from '../regression/softmax-regression.js'
import type { SparseRows } from '../regression/sparse-matrix.js'

const COIN_FLIP = 0.6 // the best of two that wins less often than this is no better than a coin flip
const FEWEST_FLIPS = 10
const FALSE_ALARMS = 0.05
const NEIGHBOURS = 5
const SAMPLE = 50 // tweets of each user whose distances set the threshold; more would only take longer

export interface Reliability {
  /** The share of their own tweets, held out, that were given to the right user. */
  accuracy: number
  /** k×k counts: confusion[truth][answer]. */
  confusion: number[][]
  /** Answers whose best two logits differ by no more than this are too close to call. */
  closeMargin: number
}

/** What n×k held-out logits say of the answers. */
export function reliabilityOf(logits: Float64Array, labels: Int32Array): Reliability {
  const k = logits.length / labels.length
  const confusion = Array.from({ length: k }, () => new Array<number>(k).fill(0))
  const duels: { margin: number; won: boolean }[] = []
  labels.forEach((truth, i) => {
    const z = logits.subarray(i * k, i * k + k)
    const [best, second] = bestTwo(z)
    confusion[truth][best]++
    if (truth === best || truth === second) duels.push({ margin: z[best] - z[second], won: truth === best })
  })
  const right = confusion.reduce((sum, row, c) => sum + row[c], 0)
  return { accuracy: right / labels.length, confusion, closeMargin: closeMarginOf(duels) }
}

/** The largest margin below which the best of two wins no more often than a coin flip; 0 where it always does. */
function closeMarginOf(duels: { margin: number; won: boolean }[]): number {
  let won = 0
  let margin = 0
  duels.sort((a, b) => a.margin - b.margin)
  duels.forEach((duel, i) => {
    won += Number(duel.won)
    const isLast = duels[i + 1]?.margin !== duel.margin // of those with this margin, which count together
    if (isLast && i + 1 >= FEWEST_FLIPS && won / (i + 1) <= COIN_FLIP) margin = duel.margin
  })
  return margin
}

/** The classes of the largest and the second largest logit. */
export function bestTwo(z: ArrayLike<number>): [number, number] {
  const best = argmax(z)
  let second = best === 0 ? 1 : 0
  for (let c = 0; c < z.length; c++) if (c !== best && z[c] > z[second]) second = c
  return [best, second]
}

/**
 * How near a text is to the users' tweets: the mean cosine to its nearest ones (Dasarathy 1977's k nearest neighbours,
 * as used to tell novel samples by Ramaswamy et al. 2000, "Efficient Algorithms for Mining Outliers", section 2).
 * @param columns the tweets' n-grams by the column: its row j has the tweets with the n-gram of column j
 * @param row the text's, one row
 */
export function nearness(columns: SparseRows, row: SparseRows): number {
  const cosines = new Float32Array(columns.columns)
  for (let p = 0; p < row.values.length; p++) {
    const value = row.values[p]
    const end = columns.starts[row.indices[p] + 1]
    for (let q = columns.starts[row.indices[p]]; q < end; q++) cosines[columns.indices[q]] += value * columns.values[q]
  }
  return meanOfNearest(cosines)
}

/** @param skip a row that is not to be its own neighbour */
function meanOfNearest(cosines: Float32Array, skip = -1): number {
  const nearest = new Float64Array(NEIGHBOURS) // the nearest first
  for (let i = 0; i < cosines.length; i++) {
    if (cosines[i] <= nearest[NEIGHBOURS - 1] || i === skip) continue
    let m = NEIGHBOURS - 1
    for (; m > 0 && nearest[m - 1] < cosines[i]; m--) nearest[m] = nearest[m - 1]
    nearest[m] = cosines[i]
  }
  return nearest.reduce((sum, cosine) => sum + cosine, 0) / NEIGHBOURS
}

/**
 * The nearness that all but 5 in 100 of the users' own tweets have to the others: what is farther is unlike any of them.
 * @param gram the cosines of the tweets' n-grams
 * @param known how much of each tweet is n-grams that others have as well; what is new to all is near to none
 */
export function nearnessThreshold({ n, values }: Gram, known: (row: number) => number, labels: Int32Array): number {
  const all = sampleOf(labels).map((i) => known(i) * meanOfNearest(values.subarray(i * n, (i + 1) * n), i))
  return all.sort((a, b) => a - b)[Math.floor(all.length * FALSE_ALARMS)]
}

/** Up to SAMPLE rows of each class, evenly spread. */
function sampleOf(labels: Int32Array): number[] {
  const rowsOf = new Map<number, number[]>()
  labels.forEach((c, i) => {
    if (!rowsOf.has(c)) rowsOf.set(c, [])
    rowsOf.get(c)!.push(i)
  })
  return [...rowsOf.values()].flatMap((rows) => {
    const size = Math.min(SAMPLE, rows.length)
    return Array.from({ length: size }, (_, n) => rows[Math.floor((n * rows.length) / size)])
  })
}
