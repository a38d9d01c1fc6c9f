// Which n-grams the tweets of two sides have, counted exactly: a prefix tree of theirs, the others' looked up in it.
// Characters are numbers (src/reading.ts). A child is found by hashing its parent and character (open addressing,
// linear probing, at most half full): with a Map at each node all of it takes twice as long.

export const LONGEST = 4

/** An n-gram in its characters' numbers, and how many tweets of either side have it. */
export interface NgramCount {
  ngram: number[]
  tweets: [number, number]
}

/** N-grams, and either side's places of n-grams, whether found or not. */
export interface NgramCounts {
  places: [number, number]
  found: NgramCount[]
}

/** The n-grams of 2 to LONGEST characters that at least `least` of their tweets have. */
export function countSharedNgrams(own: number[][], rest: number[][], least: number): NgramCounts {
  const grown = new NgramTree(LONGEST * own.reduce((sum, { length }) => sum + length, 0))
  const ownPlaces = grown.count(own, true)
  const known = grown.pruned(least)
  const ownTweets = known.tweets.slice()
  known.tweets.fill(0)
  const places: [number, number] = [ownPlaces, known.count(rest, false)]
  const found: NgramCount[] = []
  for (let node = 1; node < known.size; node++) {
    if (known.parents[node] === 0) continue
    found.push({ ngram: known.ngramOf(node), tweets: [ownTweets[node], known.tweets[node]] })
  }
  return { places, found }
}

/** Node 0 is the root; node i adds characters[i] to parents[i] < i and is in tweets[i] tweets, last in last[i]. */
class NgramTree {
  size = 1
  readonly parents: Int32Array
  readonly characters: Int32Array
  readonly tweets: Int32Array
  private readonly last: Int32Array
  private readonly table: Int32Array

  constructor(private readonly most: number) {
    this.parents = new Int32Array(most + 1)
    this.characters = new Int32Array(most + 1)
    this.tweets = new Int32Array(most + 1)
    this.last = new Int32Array(most + 1).fill(-1)
    this.table = new Int32Array(2 << (32 - Math.clz32(most)))
  }

  /** Counts each tweet at its n-grams in the tree, which grows by those that are not if it may; → places of n-grams. */
  count(tweets: number[][], grows: boolean): number {
    let places = 0
    tweets.forEach((characters, tweet) => {
      for (let first = 0; first < characters.length; first++) {
        const end = Math.min(first + LONGEST, characters.length)
        places += end - first - 1
        for (let at = first, node = 0; at < end; at++) {
          node = this.child(node, characters[at], grows)
          if (node === 0) break
          if (this.last[node] !== tweet) this.tweets[node]++
          this.last[node] = tweet
        }
      }
    })
    return places
  }

  /** The tree without the n-grams of fewer than `least` tweets; whose beginning is in fewer is so itself. */
  pruned(least: number): NgramTree {
    const kept = new NgramTree(this.tweets.reduce((sum, tweets) => (tweets >= least ? sum + 1 : sum), 0))
    const places = new Int32Array(this.size)
    for (let node = 1; node < this.size; node++) {
      if (this.tweets[node] < least) continue
      places[node] = kept.child(places[this.parents[node]], this.characters[node], true)
      kept.tweets[places[node]] = this.tweets[node]
    }
    return kept
  }

  ngramOf(node: number): number[] {
    return node === 0 ? [] : [...this.ngramOf(this.parents[node]), this.characters[node]]
  }

  /** The child of that character; 0 where there is none and none may grow. */
  private child(parent: number, character: number, grows: boolean): number {
    const hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(character, 0x85ebca6b)
    const mask = this.table.length - 1
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const node = this.table[slot]
      if (node !== 0 && this.parents[node] === parent && this.characters[node] === character) return node
      if (node === 0) return grows ? (this.table[slot] = this.add(parent, character)) : 0
    }
  }

  private add(parent: number, character: number): number {
    if (this.size > this.most) throw new RangeError('The tree is full.')
    this.parents[this.size] = parent
    this.characters[this.size] = character
    return this.size++
  }
}
