// A queue for heavy work (fits, style profiles): a bound on what waits, turns between callers, and nothing done for nobody.

import { ExpectedError } from '../core/errors.js'

/** The refusal where too much is waiting already. */
export class Overloaded extends ExpectedError {
  override readonly name = 'Overloaded'

  constructor(seconds: number) {
    const at = new Date(Date.now() + 1000 * seconds)
    super('unavailable', `Too many others are asking at the moment. Please try again in ${seconds} s.`, { at })
  }
}

/** Who asks for heavy work. */
export interface Caller {
  /** The address that counts: clients take turns, and each waits behind its own earlier work. */
  client: string
  /** Aborted when the caller no longer waits: work that has not begun is dropped. */
  signal?: AbortSignal
}

/** A caller of no address, such as a script. */
export const SOMEBODY: Caller = { client: 'somebody' }

export interface FairQueue {
  /**
   * Does the work when its turn comes.
   * @throws Overloaded at once where too much waits; the signal's reason where the caller has gone before its turn
   */
  run<T>(caller: Caller, work: () => Promise<T>): Promise<T>
  /** How much work is waiting for its turn. */
  readonly waiting: number
}

interface Limits {
  /** How many are worked on side by side. */
  running: number
  /** How many may wait, of all clients together and of each. */
  waiting: number
  waitingPerClient: number
}

interface Entry {
  client: string
  begin: () => void
}

const FIRST_GUESS = 200 // ms that a piece of work takes, before any has been timed
const NEWEST_COUNTS = 0.2 // how much the newest time counts in the mean

export function createFairQueue({ running: most, waiting: mostWaiting, waitingPerClient }: Limits): FairQueue {
  const lines = new Map<string, Entry[]>() // the clients in the order of their turns
  let [running, waiting, meanMs] = [0, 0, FIRST_GUESS]

  const next = (): void => {
    while (running < most) {
      const [client, line] = lines.entries().next().value ?? []
      if (!client || !line) return
      const entry = line.shift()!
      lines.delete(client)
      if (line.length > 0) lines.set(client, line) // its next turn comes after all others'
      waiting--
      running++
      entry.begin()
    }
  }
  const leave = (entry: Entry): boolean => {
    const line = lines.get(entry.client)
    const at = line?.indexOf(entry) ?? -1
    if (!line || at < 0) return false
    line.splice(at, 1)
    if (line.length === 0) lines.delete(entry.client)
    waiting--
    return true
  }
  const turnOf = ({ client, signal }: Caller): Promise<void> => {
    const line = lines.get(client) ?? []
    if (waiting >= mostWaiting || line.length >= waitingPerClient) throw new Overloaded(Math.ceil((meanMs * (waiting + 1)) / most / 1000))
    return new Promise((resolve, reject) => {
      const drop = (): void => void (leave(entry) && reject(signal!.reason as Error))
      const entry: Entry = {
        client,
        begin() {
          signal?.removeEventListener('abort', drop)
          resolve()
        }
      }
      signal?.addEventListener('abort', drop, { once: true })
      lines.set(client, line)
      line.push(entry)
      waiting++
      next()
    })
  }
  return {
    get waiting() {
      return waiting
    },
    async run(caller, work) {
      caller.signal?.throwIfAborted()
      await turnOf(caller)
      const start = performance.now()
      try {
        return await work()
      } finally {
        meanMs += NEWEST_COUNTS * (performance.now() - start - meanMs)
        running--
        next()
      }
    }
  }
}
