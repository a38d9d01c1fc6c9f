// Text → pieces by a unigram vocabulary: the cut whose pieces' log-probabilities sum to the most (Kudo 2018, "Subword
// Regularization", section 3.2; Viterbi 1967's algorithm). The same pieces as the library's tokenizer gives, with
// which embedding took twice as long (7,800 for 15,600 tweets a second on one thread).

import { z } from 'zod'

/** What our encoder's tokenizer.json says; another's is left to the library. */
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

/** A text → the numbers of its pieces, `most` at the most, after the one that starts every text. */
export type Pieces = (text: string, most: number) => number[]

/** @returns undefined for a tokenizer that is not like our encoder's */
export function createUnigramTokenizer(tokenizer: unknown): Pieces | undefined {
  const parsed = Unigram.safeParse(tokenizer)
  if (!parsed.success) return undefined
  const { added_tokens, normalizer: { normalizers: [link, lineEnd] }, pre_tokenizer: { replacement }, post_processor, model } = parsed.data
  const [{ ids: [first] }] = Object.values(post_processor.special_tokens)
  const signs = new Set(added_tokens.map(({ content }) => content)) // are never what somebody typed
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

/** The likeliest cut; what no piece covers is unknown, a run of it once. */
function cut(text: string, vocabulary: Trie, scores: Float64Array, unknown: number, unknownScore: number): number[] {
  const points = Int32Array.from(text.length === 0 ? [] : Array.from(text), (character) => character.codePointAt(0)!)
  const n = points.length
  const best = new Float64Array(n + 1).fill(-Infinity) // of the cuts of the text up to here
  const piece = new Int32Array(n + 1) // the last piece of that cut,
  const start = new Int32Array(n + 1) // and where it starts
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

/** The pieces by their beginnings: node 0 is the empty one. Its edges stand in one open-addressing hash table. */
class Trie {
  private readonly mask: number
  private readonly froms: Int32Array
  private readonly points: Int32Array
  private readonly nodes: Int32Array
  private readonly pieces: Int32Array
  private size = 1

  constructor(pieces: string[]) {
    const most = pieces.reduce((sum, piece) => sum + piece.length, 1)
    const slots = 2 ** Math.ceil(Math.log2(2 * most))
    this.mask = slots - 1
    this.froms = new Int32Array(slots).fill(-1)
    this.points = new Int32Array(slots)
    this.nodes = new Int32Array(slots)
    this.pieces = new Int32Array(most).fill(-1)
    pieces.forEach((piece, id) => {
      let node = 0
      for (const character of piece) node = this.grow(node, character.codePointAt(0)!)
      this.pieces[node] = id
    })
  }

  /** The node behind an edge, or -1. */
  next(from: number, point: number): number {
    const slot = this.slotOf(from, point)
    return this.froms[slot] === from ? this.nodes[slot] : -1
  }

  /** The piece that ends at a node, or -1. */
  pieceAt(node: number): number {
    return this.pieces[node]
  }

  private grow(from: number, point: number): number {
    const slot = this.slotOf(from, point)
    if (this.froms[slot] !== from) {
      this.froms[slot] = from
      this.points[slot] = point
      this.nodes[slot] = this.size++
    }
    return this.nodes[slot]
  }

  /** Where an edge is, or a free slot for it. */
  private slotOf(from: number, point: number): number {
    let slot = (Math.imul(from, 0x9e3779b1) ^ Math.imul(point, 0x85ebca6b)) & this.mask
    while (this.froms[slot] >= 0 && (this.froms[slot] !== from || this.points[slot] !== point)) slot = (slot + 1) & this.mask
    return slot
  }
}
