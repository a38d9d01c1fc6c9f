import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findCandidates } from '../src/candidates.js'
import { predictAuthor, type Prediction } from '../src/predict-author.js'
import type { UserProfile } from '../src/store.js'
import { openThreads, type Threads } from '../src/threads.js'
import { slices } from '../src/vectors.js'
import { databases, type TestDatabase } from './helpers/databases.js'
import { openTestParts, type TestParts } from './helpers/parts.js'

const BOTH = ['Calm_Example', 'Keen_Example']
const FEELINGS = ['sleepy', 'happy', 'lost', 'soft', 'cosy', 'fine', 'quiet']
const THINGS = ['kettle', 'garden', 'moon', 'cat', 'bread', 'train', 'rain', 'bike', 'bus']

const calm = (i: number): string => `${FEELINGS[i % 7]} about the ${THINGS[i % 9]} idk number ${i} 🌱`
const keen = (i: number): string => `${THINGS[i % 9]} ${FEELINGS[i % 7]} ${i}!!! #GO`.toUpperCase()
const stern = (i: number): string =>
  `Regarding the ${THINGS[i % 9]}, §${i}: it remains ${FEELINGS[i % 7]}; see overleaf.`

const profile = (username: string): UserProfile =>
  ({ id: `archive:${username}`, username, name: username, pictureUrl: null, source: 'archive' })

let threads: Threads

beforeAll(() => {
  threads = openThreads()
})
afterAll(() => threads.close())

