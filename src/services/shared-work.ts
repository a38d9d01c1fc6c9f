import { Overloaded } from '../threads/fair-queue.js'

export interface SharedWork<T> {
  /** How much work is under way. */
  readonly size: number
  /**
   * The result of `start`, or of the work under way for this key. Where that work was refused because of whoever had started
   * it, the others start it for themselves.
   * @param signal aborted when the caller no longer waits
   */
  run(key: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>
}

interface Work<T> {
  result: Promise<T>
  callers: number
  stop: AbortController
}

/**
 * Work that several callers may wait for: it is started once for a key, all who ask meanwhile get the same result, and its
 * signal is aborted when the last of them has gone.
 */
export function createSharedWork<T>(): SharedWork<T> {
  const underWay = new Map<string, Work<T>>()

  const begin = (key: string, start: (signal: AbortSignal) => Promise<T>): Work<T> => {
    const stop = new AbortController()
    const work = { result: start(stop.signal), callers: 0, stop }
    underWay.set(key, work)
    const end = (): void => void (underWay.get(key) === work && underWay.delete(key))
    work.result.then(end, end)
    return work
  }
  const leave = (key: string, work: Work<T>, reason: unknown): void => {
    if (--work.callers > 0) return
    if (underWay.get(key) === work) underWay.delete(key) // whoever asks next starts anew
    work.stop.abort(reason)
  }
  const wait = (key: string, work: Work<T>, signal?: AbortSignal): Promise<T> => {
    work.callers++
    if (!signal) return work.result
    let hasGone = (): void => {}
    const gone = new Promise<never>((_, reject) => {
      hasGone = () => {
        leave(key, work, signal.reason)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', hasGone, { once: true })
    })
    return Promise.race([work.result, gone]).finally(() => signal.removeEventListener('abort', hasGone))
  }
  return {
    get size() {
      return underWay.size
    },
    async run(key, start, signal) {
      for (;;) {
        signal?.throwIfAborted()
        const others = underWay.get(key)
        try {
          return await wait(key, others ?? begin(key, start), signal)
        } catch (error) {
          if (!others || !(error instanceof Overloaded)) throw error
        }
      }
    }
  }
}
