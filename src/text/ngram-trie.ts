// Which n-grams the tweets of two sides share, counted exactly: one side's n-grams are kept in a trie (prefix tree), and
// the other side's are looked up in it. Characters are numbers (tokens.ts); edges lie in one hash table, which takes half
// the time of a Map at each node.

import { PairTable } from '../core/pair-table.js'

export const LONGEST = 4

/** An n-gram as numbers of characters, and how many tweets of either side have it. */
export interface SharedNgram {
  ngram: number[]
  tweets: [number, number]
}

/** The n-grams found, and how many n-grams each side's tweets have in all, found or not. */
export interface SharedNgrams {
  totals: [number, number]
  found: SharedNgram[]
}

/** The n-grams of 2 to LONGEST characters that at least `least` tweets of `own` have, counted in `own` and in `rest`. */
export function countSharedNgrams(own: number[][], rest: number[][], least: number): SharedNgrams {
  const all = new NgramTrie(LONGEST * own.reduce((sum, { length }) => sum + length, 0))
  const ownTotal = all.count(own, true)
  const kept = all.pruned(least)
  const ownTweets = kept.tweets.slice()
  kept.tweets.fill(0)
  const totals: [number, number] = [ownTotal, kept.count(rest, false)]
  const found: SharedNgram[] = []
  for (let node = 1; node < kept.size; node++) {
    if (kept.parents[node] === 0) continue // a single character
    found.push({ ngram: kept.ngramOf(node), tweets: [ownTweets[node], kept.tweets[node]] })
  }
  return { totals, found }
}

/** Node 0 is the root; node i adds characters[i] to parents[i] < i and is in tweets[i] tweets. */
class NgramTrie {
  size = 1
  readonly parents: Int32Array
  readonly tweets: Int32Array
  private readonly characters: Int32Array
  private readonly lastTweet: Int32Array // the last tweet that was counted at a node
  private readonly edges: PairTable // (parent, character) → node

  /** @param most how many n-grams there can be */
  constructor(most: number) {
    this.parents = new Int32Array(most + 1)
    this.characters = new Int32Array(most + 1)
    this.tweets = new Int32Array(most + 1)
    this.lastTweet = new Int32Array(most + 1).fill(-1)
    this.edges = new PairTable(most / 2)
  }

  /** Counts each tweet at its n-grams; those that are not in the trie are added if it `grows`; → how many n-grams there are. */
  count(tweets: number[][], grows: boolean): number {
    let total = 0
    tweets.forEach((characters, tweet) => {
      for (let first = 0; first < characters.length; first++) {
        const end = Math.min(first + LONGEST, characters.length)
        total += end - first - 1
        for (let at = first, node = 0; at < end; at++) {
          node = grows ? this.add(node, characters[at]) : this.edges.get(node, characters[at])
          if (node < 0) break
          if (this.lastTweet[node] !== tweet) this.tweets[node]++
          this.lastTweet[node] = tweet
        }
      }
    })
    return total
  }

  /** The trie without the n-grams of fewer than `least` tweets: an n-gram has no more tweets than its beginning. */
  pruned(least: number): NgramTrie {
    const kept = new NgramTrie(this.tweets.reduce((sum, tweets) => (tweets >= least ? sum + 1 : sum), 0))
    const nodes = new Int32Array(this.size)
    for (let node = 1; node < this.size; node++) {
      if (this.tweets[node] < least) continue
      nodes[node] = kept.add(nodes[this.parents[node]], this.characters[node])
      kept.tweets[nodes[node]] = this.tweets[node]
    }
    return kept
  }

  ngramOf(node: number): number[] {
    return node === 0 ? [] : [...this.ngramOf(this.parents[node]), this.characters[node]]
  }

  private add(parent: number, character: number): number {
    const node = this.edges.getOrAdd(parent, character, this.size)
    if (node < this.size) return node
    this.parents[node] = parent
    this.characters[node] = character
    return this.size++
  }
}
