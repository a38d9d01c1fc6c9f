import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { move, transferableSymbol, valueSymbol } from 'piscina'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void

/** A thread's answer as transferables: its arrays are moved to the thread that asked and not copied. */
export function transferred(answer: object): unknown {
  setImmediate(() => collectGarbage({ type: 'minor' })) // by itself V8 would wait for some 64 MB of a thread's arrays
  return move({ [transferableSymbol]: [...buffersOf(answer)], [valueSymbol]: answer })
}

function buffersOf(value: unknown, found = new Set<ArrayBufferLike>()): Set<ArrayBufferLike> {
  if (ArrayBuffer.isView(value)) found.add(value.buffer)
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) buffersOf(part, found)
  return found
}
