import { describe, expect, test } from 'vitest'
import { createSharedWork } from '../../../src/services/shared-work.js'
import { createFairQueue, Overloaded } from '../../../src/threads/fair-queue.js'

describe('shared work', () => {
  test('is started once for all who ask while it is under way, and anew afterwards', async () => {
    const { run: share } = createSharedWork<number>()
    let starts = 0
    const start = async (): Promise<number> => {
      await new Promise(setImmediate)
      return ++starts
    }
    expect(await Promise.all([share('a', start), share('a', start), share('b', start)])).toEqual([1, 1, 2])
    expect(await share('a', start)).toBe(3)
  })

  test('is aborted when the last who waits has gone, and no sooner', async () => {
    const { run: share } = createSharedWork<string>()
    const signals: AbortSignal[] = []
    const start = (signal: AbortSignal): Promise<string> => {
      signals.push(signal)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    const [one, two] = [new AbortController(), new AbortController()]
    const waiting = [share('a', start, one.signal), share('a', start, two.signal)].map((answer) => answer.catch((error: Error) => error.message))
    one.abort(new Error('one has gone'))
    expect(await waiting[0]).toBe('one has gone')
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    two.abort(new Error('two has gone'))
    expect(await waiting[1]).toBe('two has gone')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    void share('a', start).catch(() => {})
    expect(signals).toHaveLength(2)
  })

  test('that has failed is started anew by the next', async () => {
    const { run: share } = createSharedWork<string>()
    await expect(share('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await share('a', async () => 'yes')).toBe('yes')
  })

  test('that was refused because of the first caller is done for the others who wait, and refused to the first alone', async () => {
    const queue = createFairQueue({ running: 1, waiting: 10, waitingPerClient: 1 })
    const { run: share } = createSharedWork<string>()
    let release = (): void => {}
    const busy = [queue.run({ client: 'greedy' }, () => new Promise<void>((resolve) => (release = resolve))), queue.run({ client: 'greedy' }, async () => {})]
    const ask = (client: string): Promise<string> => share('a', (signal) => queue.run({ client, signal }, async () => `for ${client}`))
    const asked = ['greedy', 'visitor', 'another'].map(ask)
    await expect(asked[0]).rejects.toBeInstanceOf(Overloaded)
    release()
    await Promise.all(busy)
    expect(await Promise.all(asked.slice(1))).toEqual(['for visitor', 'for visitor'])
  })

  test('that is refused to everybody ends for everybody', async () => {
    const { run: share } = createSharedWork<string>()
    let starts = 0
    const refuse = async (): Promise<string> => {
      starts++
      throw new Overloaded(1)
    }
    const ends = await Promise.allSettled([share('a', refuse), share('a', refuse), share('a', refuse)])
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(starts).toBe(3)
  })
})
