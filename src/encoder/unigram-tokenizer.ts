// Tokenizing by a unigram vocabulary: of all ways to cut a text into pieces, the one whose log-probabilities sum to the
// most (Kudo 2018, "Subword Regularization", section 3.2; Viterbi 1967's algorithm). The pieces are those of the library's
// AutoTokenizer, with which embedding takes twice as long: models/README.md has the measurement.

import { z } from 'zod'
import { PairTable } from '../core/pair-table.js'

/** The form of our encoder's tokenizer.json; other tokenizers are left to the library. */
const Unigram = z.object({
  added_tokens: z.array(z.object({ content: z.string() })),
  normalizer: z.object({
    type: z.literal('Sequence'),
    normalizers: z.tuple([
      z.object({ type: z.literal('Replace'), pattern: z.object({ Regex: z.literal('https?://\\S+|\\bpic\\.twitter\\.com/\\S+|\\bt\\.co/\\S+') }), content: z.string() }),
      z.object({ type: z.literal('Replace'), pattern: z.object({ Regex: z.literal('\\n') }), content: z.string() })
    ])
  }),
  pre_tokenizer: z.object({ type: z.literal('Metaspace'), replacement: z.string(), prepend_scheme: z.literal('always'), split: z.literal(false) }),
  post_processor: z.object({ type: z.literal('TemplateProcessing'), special_tokens: z.record(z.string(), z.object({ ids: z.tuple([z.number()]) })) }),
  model: z.object({ type: z.literal('Unigram'), unk_id: z.number(), vocab: z.array(z.tuple([z.string(), z.number()])) })
})

const UNKNOWN_PENALTY = 10 // below the least likely piece, as SentencePiece has it
const WORD_BEFORE = '(?<![\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}])'
const LINKS = new RegExp(`https?://\\P{White_Space}+|${WORD_BEFORE}(?:pic\\.twitter\\.com|t\\.co)/\\P{White_Space}+`, 'gu')
const MAY_HAVE_LINK = /https?:\/\/|t\.co\/|pic\.twitter/

/** A text → token ids: the one that starts every text, then its pieces; `most` in all. */
export type UnigramTokenizer = (text: string, most: number) => number[]

/** @returns undefined for a tokenizer that is not like our encoder's */
export function createUnigramTokenizer(tokenizer: unknown): UnigramTokenizer | undefined {
  const parsed = Unigram.safeParse(tokenizer)
  if (!parsed.success) return undefined
  const { added_tokens, normalizer: { normalizers: [link, lineEnd] }, pre_tokenizer: { replacement }, post_processor, model } = parsed.data
  const [{ ids: [first] }] = Object.values(post_processor.special_tokens)
  const signs = new Set(added_tokens.map(({ content }) => content)) // special tokens are never matched in a text
  const vocabulary = new Trie(model.vocab.map(([piece]) => (signs.has(piece) ? '' : piece)))
  const scores = Float64Array.from(model.vocab, ([, score]) => score)
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY
  const prepare = (text: string): string => {
    const masked = MAY_HAVE_LINK.test(text) ? text.replace(LINKS, link.content) : text
    const spaced = masked.replaceAll('\n', lineEnd.content).replaceAll(' ', replacement)
    return spaced.startsWith(replacement) ? spaced : replacement + spaced
  }
  return (text, most) => [first, ...cut(prepare(text), vocabulary, scores, model.unk_id, unknownScore)].slice(0, most)
}

/** The most likely cut. Characters that no piece covers are unknown; a run of them counts as one token. */
function cut(text: string, vocabulary: Trie, scores: Float64Array, unknown: number, unknownScore: number): number[] {
  const points = Int32Array.from(text.length === 0 ? [] : Array.from(text), (character) => character.codePointAt(0)!)
  const n = points.length
  const best = new Float64Array(n + 1).fill(-Infinity) // score of the best cut of the text up to here
  const piece = new Int32Array(n + 1) // the last piece of that cut …
  const start = new Int32Array(n + 1) // … and where it starts
  best[0] = 0
  const offer = (from: number, to: number, id: number, score: number): void => {
    if (best[from] + score <= best[to]) return
    best[to] = best[from] + score
    piece[to] = id
    start[to] = from
  }
  for (let i = 0; i < n; i++) {
    let node = 0
    let isCovered = false
    for (let end = i + 1; end <= n; end++) {
      node = vocabulary.next(node, points[end - 1])
      if (node < 0) break
      const id = vocabulary.pieceAt(node)
      if (id < 0) continue
      isCovered ||= end === i + 1
      offer(i, end, id, scores[id])
    }
    if (!isCovered) offer(i, i + 1, unknown, unknownScore)
  }
  const pieces: number[] = []
  for (let end = n; end > 0; end = start[end]) if (piece[end] !== unknown || pieces.at(-1) !== unknown) pieces.push(piece[end])
  return pieces.reverse()
}

/** The vocabulary's pieces as a trie: node 0 is the empty beginning. */
class Trie {
  private readonly edges: PairTable // (node, code point) → node
  private readonly pieces: Int32Array // the piece that ends at a node, or −1

  constructor(pieces: string[]) {
    const most = pieces.reduce((sum, piece) => sum + piece.length, 1)
    this.edges = new PairTable(most)
    this.pieces = new Int32Array(most).fill(-1)
    pieces.forEach((piece, id) => {
      let node = 0
      for (const character of piece) node = this.edges.getOrAdd(node, character.codePointAt(0)!, this.edges.size + 1)
      this.pieces[node] = id
    })
  }

  /** The node behind an edge, or −1. */
  next(from: number, point: number): number {
    return this.edges.get(from, point)
  }

  /** The piece that ends at a node, or −1. */
  pieceAt(node: number): number {
    return this.pieces[node]
  }
}
