import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { watchProgress } from '../../../src/collecting/follow-progress.js'
import type { CollectJob } from '../../../src/storage/collect-jobs.js'

/** Looks that are counted; each finds all who are asked for, with the number of the look. */
function looks({ fail = () => false, until = Promise.resolve() }: { fail?: (look: number) => boolean; until?: Promise<void> } = {}) {
  const asked: string[][] = []
  const find = async (names: string[]): Promise<CollectJob[]> => {
    asked.push([...names].sort())
    const read = asked.length
    await until
    if (fail(read)) throw new Error('away')
    return names.map((usernameKey) => ({ usernameKey, read }) as CollectJob)
  }
  return { asked, find }
}

const forever = new AbortController().signal

describe('following the progress', () => {
  test('takes one look for all who follow', async () => {
    const { asked, find } = looks()
    const { follow } = watchProgress({ find }, 20)
    const all = Array.from({ length: 100 }, (_, i) => follow([i % 2 ? 'Ann' : 'bob', 'Cleo'], forever))
    for (let i = 0; i < 3; i++) {
      const seen = await Promise.all(all.map((one) => one.next()))
      expect(new Set(seen.map(({ value }) => (value as CollectJob[]).map(({ usernameKey }) => usernameKey).join()))).toEqual(new Set(['ann,cleo', 'bob,cleo']))
    }
    expect(asked.length).toBeLessThanOrEqual(4)
    expect(asked.at(-1)).toEqual(['ann', 'bob', 'cleo'])
    await Promise.all(all.map((one) => one.return(undefined)))
  })

  test('ends when the follower leaves, and looks no more when nobody follows', async () => {
    const { asked, find } = looks()
    const { follow } = watchProgress({ find }, 5)
    const leaving = new AbortController()
    const one = follow(['ann'], leaving.signal)
    await one.next()
    leaving.abort()
    expect((await one.next()).done).toBe(true)
    const before = asked.length
    await pause(50)
    expect(asked).toHaveLength(before)
  })

  test('never looks twice at the same time, also while the database is silent', async () => {
    let answer = (): void => {}
    const { asked, find } = looks({ until: new Promise((resolve) => (answer = resolve)) })
    const { follow } = watchProgress({ find }, 1)
    const waiting: Promise<unknown>[] = []
    for (let i = 0; i < 20; i++) {
      waiting.push(follow(['ann'], forever).next())
      await pause(2)
    }
    expect(asked).toHaveLength(1)
    answer()
    await Promise.all(waiting)
    expect(asked.length).toBeLessThanOrEqual(2)
  })

  test('fails where the first look fails, and leaves a later one out', async () => {
    const { find } = looks({ fail: (look) => look === 2 })
    const one = watchProgress({ find }, 1).follow(['ann'], forever)
    const read = async () => ((await one.next()).value as CollectJob[])[0].read
    expect([await read(), await read()]).toEqual([1, 3])
    await expect(watchProgress({ find: () => Promise.reject(new Error('away')) }).follow(['ann'], forever).next()).rejects.toThrow('away')
  })
})
