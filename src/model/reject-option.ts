// How reliable the answers are, by held-out answers on the candidates' own tweets, and when to give none (the reject
// option): where the best two candidates are too close, and where the text is unlike the tweets of all (novelty).

import type { GramMatrix } from '../regression/gram-matrix.js'
import { argmax } from '../regression/softmax.js'
import type { SparseRows } from '../regression/sparse-matrix.js'

const COIN_FLIP = 0.6 // where the better of two wins no more often than this, it counts as a coin flip
const MIN_DUELS = 10
const FALSE_ALARMS = 0.05 // share of the candidates' own tweets below the novelty threshold
const NEIGHBOURS = 5
const SAMPLE = 50 // tweets of each user that set the threshold: more only take longer

export interface Reliability {
  /** The share of the held-out tweets that were given to the right user. */
  accuracy: number
  /** k×k counts: confusion[truth][answer]. */
  confusion: number[][]
  /** Answers whose best two logits differ by no more than this are too close to call. */
  closeMargin: number
}

/** How reliable answers by n×k held-out logits are. */
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
    const isLast = duels[i + 1]?.margin !== duel.margin // duels of one margin count together
    if (isLast && i + 1 >= MIN_DUELS && won / (i + 1) <= COIN_FLIP) margin = duel.margin
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
 * How similar a text is to the tweets: the mean cosine to its nearest ones (k nearest neighbours, Dasarathy 1977, as used
 * to find outliers by Ramaswamy et al. 2000, "Efficient Algorithms for Mining Outliers from Large Data Sets", section 2).
 * @param columns the tweets' tf–idf by the column: row j has the tweets with the n-gram of column j
 * @param row the text's tf–idf, one row
 */
export function similarityToNearest(columns: SparseRows, row: SparseRows): number {
  const cosines = new Float32Array(columns.columns)
  for (let p = 0; p < row.values.length; p++) {
    const value = row.values[p]
    const end = columns.starts[row.indices[p] + 1]
    for (let q = columns.starts[row.indices[p]]; q < end; q++) cosines[columns.indices[q]] += value * columns.values[q]
  }
  return meanOfNearest(cosines)
}

/** @param skip the row itself, which is not its own neighbour */
function meanOfNearest(cosines: Float32Array, skip = -1): number {
  const nearest = new Float64Array(NEIGHBOURS) // highest first
  for (let i = 0; i < cosines.length; i++) {
    if (cosines[i] <= nearest[NEIGHBOURS - 1] || i === skip) continue
    let m = NEIGHBOURS - 1
    for (; m > 0 && nearest[m - 1] < cosines[i]; m--) nearest[m] = nearest[m - 1]
    nearest[m] = cosines[i]
  }
  return nearest.reduce((sum, cosine) => sum + cosine, 0) / NEIGHBOURS
}

/**
 * The novelty threshold: the similarity to their nearest that 95 in 100 of the candidates' own tweets reach. A text below
 * it is unlike any of them.
 * @param gram the cosines of the tweets' tf–idf rows
 * @param known how much of each tweet is n-grams that others have too: what is new to all resembles none of them
 */
export function noveltyThresholdOf(gram: GramMatrix, known: (row: number) => number, labels: Int32Array): number {
  const all = sampleOf(labels).map((i) => known(i) * meanOfNearest(gram.row(i), i))
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
