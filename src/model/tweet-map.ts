// A map of the candidates' tweets: the plane on which their logits differ most (principal components), so that tweets
// that the models tell apart lie apart on the page.

import { principalPlane, project, type Plane } from './pca.js'
import type { Logits } from './stacking.js'

export interface TweetMap {
  plane: Plane
  /** n×2: where each tweet lies on the plane. */
  places: Float64Array
}

/** The map of n tweets by their logits. */
export function mapOf(logits: Logits, n: number): TweetMap {
  const rows = Array.from({ length: n }, (_, i) => centredRow(logits, i, n))
  const plane = principalPlane(rows)
  return { plane, places: Float64Array.from(rows.flatMap((row) => project(plane, row))) }
}

/** Where the text with these logits lies (one row). */
export function placeOn({ plane }: TweetMap, logits: Logits): [number, number] {
  return project(plane, centredRow(logits, 0, 1))
}

/** Row i of both models' logits, each relative to its mean over the candidates, side by side. */
function centredRow({ ngrams, encoder }: Logits, i: number, n: number): Float64Array {
  const k = ngrams.length / n
  const row = new Float64Array(2 * k)
  for (const [at, logits] of [[0, ngrams], [k, encoder]] as const) {
    let sum = 0
    for (let c = 0; c < k; c++) sum += logits[i * k + c]
    for (let c = 0; c < k; c++) row[at + c] = logits[i * k + c] - sum / k
  }
  return row
}