describe.each(databases)('candidates on the $name', ({ open }) => {
  let database: TestDatabase
  let parts: TestParts
  let fits: number

  /** Stores tweets of a user, numbered from `from` on. */
  async function save(by: TestParts, username: string, texts: string[], from = 0): Promise<void> {
    const vectors = slices(await threads.embed(texts), texts.length)
    const tweets = texts.map((text, i) => ({
      id: `${username}:${from + i}`,
      text,
      createdAt: new Date(Date.UTC(2026, 0, 1 + from + i)),
      position: BigInt(from + i),
      embedding: vectors[i]
    }))
    await by.store.saveTweets(profile(username), null, tweets, await threads.encoderName())
  }

  /** Parts as another process would have them, which count what they fit. */
  function openParts(): TestParts {
    const fit: Threads['fit'] = (set) => {
      fits++
      return threads.fit(set)
    }
    return openTestParts(database, {}, { ...threads, fit })
  }

  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.close())

  beforeEach(async () => {
    fits = 0
    parts = openParts()
    await parts.store.reset()
    await save(parts, 'Calm_Example', Array.from({ length: 30 }, (_, i) => calm(i)))
    await save(parts, 'Keen_Example', Array.from({ length: 25 }, (_, i) => keen(i)))
  })
  afterEach(() => parts.close())

  test('are the users with all their tweets, vectors and places', async () => {
    const { users, tweets, starts, vectors, attribution, places, bytes } = await findCandidates(parts, BOTH)
    expect(users.map(({ username }) => username)).toEqual(BOTH)
    expect(tweets).toHaveLength(55)
    expect(starts).toEqual([0, 30, 55])
    tweets.forEach(({ label, id, text, createdAt }, i) => {
      expect(label).toBe(i < 30 ? 0 : 1)
      const number = Number(id.split(':')[1])
      expect(id).toBe(`${BOTH[label]}:${number}`)
      expect(text).toBe([calm, keen][label](number))
      expect(createdAt).toEqual(new Date(Date.UTC(2026, 0, 1 + number)))
    })
    expect(places.map(({ length }) => length)).toEqual([30, 25])
    expect(places.flat(2).every(Number.isFinite)).toBe(true)
    const made = await threads.embed([tweets[7].text])
    made.forEach((x, j) => expect(vectors[0][7 * made.length + j]).toBeCloseTo(x, 4))
    expect(attribution.reliability.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(55)
    expect(bytes).toBeGreaterThan(attribution.ngrams.values.byteLength + attribution.ngramModel.weights.byteLength)
  })

  test('are kept for the next question, in whatever order and case the users are named', async () => {
    const first = await findCandidates(parts, BOTH)
    expect(await findCandidates(parts, BOTH)).toBe(first)
    expect(await findCandidates(parts, ['KEEN_example', 'calm_EXAMPLE'])).toBe(first)
    expect(fits).toBe(1)
  })

  test('are fitted once for callers at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => findCandidates(parts, BOTH)))
    expect(fits).toBe(1)
    for (const answer of answers) expect(answer).toBe(answers[0])
  })

  test('are others for other users', async () => {
    await save(parts, 'Stern_Example', Array.from({ length: 20 }, (_, i) => stern(i)))
    const two = await findCandidates(parts, BOTH)
    const three = await findCandidates(parts, [...BOTH, 'Stern_Example'])
    expect(three.tweets).toHaveLength(75)
    expect(await findCandidates(parts, BOTH)).toBe(two)
    expect(fits).toBe(2)
  })

  test('are fitted anew after tweets are collected', async () => {
    const before = await findCandidates(parts, BOTH)
    await save(parts, 'Keen_Example', [keen(25)], 25)
    const after = await findCandidates(parts, BOTH)
    expect(after).not.toBe(before)
    expect(after.tweets.map(({ id }) => id)).toContain('Keen_Example:25')
    expect(after.users[1].tweets).toBe(26)
    expect(fits).toBe(2)
  })

  test('are fitted anew after a tweet is removed', async () => {
    await findCandidates(parts, BOTH)
    await parts.prisma.tweet.deleteMany({ where: { id: 'Calm_Example:3' } })
    const after = await findCandidates(parts, BOTH)
    expect(after.tweets.map(({ id }) => id)).not.toContain('Calm_Example:3')
    expect(after.tweets).toHaveLength(54)
  })

  test('are fitted anew after as many tweets are removed as collected', async () => {
    await findCandidates(parts, BOTH)
    await parts.prisma.tweet.deleteMany({ where: { id: 'Keen_Example:3' } })
    await save(parts, 'Keen_Example', [keen(25)], 25)
    const ids = (await findCandidates(parts, BOTH)).tweets.map(({ id }) => id)
    expect(ids).toHaveLength(55)
    expect(ids).toContain('Keen_Example:25')
    expect(ids).not.toContain('Keen_Example:3')
  })

  test('are fitted anew after a user is removed and another of the name is added', async () => {
    await findCandidates(parts, BOTH)
    await parts.store.removeUser('archive:Keen_Example')
    await save(parts, 'Keen_Example', Array.from({ length: 25 }, (_, i) => stern(i)))
    const { tweets } = await findCandidates(parts, BOTH)
    expect(tweets.filter(({ label }) => label === 1).map(({ text }) => text).sort())
      .toEqual(Array.from({ length: 25 }, (_, i) => stern(i)).sort())
  })

  test('are fitted anew with the vectors of another encoder', async () => {
    const before = await findCandidates(parts, BOTH)
    const embed: Threads['embed'] = async (texts) => new Float32Array(texts.flatMap(() => [0.6, 0.8]))
    const other = { ...parts, threads: { ...parts.threads, embed, encoderName: async () => 'other-encoder@1' } }
    const after = await findCandidates(other, BOTH)
    expect(after).not.toBe(before)
    expect(after.vectors.map(({ length }) => length)).toEqual([30 * 2, 25 * 2])
  })

  test('say so where tweets are not embedded however often they are', async () => {
    const forgetful = { ...parts.store, saveVectors: async () => {} }
    const other = { ...parts, store: forgetful, threads: { ...parts.threads, encoderName: async () => 'other-encoder@1' } }
    await expect(findCandidates(other, BOTH)).rejects.toMatchObject({ status: 503, message: expect.stringContaining('keep changing') })
  })

  test('are tried again after a fit that failed', async () => {
    const failing = { ...parts, threads: { ...parts.threads, fit: () => Promise.reject(new Error('out of memory')) } }
    await expect(findCandidates(failing, BOTH)).rejects.toThrow('out of memory')
    expect((await findCandidates(parts, BOTH)).tweets).toHaveLength(55)
  })

  test('are not there for a user who is not there or has too few tweets, also after they were', async () => {
    await findCandidates(parts, BOTH)
    const where = { user: { username: 'Keen_Example' }, position: { lt: 6 } }
    await parts.prisma.tweet.deleteMany({ where })
    const few = { status: 422, message: expect.stringContaining('19 tweets') }
    await expect(findCandidates(parts, BOTH)).rejects.toMatchObject(few)
    await parts.store.removeUser('archive:Keen_Example')
    await expect(findCandidates(parts, BOTH)).rejects.toMatchObject({ status: 404 })
    expect(fits).toBe(1)
  })

  test('of one process are fitted anew after another process has collected tweets', async () => {
    const other = openParts()
    try {
      const text = 'Regarding the ferry, §99: it remains cosy; see overleaf.'
      const ask = (): Promise<Prediction> => predictAuthor(parts, { usernames: BOTH, text })
      const before = await ask()
      expect((await ask()).reliability.tweets).toBe(55)
      expect(fits).toBe(1)
      await save(other, 'Keen_Example', Array.from({ length: 40 }, (_, i) => stern(i)), 25)
      const after = await ask()
      expect(fits).toBe(2)
      expect(after.reliability.tweets).toBe(95)
      expect(after.author).toBe('Keen_Example')
      expect(after.verdict).toBe('named')
      expect(before.verdict).not.toBe('named')
      const { nearest } = after.candidates[0]
      expect(nearest.every(({ text }) => text.startsWith('Regarding'))).toBe(true)
    } finally {
      await other.close()
    }
  })
})
