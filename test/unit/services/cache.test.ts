import { describe, expect, test } from 'vitest'
import { createCache, type Cache, type Cached } from '../../../src/services/cache.js'

interface Thing extends Cached {
  name: string
}

/** A value that is being made until the test says that it is ready or has failed. */
function making(): {
  make: () => Promise<Thing>
  ready(thing: Thing): void
  fail(error: Error): void
  made: () => number
} {
  let ready!: (thing: Thing) => void
  let fail!: (error: Error) => void
  const promise = new Promise<Thing>((resolve, reject) => ([ready, fail] = [resolve, reject]))
  let times = 0
  return {
    make: () => {
      times++
      return promise
    },
    ready,
    fail,
    made: () => times
  }
}

/** Asks for values of these sizes, and lists those that had to be made. */
function asker(cache: Cache): { ask(name: string, bytes: number): Promise<Thing>; made: string[] } {
  const made: string[] = []
  const ask = (name: string, bytes: number): Promise<Thing> =>
    cache.get(name, async () => {
      made.push(name)
      return { name, bytes }
    })
  return { ask, made }
}

describe('the cache', () => {
  test('makes a value once for a key and then returns the same one', async () => {
    const { ask, made } = asker(createCache(100))
    const first = await ask('a', 10)
    expect(await ask('a', 10)).toBe(first)
    expect(made).toEqual(['a'])
  })

  test('keeps a value for each key', async () => {
    const { ask, made } = asker(createCache(100))
    const answers = await Promise.all([ask('a', 10), ask('b', 10)])
    expect(answers.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(made).toEqual(['a', 'b'])
  })

  test('makes a value once for callers at the same time', async () => {
    const cache = createCache(100)
    const { make, ready, made } = making()
    const callers = [cache.get('a', make), cache.get('a', make), cache.get('a', make)]
    ready({ name: 'a', bytes: 10 })
    const answers = await Promise.all(callers)
    expect(made()).toBe(1)
    expect(answers[1]).toBe(answers[0])
    expect(answers[2]).toBe(answers[0])
  })

  test('gives callers at the same time the same failure, and tries again for the next caller', async () => {
    const cache = createCache(100)
    const { make, fail, made } = making()
    const callers = [cache.get('a', make), cache.get('a', make)]
    fail(new Error('no memory'))
    const answers = await Promise.allSettled(callers)
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(made()).toBe(1)
    expect(cache.size).toBe(0)
    expect(await cache.get('a', async () => ({ name: 'second try', bytes: 10 }))).toMatchObject({ name: 'second try' })
  })

  test('keeps the other values when one fails', async () => {
    const cache = createCache(100)
    const { ask, made } = asker(cache)
    await ask('a', 10)
    await expect(cache.get('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    await ask('a', 10)
    expect(made).toEqual(['a'])
  })

  test('keeps exactly as many bytes as it may', async () => {
    const { ask, made } = asker(createCache(100))
    for (const name of ['a', 'b']) await ask(name, 50)
    for (const name of ['a', 'b']) await ask(name, 50)
    expect(made).toEqual(['a', 'b'])
  })

  test('evicts the value that was used least recently', async () => {
    const { ask, made } = asker(createCache(100))
    for (const name of ['a', 'b', 'c']) await ask(name, 30)
    await ask('a', 30)
    await ask('d', 30)
    made.length = 0
    for (const name of ['a', 'c', 'd']) await ask(name, 30)
    expect(made).toEqual([])
    await ask('b', 30)
    expect(made).toEqual(['b'])
  })

  test('evicts until there is room, and no more', async () => {
    const { ask, made } = asker(createCache(100))
    for (const name of ['a', 'b', 'c', 'd']) await ask(name, 25)
    await ask('large', 50)
    made.length = 0
    for (const name of ['c', 'd', 'large']) await ask(name, 25)
    expect(made).toEqual([])
    await ask('a', 25)
    expect(made).toEqual(['a'])
  })

  test('returns a value larger than the whole cache without keeping it', async () => {
    const { ask, made } = asker(createCache(100))
    expect(await ask('huge', 101)).toEqual({ name: 'huge', bytes: 101 })
    await ask('huge', 101)
    expect(made).toEqual(['huge', 'huge'])
    await ask('small', 100)
    await ask('small', 100)
    expect(made).toEqual(['huge', 'huge', 'small'])
  })

  test('still shares a value that is being made when another turns out too large', async () => {
    const cache = createCache(100)
    const { make, ready, made } = making()
    const first = cache.get('a', make)
    await cache.get('huge', async () => ({ name: 'huge', bytes: 1000 }))
    const second = cache.get('a', make)
    ready({ name: 'a', bytes: 10 })
    expect(await second).toBe(await first)
    expect(made()).toBe(1)
  })

  test('still shares a value that is being made when others fill the cache', async () => {
    const cache = createCache(100)
    const { ask } = asker(cache)
    const { make, ready, made } = making()
    const first = cache.get('a', make)
    for (const name of ['b', 'c', 'd', 'e']) await ask(name, 60)
    expect(cache.size).toBe(2)
    const second = cache.get('a', make)
    ready({ name: 'a', bytes: 10 })
    expect(await second).toBe(await first)
    expect(made()).toBe(1)
    expect(await cache.get('a', make)).toBe(await first)
    expect(made()).toBe(1)
  })
})
