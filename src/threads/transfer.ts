import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { move, transferableSymbol, valueSymbol } from 'piscina'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void

/** A thread's answer whose arrays are handed over to the thread that asked, not copied. */
export function transferred(answer: object): unknown {
  setImmediate(() => collectGarbage({ type: 'minor' })) // V8 would let 64 MB of a thread's arrays lie before it looks
  return move({ [transferableSymbol]: [...buffersOf(answer)], [valueSymbol]: answer })
}

function buffersOf(value: unknown, found = new Set<ArrayBufferLike>()): Set<ArrayBufferLike> {
  if (ArrayBuffer.isView(value)) found.add(value.buffer)
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) buffersOf(part, found)
  return found
}
