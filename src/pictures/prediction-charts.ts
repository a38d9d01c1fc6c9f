// Charts of the prediction page: colours, places and sizes in the units of each SVG's viewBox, which the views only print.

import type { Candidate, Prediction, PredictionMap } from '../prediction/predict-author.js'
import { showLinks } from '../text/format.js'

const SHADES = 4
const MAP = { width: 640, height: 420, margin: 16 }

interface Point {
  x: number
  y: number
}

/** Each candidate's bars, 100 wide: how likely they are, and what each model adds to the score, to either side of the middle. */
export function candidateBars(candidates: Pick<Candidate, 'probability' | 'ngrams' | 'encoder'>[]) {
  const largest = Math.max(...candidates.flatMap(({ ngrams, encoder }) => [Math.abs(ngrams), Math.abs(encoder)]), 1e-9)
  return candidates.map(({ probability, ngrams, encoder }) => ({
    width: (100 * probability).toFixed(2),
    parts: { ngrams: partBar(ngrams, largest), encoder: partBar(encoder, largest) }
  }))
}

function partBar(part: number, largest: number): { side: 'for' | 'against'; x: string; width: string } {
  const width = (50 * Math.abs(part)) / largest
  return { side: part < 0 ? 'against' : 'for', x: (part < 0 ? 50 - width : 50).toFixed(2), width: Math.max(0.5, width).toFixed(2) }
}

/** A text cut where the shade of its characters changes: for-1 … for-4, against-1 … against-4, or none. */
export function shadedRuns(characters: string[], weights: number[]): { text: string; shade: string }[] {
  const largest = Math.max(...weights.map(Math.abs), 1e-9)
  const runs: { text: string; shade: string }[] = []
  characters.forEach((character, i) => {
    const level = Math.round((SHADES * Math.abs(weights[i])) / largest)
    const shade = level === 0 ? 'none' : `${weights[i] < 0 ? 'against' : 'for'}-${level}`
    const text = showLinks(character)
    if (runs.at(-1)?.shade === shade) runs.at(-1)!.text += text
    else runs.push({ text, shade })
  })
  return runs
}

/** A confusion matrix as a heat map: of 100 tweets by each user, how many are given to whom, and the shade for that (0 … 10). */
export function heatMap(confusion: number[][]): { times: number; shade: number }[][] {
  return confusion.map((row) => {
    const total = row.reduce((sum, n) => sum + n, 0) || 1
    return row.map((n) => ({ times: Math.round((100 * n) / total), shade: Math.round((10 * n) / total) }))
  })
}

/** The map: a marker for each tweet, by its user's rank, a cross for the text, and whose dot lies nearest to it. */
export function mapChart({ candidates, map }: { candidates: { user: { username: string } }[]; map: PredictionMap }) {
  const { dots, cross } = mapDots(map)
  const rankOf = new Map(candidates.map(({ user }, rank) => [user.username, rank]))
  const distance = ({ x, y }: Point): number => Math.hypot(x - cross.x, y - cross.y)
  return {
    dots: dots.map(({ username, text, ...place }) => {
      const rank = rankOf.get(username)!
      return { username, text, rank, marker: marker(rank, place) }
    }),
    cross: `M${cross.x - 10} ${cross.y}h20M${cross.x} ${cross.y - 10}v20`,
    nearest: dots.reduce((a, b) => (distance(a) < distance(b) ? a : b)).username
  }
}

/** The map's tweets and the text, placed with one scale for both coordinates. */
export function mapDots({ text, tweets }: Prediction['map']): { dots: (Point & { username: string; text: string })[]; cross: Point } {
  let [left, low] = text
  let [right, high] = text
  for (const { place: [x, y] } of tweets) {
    ;[left, right] = [Math.min(left, x), Math.max(right, x)]
    ;[low, high] = [Math.min(low, y), Math.max(high, y)]
  }
  const scale = Math.min((MAP.width - 2 * MAP.margin) / (right - left || 1), (MAP.height - 2 * MAP.margin) / (high - low || 1))
  const across = (x: number): number => Math.round(MAP.width / 2 + scale * (x - (left + right) / 2))
  const down = (y: number): number => Math.round(MAP.height / 2 - scale * (y - (low + high) / 2))
  return {
    dots: tweets.map(({ username, text, place: [x, y] }) => ({ x: across(x), y: down(y), username, text })),
    cross: { x: across(text[0]), y: down(text[1]) }
  }
}

/** The SVG of the marker of a rank: a circle, a square, a triangle or a diamond. */
export function marker(rank: number, { x, y }: Point): string {
  if (rank === 0) return `<circle cx="${x}" cy="${y}" r="5" />`
  if (rank === 1) return `<rect x="${x - 4.5}" y="${y - 4.5}" width="9" height="9" />`
  return rank === 2 ? `<path d="M${x} ${y - 6}l5.5 10h-11z" />` : `<path d="M${x} ${y - 6}l6 6l-6 6l-6-6z" />`
}
