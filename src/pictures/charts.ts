// What the pictures on the prediction page are drawn from: shades, places on the map, addresses.

import type { PredictionMap } from '../prediction/predict-author.js'
import { showLinks } from '../text/format.js'
import type { StoredUser } from '../storage/users.js'

const SHADES = 4
const MAP = { width: 640, height: 420, margin: 16 } // units of the map's viewBox

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

/** The map's tweets and the text, placed in its picture with one scale for both coordinates. */
export function mapDots({ text, tweets }: PredictionMap): { dots: { x: number; y: number; username: string; text: string }[]; cross: { x: number; y: number } } {
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

/** Where a stored tweet is to be read on X; nothing for tweets that were never there. */
export function postUrl({ username, source }: StoredUser, id: string): string | undefined {
  const isPost = source !== 'sample' && /^\d{15,20}$/.test(id) // shorter numbers are places in a file
  return isPost ? `https://x.com/${username}/status/${id}` : undefined
}
