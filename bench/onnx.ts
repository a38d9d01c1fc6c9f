// Writes a model of all-MiniLM-L6-v2's shape (BERT with 6 layers, 384 wide, 12 heads, 1536 inside) as ONNX, with random
// weights: how fast it is does not depend on what it has learnt. The wire format is Protocol Buffers', the messages are
// those of onnx.proto3.

const LAYERS = 6
const WIDTH = 384
const HEADS = 12
const INSIDE = 1536
const WORDS = 30_522
const POSITIONS = 512
const FLOAT = 1
const INT64 = 7

/** The model: input_ids and attention_mask (batch × length) → last_hidden_state (batch × length × 384). */
export function miniLmModel(random: () => number): Uint8Array[] {
  const nodes: Uint8Array[] = []
  const weights: Uint8Array[][] = []
  let names = 0

  const node = (op: string, inputs: string[], attributes: Uint8Array[] = [], output = `t${names++}`): string => {
    nodes.push(message([...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...attributes.map((a) => part(5, a))]))
    return output
  }
  const tensor = (type: number, dims: number[], data: Float32Array | BigInt64Array): string => {
    const name = `w${names++}`
    const bytes = new Uint8Array(data.buffer)
    weights.push([...lengthened(message([...dims.map((n) => number(1, n)), number(2, type), text(8, name)]), 9, bytes)])
    return name
  }
  const matrix = (...dims: number[]): string =>
    tensor(FLOAT, dims, Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.08 * (random() - 0.5)))
  const float = (value: number): string => tensor(FLOAT, [], Float32Array.of(value))
  const ints = (...values: number[]): string => tensor(INT64, [values.length], BigInt64Array.from(values, BigInt))
  const linear = (x: string, from: number, to: number): string => node('Add', [node('MatMul', [x, matrix(from, to)]), matrix(to)])
  const normalised = (x: string, output?: string): string =>
    node('LayerNormalization', [x, matrix(WIDTH), matrix(WIDTH)], [integer('axis', -1)], output)
  const headed = (x: string, perm: number[]): string =>
    node('Transpose', [node('Reshape', [x, ints(0, 0, HEADS, WIDTH / HEADS)])], [integers('perm', perm)])

  const length = node('Gather', [node('Shape', ['input_ids']), ints(1)])
  const places = node('Slice', [matrix(POSITIONS, WIDTH), ints(0), length, ints(0)])
  let x = normalised(node('Add', [node('Gather', [matrix(WORDS, WIDTH), 'input_ids']), places]))
  const seen = node('Unsqueeze', [node('Cast', ['attention_mask'], [integer('to', FLOAT)]), ints(1, 2)])
  const mask = node('Mul', [node('Sub', [float(1), seen]), float(-10_000)])
  for (let layer = 1; layer <= LAYERS; layer++) {
    const query = headed(linear(x, WIDTH, WIDTH), [0, 2, 1, 3])
    const key = headed(linear(x, WIDTH, WIDTH), [0, 2, 3, 1])
    const value = headed(linear(x, WIDTH, WIDTH), [0, 2, 1, 3])
    const scores = node('Div', [node('MatMul', [query, key]), float(Math.sqrt(WIDTH / HEADS))])
    const shares = node('Softmax', [node('Add', [scores, mask])], [integer('axis', -1)])
    const heard = node('Transpose', [node('MatMul', [shares, value])], [integers('perm', [0, 2, 1, 3])])
    x = normalised(node('Add', [linear(node('Reshape', [heard, ints(0, 0, WIDTH)]), WIDTH, WIDTH), x]))
    const inner = linear(x, WIDTH, INSIDE)
    const bent = node('Add', [node('Erf', [node('Div', [inner, float(Math.SQRT2)])]), float(1)])
    const gelu = node('Mul', [node('Mul', [inner, bent]), float(0.5)])
    x = normalised(node('Add', [linear(gelu, INSIDE, WIDTH), x]), layer === LAYERS ? 'last_hidden_state' : undefined)
  }

  const graph = [
    ...nodes.map((bytes) => part(1, bytes)),
    text(2, 'MiniLM'),
    ...weights.flatMap((pieces) => [head(5, sizeOf(pieces)), ...pieces]),
    part(11, value('input_ids', INT64, ['batch', 'length'])),
    part(11, value('attention_mask', INT64, ['batch', 'length'])),
    part(12, value('last_hidden_state', FLOAT, ['batch', 'length', WIDTH]))
  ]
  return [number(1, 8), part(8, message([text(1, ''), number(2, 17)])), head(7, sizeOf(graph)), ...graph]
}

function value(name: string, type: number, dims: (string | number)[]): Uint8Array {
  const shape = message(dims.map((dim) => part(1, typeof dim === 'string' ? text(2, dim) : number(1, dim))))
  return message([text(1, name), part(2, part(1, message([number(1, type), part(2, shape)])))])
}

const integer = (name: string, i: number): Uint8Array => message([text(1, name), number(3, i), number(20, 2)])
const integers = (name: string, list: number[]): Uint8Array => message([text(1, name), ...list.map((i) => number(8, i)), number(20, 7)])

// Fields of Protocol Buffers: a key (number and wire type), then a varint, or a length and bytes.

const message = (fields: Uint8Array[]): Uint8Array => Buffer.concat(fields)
const number = (field: number, n: number): Uint8Array => Buffer.concat([varint(field << 3), varint(n)])
const text = (field: number, string: string): Uint8Array => part(field, Buffer.from(string))
const part = (field: number, bytes: Uint8Array): Uint8Array => Buffer.concat([head(field, bytes.length), bytes])
const head = (field: number, length: number): Uint8Array => Buffer.concat([varint((field << 3) | 2), varint(length)])
const sizeOf = (pieces: Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

/** A message and one more field of it, the bytes not copied. */
const lengthened = (start: Uint8Array, field: number, bytes: Uint8Array): Uint8Array[] => [start, head(field, bytes.length), bytes]

function varint(n: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(n))
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Uint8Array.from(bytes)
}
