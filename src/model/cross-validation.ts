// Cross-validation on the candidates' tweets: each tweet is judged by a model that was fitted without it.

import { balancedWeights } from '../regression/classes.js'
import { duplicateKey } from '../text/normalize.js'

const TEMPLATE = 12 // characters: tweets of one user that begin alike ("Now playing: …") are variants of one template
const MAX_SHARES = 2 // of a user's tweets, in units of a fold's equal share

/** The beginning of a text: texts that share it are taken to come from one template. */
export const templateOf = (text: string): string => duplicateKey(text).slice(0, TEMPLATE)

/**
 * A fold (0 … folds − 1) for each tweet. Consecutive tweets of a user lie together, so that a conversation is not split
 * between train and test; tweets of one template lie with the first of them. A fold takes no more than twice its share of
 * a user's tweets: where all tweets come from a few templates, a model could otherwise know nothing of that user.
 */
export function foldsOf(templates: string[], labels: Int32Array, folds: number): Int32Array {
  const sizes = countBy(labels)
  const seen = new Map<number, number>()
  const held = new Map<string, number>() // user and fold → how many of the user's tweets it has
  const foldOfTemplate = new Map<string, number>()
  return Int32Array.from(labels, (c, i) => {
    const place = seen.get(c) ?? 0
    seen.set(c, place + 1)
    const byPlace = Math.floor((place * folds) / sizes.get(c)!)
    const template = `${c} ${templates[i]}`
    const wanted = foldOfTemplate.get(template) ?? byPlace
    const isFull = (held.get(`${c} ${wanted}`) ?? 0) >= (MAX_SHARES * sizes.get(c)!) / folds
    const fold = isFull ? byPlace : wanted
    foldOfTemplate.set(template, fold)
    held.set(`${c} ${fold}`, (held.get(`${c} ${fold}`) ?? 0) + 1)
    return fold
  })
}

function countBy<T>(items: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/**
 * n×k logits, each row's by a model that was fitted without the row's fold. Each model starts from zero: started from a
 * model of all rows it would, at a loose tolerance, still hold something of the rows that are held out.
 * @param scores n×k logits of all rows by a model that was fitted with these row weights (0: left out)
 */
export function heldOutLogits(labels: Int32Array, foldOf: Int32Array, scores: (rowWeights: Float64Array) => Float64Array): Float64Array {
  const k = labels.reduce((largest, c) => Math.max(largest, c), 0) + 1
  const logits = new Float64Array(labels.length * k)
  for (const fold of new Set(foldOf)) {
    const all = scores(balancedWeights(labels, (i) => foldOf[i] !== fold))
    for (let i = 0; i < labels.length; i++) if (foldOf[i] === fold) logits.set(all.subarray(i * k, i * k + k), i * k)
  }
  return logits
}
