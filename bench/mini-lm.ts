// A model of all-MiniLM-L6-v2's shape (BERT with 6 layers, 384 wide, 12 heads, 1536 inside) with random weights: how fast
// it is does not depend on what it has learnt.

import { FLOAT, Graph, INT64, integer, integers, valueInfo } from './onnx.js'

const LAYERS = 6
const WIDTH = 384
const HEADS = 12
const INSIDE = 1536
const WORDS = 30_522
const POSITIONS = 512

/** The model as ONNX: input_ids and attention_mask (batch × length) → last_hidden_state (batch × length × 384). */
export function miniLmModel(random: () => number): Uint8Array[] {
  const graph = new BertGraph(random)
  let x = graph.embeddings()
  const mask = graph.mask()
  for (let layer = 1; layer <= LAYERS; layer++) {
    x = graph.normalised(graph.sum(graph.attention(x, mask), x))
    x = graph.normalised(graph.sum(graph.feedForward(x), x), layer === LAYERS ? 'last_hidden_state' : undefined)
  }
  return graph.model(
    'MiniLM',
    [valueInfo('input_ids', INT64, ['batch', 'length']), valueInfo('attention_mask', INT64, ['batch', 'length'])],
    [valueInfo('last_hidden_state', FLOAT, ['batch', 'length', WIDTH])]
  )
}

/** The parts of BERT (Devlin et al. 2019; Vaswani et al. 2017, section 3). x is batch × length × WIDTH. */
class BertGraph extends Graph {
  constructor(private readonly random: () => number) {
    super()
  }

  embeddings(): string {
    const length = this.node('Gather', [this.node('Shape', ['input_ids']), this.ints(1)])
    const places = this.node('Slice', [this.matrix(POSITIONS, WIDTH), this.ints(0), length, this.ints(0)])
    return this.normalised(this.sum(this.node('Gather', [this.matrix(WORDS, WIDTH), 'input_ids']), places))
  }

  /** Is added to the attention scores: −10,000 where there is only padding. */
  mask(): string {
    const seen = this.node('Unsqueeze', [this.node('Cast', ['attention_mask'], [integer('to', FLOAT)]), this.ints(1, 2)])
    return this.node('Mul', [this.node('Sub', [this.float(1), seen]), this.float(-10_000)])
  }

  attention(x: string, mask: string): string {
    const query = this.heads(this.linear(x, WIDTH, WIDTH), [0, 2, 1, 3])
    const key = this.heads(this.linear(x, WIDTH, WIDTH), [0, 2, 3, 1])
    const value = this.heads(this.linear(x, WIDTH, WIDTH), [0, 2, 1, 3])
    const scores = this.node('Div', [this.node('MatMul', [query, key]), this.float(Math.sqrt(WIDTH / HEADS))])
    const shares = this.node('Softmax', [this.sum(scores, mask)], [integer('axis', -1)])
    const mixed = this.node('Transpose', [this.node('MatMul', [shares, value])], [integers('perm', [0, 2, 1, 3])])
    return this.linear(this.node('Reshape', [mixed, this.ints(0, 0, WIDTH)]), WIDTH, WIDTH)
  }

  feedForward(x: string): string {
    const inner = this.linear(x, WIDTH, INSIDE)
    const bent = this.sum(this.node('Erf', [this.node('Div', [inner, this.float(Math.SQRT2)])]), this.float(1))
    const gelu = this.node('Mul', [this.node('Mul', [inner, bent]), this.float(0.5)])
    return this.linear(gelu, INSIDE, WIDTH)
  }

  normalised(x: string, output?: string): string {
    return this.node('LayerNormalization', [x, this.matrix(WIDTH), this.matrix(WIDTH)], [integer('axis', -1)], output)
  }

  sum(one: string, other: string): string {
    return this.node('Add', [one, other])
  }

  private linear(x: string, from: number, to: number): string {
    return this.sum(this.node('MatMul', [x, this.matrix(from, to)]), this.matrix(to))
  }

  private heads(x: string, perm: number[]): string {
    return this.node('Transpose', [this.node('Reshape', [x, this.ints(0, 0, HEADS, WIDTH / HEADS)])], [integers('perm', perm)])
  }

  private matrix(...dims: number[]): string {
    return this.floats(dims, Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.08 * (this.random() - 0.5)))
  }
}
