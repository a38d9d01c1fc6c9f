// Writes models as ONNX. The wire format is Protocol Buffers', the messages and the numbers of their fields are those of
// onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

export const FLOAT = 1
export const INT64 = 7
const OPSET = 17

type Dimensions = (string | number)[]

/** A graph in the making. Tensors and the results of nodes are named by strings. */
export class Graph {
  private readonly nodes: Uint8Array[] = []
  private readonly weights: Uint8Array[][] = []
  private names = 0

  /** Adds a node; the name of its output. */
  node(op: string, inputs: string[], attributes: Uint8Array[] = [], output = `t${this.names++}`): string {
    this.nodes.push(message([...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...attributes.map((a) => part(5, a))]))
    return output
  }

  /** Adds a constant; its name. */
  floats(dims: number[], data: Float32Array): string {
    return this.tensor(FLOAT, dims, data)
  }

  float(value: number): string {
    return this.floats([], Float32Array.of(value))
  }

  ints(...values: number[]): string {
    return this.tensor(INT64, [values.length], BigInt64Array.from(values, BigInt))
  }

  /** The model in pieces, one behind the other, so that the weights need not be copied. */
  model(name: string, inputs: Uint8Array[], outputs: Uint8Array[]): Uint8Array[] {
    const graph = [
      ...this.nodes.map((bytes) => part(1, bytes)),
      text(2, name),
      ...this.weights.flatMap((pieces) => [head(5, sizeOf(pieces)), ...pieces]),
      ...inputs.map((bytes) => part(11, bytes)),
      ...outputs.map((bytes) => part(12, bytes))
    ]
    return [number(1, 8), part(8, message([text(1, ''), number(2, OPSET)])), head(7, sizeOf(graph)), ...graph]
  }

  private tensor(type: number, dims: number[], data: Float32Array | BigInt64Array): string {
    const name = `w${this.names++}`
    const bytes = new Uint8Array(data.buffer)
    const start = message([...dims.map((n) => number(1, n)), number(2, type), text(8, name)])
    this.weights.push([start, head(9, bytes.length), bytes])
    return name
  }
}

/** An input or output of a graph. */
export function valueInfo(name: string, type: number, dims: Dimensions): Uint8Array {
  const shape = message(dims.map((dim) => part(1, typeof dim === 'string' ? text(2, dim) : number(1, dim))))
  return message([text(1, name), part(2, part(1, message([number(1, type), part(2, shape)])))])
}

export const integer = (name: string, i: number): Uint8Array => message([text(1, name), number(3, i), number(20, 2)])
export const integers = (name: string, list: number[]): Uint8Array => message([text(1, name), ...list.map((i) => number(8, i)), number(20, 7)])

// Fields of Protocol Buffers: a key (number and wire type), then a varint, or a length and bytes.

const message = (fields: Uint8Array[]): Uint8Array => Buffer.concat(fields)
const number = (field: number, n: number): Uint8Array => Buffer.concat([varint(field << 3), varint(n)])
const text = (field: number, string: string): Uint8Array => part(field, Buffer.from(string))
const part = (field: number, bytes: Uint8Array): Uint8Array => Buffer.concat([head(field, bytes.length), bytes])
const head = (field: number, length: number): Uint8Array => Buffer.concat([varint((field << 3) | 2), varint(length)])
const sizeOf = (pieces: Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

function varint(n: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(n))
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Uint8Array.from(bytes)
}
