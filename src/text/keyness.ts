// Keyness: which pieces of text (words; n-grams of 2 to 4 characters) are typical of somebody, by the weighted log-odds
// ratio with an informative Dirichlet prior, in standard deviations above zero (Monroe, Colaresi, Quinn 2008,
// "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the Content of Political Conflict",
// section 3.5.1):
//
//   δ(w) = ln (y + α) / (n + α₀ − y − α) − ln (y' + α) / (n' + α₀ − y' − α),   α = α₀ (y + y') / (n + n')
//   z(w) = δ(w) / √(1 / (y + α) + 1 / (y' + α))
//
// y: how many of their tweets have the piece w; n: how many pieces their tweets have in all; y', n': the same for all the
// others together. A piece counts once per tweet, so that no single tweet decides. α₀: the size of the prior in pieces, as
// many as PRIOR_TWEETS average tweets have. Several thousand pieces are tried, so the last of those shown may be there by
// chance; their order is what counts.

import { countSharedNgrams } from './ngram-trie.js'
import type { TweetTokenizer, TokenizedTweet } from './tokens.js'
import { madeVisible } from './format.js'

const MIN_TWEETS = 3
const MIN_WEIGHT = 1.96 // of pieces that both sides use alike, one in forty is above this by chance
const PRIOR_TWEETS = 50
const MAX_WORDS = 12
const MAX_NGRAMS = 8

/** A typical piece: its weight z, and in how many of 100 tweets it is, theirs and the others'. */
export interface TypicalPiece {
  text: string
  weight: number
  theirs: number
  others: number
}

/** A piece, and how many tweets of each side (theirs, the others') have it. */
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
  const words = heaviest(wordCounts.found, wordCounts.totals, tweets).slice(0, MAX_WORDS)
  const [ownCharacters, restCharacters] = [own, rest].map((read) => read.map(({ characters }) => characters))
  const ngramCounts = countSharedNgrams(ownCharacters, restCharacters, MIN_TWEETS)
  const counts = ngramCounts.found.map(({ ngram, tweets }) => ({ text: textOf(ngram), tweets }))
  const ngrams = withoutOverlap(heaviest(counts, ngramCounts.totals, tweets), words).slice(0, MAX_NGRAMS)
  const shown = (piece: TypicalPiece) => ({ ...piece, text: madeVisible(piece.text) })
  return { words: words.map(shown), ngrams: ngrams.map(shown) }
}

/** z for [y, y'] tweets with the piece, [n, n'] pieces in all, and the prior's size α₀. */
export function logOddsWeight([y, y2]: [number, number], [n, n2]: [number, number], prior: number): number {
  const alpha = (prior * (y + y2)) / (n + n2)
  const logOdds = (tweets: number, total: number) => Math.log((tweets + alpha) / (total + prior - tweets - alpha))
  return (logOdds(y, n) - logOdds(y2, n2)) / Math.sqrt(1 / (y + alpha) + 1 / (y2 + alpha))
}

/** The typical pieces, highest weight first; each is also in a larger share of their tweets than of the others'. */
function heaviest(counts: Count[], totals: [number, number], tweets: [number, number]): TypicalPiece[] {
  const prior = (PRIOR_TWEETS * (totals[0] + totals[1])) / (tweets[0] + tweets[1])
  const [theirs, others] = tweets.map((n) => 100 / n)
  return counts
    .map(({ text, tweets: [y, y2] }) => ({
      text, weight: logOddsWeight([y, y2], totals, prior), theirs: y * theirs, others: y2 * others
    }))
    .filter(({ weight, theirs, others }) => weight > MIN_WEIGHT && theirs > others)
    .sort((a, b) => b.weight - a.weight || (a.text < b.text ? -1 : 1))
}

/** The words that at least MIN_TWEETS of their tweets have, and how many words each side has in all. */
function countWords(own: TokenizedTweet[], rest: TokenizedTweet[]): { totals: [number, number]; found: Count[] } {
  const counts = new Map<string, [number, number]>()
  for (const word of own.flatMap(({ words }) => words)) counts.set(word, [0, 0])
  const totals = [own, rest].map((tweets, side) => {
    for (const { words } of tweets) {
      for (const word of new Set(words)) {
        const count = counts.get(word)
        if (count) count[side]++
      }
    }
    return tweets.reduce((sum, { words }) => sum + words.length, 0)
  })
  const found = Array.from(counts, ([text, tweets]) => ({ text, tweets }))
  return { totals: totals as [number, number], found: found.filter(({ tweets }) => tweets[0] >= MIN_TWEETS) }
}

/** Leaves out n-grams that repeat a heavier piece: part of it, around it, or with three of its characters. */
function withoutOverlap(ngrams: TypicalPiece[], words: TypicalPiece[]): TypicalPiece[] {
  const said = words.map(({ text }) => text)
  return ngrams.filter(({ text }) => {
    const lower = text.toLowerCase()
    const parts = [lower.trim() || lower, ...(lower.length > 3 ? [lower.slice(0, 3), lower.slice(-3)] : [])]
    const repeats = (other: string) => parts.some((part) => other.includes(part)) || isInside(other.trim() || other, lower)
    const again = said.some(repeats)
    return !again && said.push(lower)
  })
}

/** Whether an n-gram contains a piece; a single letter or digit is in nearly all and does not count. */
function isInside(piece: string, ngram: string): boolean {
  return ngram.includes(piece) && !/^[\p{L}\p{N}]$/u.test(piece)
}
