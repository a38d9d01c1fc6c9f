import { describe, expect, test } from 'vitest'
import { createFairQueue, Overloaded } from '../../../src/threads/fair-queue.js'

/** Work that ends when it is told to, and a list of what has begun. */
function workshop() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const work = (name: string) => (): Promise<string> => {
    begun.push(name)
    return new Promise((resolve) => ends.set(name, () => resolve(name)))
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)!()
    await new Promise(setImmediate)
  }
  return { begun, work, end }
}

const limits = { running: 1, waiting: 10, waitingPerClient: 5 }

describe('a fair queue', () => {
  test('works on as many as it may, and on the next when one has ended', async () => {
    const { begun, work, end } = workshop()
    const queue = createFairQueue({ ...limits, running: 2 })
    const answers = ['a', 'b', 'c'].map((name) => queue.run({ client: 'one' }, work(name)))
    await new Promise(setImmediate)
    expect(begun).toEqual(['a', 'b'])
    expect(queue.waiting).toBe(1)
    await end('b')
    expect(begun).toEqual(['a', 'b', 'c'])
    await end('a')
    await end('c')
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c'])
  })

  test('gives each client its turn, however much another has asked for', async () => {
    const { begun, work, end } = workshop()
    const queue = createFairQueue(limits)
    for (const name of ['a1', 'a2', 'a3', 'a4']) void queue.run({ client: 'a' }, work(name))
    for (const name of ['b1', 'b2']) void queue.run({ client: 'b' }, work(name))
    void queue.run({ client: 'c' }, work('c1'))
    for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']) {
      await new Promise(setImmediate)
      expect(begun.at(-1)).toBe(name)
      await end(name)
    }
    expect(queue.waiting).toBe(0)
  })

  test('refuses at once what is too much, with a time to come back, and forgets it', async () => {
    const { work, end } = workshop()
    const queue = createFairQueue({ running: 1, waiting: 3, waitingPerClient: 2 })
    const names = ['a1', 'a2', 'a3']
    const accepted = names.map((name) => queue.run({ client: 'a' }, work(name)))
    const refusal = await queue.run({ client: 'a' }, work('a4')).catch((error) => error)
    expect(refusal).toBeInstanceOf(Overloaded)
    expect(refusal).toMatchObject({ reason: 'unavailable', retry: { at: expect.any(Date) } })
    const other = queue.run({ client: 'b' }, work('b1'))
    await expect(queue.run({ client: 'c' }, work('c1'))).rejects.toBeInstanceOf(Overloaded)
    for (const name of ['a1', 'a2', 'b1', 'a3']) {
      await new Promise(setImmediate)
      await end(name)
    }
    expect(await Promise.all([...accepted, other])).toEqual([...names, 'b1'])
  })

  test('drops what nobody waits for any more before it begins', async () => {
    const { begun, work, end } = workshop()
    const queue = createFairQueue(limits)
    const first = queue.run({ client: 'a' }, work('a1'))
    const leaving = new AbortController()
    const dropped = queue.run({ client: 'a', signal: leaving.signal }, work('a2'))
    const last = queue.run({ client: 'a' }, work('a3'))
    leaving.abort(new Error('has gone'))
    await expect(dropped).rejects.toThrow('has gone')
    expect(queue.waiting).toBe(1)
    await end('a1')
    await end('a3')
    expect(begun).toEqual(['a1', 'a3'])
    expect(await Promise.all([first, last])).toEqual(['a1', 'a3'])
    await expect(queue.run({ client: 'a', signal: leaving.signal }, work('a4'))).rejects.toThrow('has gone')
  })

  test('goes on after work that has failed', async () => {
    const queue = createFairQueue(limits)
    const failed = queue.run({ client: 'a' }, () => Promise.reject(new Error('broke off')))
    const other = queue.run({ client: 'a' }, async () => 'done')
    await expect(failed).rejects.toThrow('broke off')
    expect(await other).toBe('done')
  })
})
