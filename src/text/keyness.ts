// What is typical of somebody: the pieces of text (words; n-grams of 2 to 4 characters) whose weighted log-odds ratio
// with an informative Dirichlet prior is the most standard deviations above zero (Monroe, Colaresi, Quinn 2008,
// "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the Content of Political Conflict",
// section 3.5.1):
//
//   δ(w) = ln (y + α) / (n + α₀ − y − α) − ln (y' + α) / (n' + α₀ − y' − α),   α = α₀ (y + y') / (n + n')
//   z(w) = δ(w) / √(1 / (y + α) + 1 / (y' + α))
//
// y of their tweets have the piece w; n are all places of pieces in their tweets; y' and n' are the others', taken
// together. A piece counts once a tweet, so that one tweet does not decide; its further places in n are as any other
// piece's. α₀ is the prior's size in places: what PRIOR_TWEETS average tweets have. Several thousand pieces are tried,
// so the least of those shown may be chance; the order is what counts.

import { countSharedNgrams } from './ngram-trie.js'
import type { TweetTokenizer, TokenizedTweet } from './tokens.js'
import { LINK } from './normalize.js'

const MIN_TWEETS = 3
const MIN_WEIGHT = 1.96 // one piece in forty that is as much the others' is above this by chance
const PRIOR_TWEETS = 50
const MOST_WORDS = 12
const MOST_NGRAMS = 8

/** A piece that is typical: its z, and how many of 100 tweets have it. */
export interface TypicalPiece {
  text: string
  weight: number
  theirs: number
  others: number
}

/** A piece, and how many tweets of either side (theirs, the others') have it. */
interface Count {
  text: string
  tweets: [number, number]
}

interface TypicalPieces {
  words: TypicalPiece[]
  ngrams: TypicalPiece[]
}

/** The words and the n-grams most typical of these tweets against the rest, heaviest first. */
export function typicalPieces(own: TokenizedTweet[], rest: TokenizedTweet[], { textOf }: TweetTokenizer): TypicalPieces {
  if (rest.length === 0) return { words: [], ngrams: [] }
  const tweets: [number, number] = [own.length, rest.length]
  const wordCounts = countWords(own, rest)
  const words = heaviest(wordCounts.found, wordCounts.places, tweets).slice(0, MOST_WORDS)
  const [ownCharacters, restCharacters] = [own, rest].map((read) => read.map(({ characters }) => characters))
  const ngramCounts = countSharedNgrams(ownCharacters, restCharacters, MIN_TWEETS)
  const counts = ngramCounts.found.map(({ ngram, tweets }) => ({ text: textOf(ngram), tweets }))
  const ngrams = withoutOverlap(heaviest(counts, ngramCounts.places, tweets), words).slice(0, MOST_NGRAMS)
  const shown = (piece: TypicalPiece) => ({ ...piece, text: visible(piece.text) })
  return { words: words.map(shown), ngrams: ngrams.map(shown) }
}

/** The formula's z for counts [theirs, the others'] of tweets with the piece and of places, and for α₀. */
export function logOddsWeight([y, y2]: [number, number], [n, n2]: [number, number], prior: number): number {
  const alpha = (prior * (y + y2)) / (n + n2)
  const logOdds = (tweets: number, places: number) => Math.log((tweets + alpha) / (places + prior - tweets - alpha))
  return (logOdds(y, n) - logOdds(y2, n2)) / Math.sqrt(1 / (y + alpha) + 1 / (y2 + alpha))
}

/** The typical pieces, heaviest first: in more of their tweets, too, than of the others', which may be shorter. */
function heaviest(counts: Count[], places: [number, number], tweets: [number, number]): TypicalPiece[] {
  const prior = (PRIOR_TWEETS * (places[0] + places[1])) / (tweets[0] + tweets[1])
  const [theirs, others] = tweets.map((n) => 100 / n)
  return counts
    .map(({ text, tweets: [y, y2] }) => ({
      text, weight: logOddsWeight([y, y2], places, prior), theirs: y * theirs, others: y2 * others
    }))
    .filter(({ weight, theirs, others }) => weight > MIN_WEIGHT && theirs > others)
    .sort((a, b) => b.weight - a.weight || (a.text < b.text ? -1 : 1))
}

/** The words that enough of their tweets have, and either side's places of any. */
function countWords(own: TokenizedTweet[], rest: TokenizedTweet[]): { places: [number, number]; found: Count[] } {
  const counts = new Map<string, [number, number]>()
  for (const word of own.flatMap(({ words }) => words)) counts.set(word, [0, 0])
  const [places, places2] = [own, rest].map((tweets, side) => {
    for (const { words } of tweets) {
      for (const word of new Set(words)) {
        const count = counts.get(word)
        if (count) count[side]++
      }
    }
    return tweets.reduce((sum, { words }) => sum + words.length, 0)
  })
  const found = Array.from(counts, ([text, tweets]) => ({ text, tweets }))
  return { places: [places, places2], found: found.filter(({ tweets }) => tweets[0] >= MIN_TWEETS) }
}

/** Without n-grams that say the same again: part of a heavier piece, round it, or with three of its characters. */
function withoutOverlap(ngrams: TypicalPiece[], words: TypicalPiece[]): TypicalPiece[] {
  const said = words.map(({ text }) => text)
  return ngrams.filter(({ text }) => {
    const lower = text.toLowerCase()
    const parts = [lower.trim() || lower, ...(lower.length > 3 ? [lower.slice(0, 3), lower.slice(-3)] : [])]
    const repeats = (other: string) => parts.some((part) => other.includes(part)) || lies(other.trim() || other, lower)
    const again = said.some(repeats)
    return !again && said.push(lower)
  })
}

/** Whether a piece lies in an n-gram; a single letter or digit, which is nearly everywhere, does not count. */
function lies(piece: string, ngram: string): boolean {
  return ngram.includes(piece) && !/^[\p{L}\p{N}]$/u.test(piece)
}

/** Spaces as ␣, line breaks as ⏎, links as 🔗. */
function visible(text: string): string {
  return text.replaceAll('\n', '⏎').replace(/\s/g, '␣').replaceAll(LINK, '🔗')
}
