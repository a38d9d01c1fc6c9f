import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findCandidates } from '../../../src/prediction/candidates.js'
import { predictAuthor, type Prediction } from '../../../src/prediction/predict-author.js'
import type { Threads } from '../../../src/threads/pool.js'
import { slices } from '../../../src/core/vectors.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, type TestServices } from '../../support/services.js'
import type { UserProfile } from '../../../src/storage/users.js'
import { sharedThreads } from '../../support/threads.js'

const BOTH = ['Calm_Example', 'Keen_Example']
const FEELINGS = ['sleepy', 'happy', 'lost', 'soft', 'cosy', 'fine', 'quiet']
const THINGS = ['kettle', 'garden', 'moon', 'cat', 'bread', 'train', 'rain', 'bike', 'bus']

const calm = (i: number): string => `${FEELINGS[i % 7]} about the ${THINGS[i % 9]} idk number ${i} 🌱`
const keen = (i: number): string => `${THINGS[i % 9]} ${FEELINGS[i % 7]} ${i}!!! #GO`.toUpperCase()
const stern = (i: number): string =>
  `Regarding the ${THINGS[i % 9]}, §${i}: it remains ${FEELINGS[i % 7]}; see overleaf.`

const profile = (username: string): UserProfile =>
  ({ id: `archive:${username}`, username, name: username, pictureUrl: null, source: 'archive' })

const threads = sharedThreads()

describe.each(databases)('candidates on the $name', ({ open }) => {
  let database: TestDatabase
  let services: TestServices
  let fits: number

  /** Stores tweets of a user, numbered from `from` on. */
  async function save(by: TestServices, username: string, texts: string[], from = 0): Promise<void> {
    const vectors = slices(await threads.embed(texts), texts.length)
    const tweets = texts.map((text, i) => ({
      id: `${username}:${from + i}`,
      text,
      createdAt: new Date(Date.UTC(2026, 0, 1 + from + i)),
      position: BigInt(from + i),
      embedding: vectors[i]
    }))
    await by.tweetStore.saveTweets(profile(username), null, tweets, await threads.encoderName())
  }

  /** Services as another process would have them, which count what they fit. */
  async function openServices(): Promise<TestServices> {
    const fit: Threads['fit'] = (set) => {
      fits++
      return threads.fit(set)
    }
    return openTestServices(database, {}, { ...threads, fit })
  }

  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.close())

  beforeEach(async () => {
    fits = 0
    services = await openServices()
    await services.userStore.reset()
    await save(services, 'Calm_Example', Array.from({ length: 30 }, (_, i) => calm(i)))
    await save(services, 'Keen_Example', Array.from({ length: 25 }, (_, i) => keen(i)))
  })
  afterEach(() => services.close())

  test('are the users with all their tweets, vectors and places', async () => {
    const { users, tweets, starts, vectors, attribution, bytes } = await findCandidates(services, BOTH)
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
    expect(attribution.map.places).toHaveLength(2 * 55)
    expect(attribution.map.places.every(Number.isFinite)).toBe(true)
    const made = await threads.embed([tweets[7].text])
    made.forEach((x, j) => expect(vectors[0][7 * made.length + j]).toBeCloseTo(x, 4))
    expect(attribution.reliability.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(55)
    expect(bytes).toBeGreaterThan(attribution.ngrams.values.byteLength + attribution.ngramModel.weights.byteLength)
  })

  test('are kept for the next question, in whatever order and case the users are named', async () => {
    const first = await findCandidates(services, BOTH)
    expect(await findCandidates(services, BOTH)).toBe(first)
    expect(await findCandidates(services, ['KEEN_example', 'calm_EXAMPLE'])).toBe(first)
    expect(fits).toBe(1)
  })

  test('are fitted once for callers at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => findCandidates(services, BOTH)))
    expect(fits).toBe(1)
    for (const answer of answers) expect(answer).toBe(answers[0])
  })

  test('are others for other users', async () => {
    await save(services, 'Stern_Example', Array.from({ length: 20 }, (_, i) => stern(i)))
    const two = await findCandidates(services, BOTH)
    const three = await findCandidates(services, [...BOTH, 'Stern_Example'])
    expect(three.tweets).toHaveLength(75)
    expect(await findCandidates(services, BOTH)).toBe(two)
    expect(fits).toBe(2)
  })

  test('are fitted anew after tweets are collected', async () => {
    const before = await findCandidates(services, BOTH)
    await save(services, 'Keen_Example', [keen(25)], 25)
    const after = await findCandidates(services, BOTH)
    expect(after).not.toBe(before)
    expect(after.tweets.map(({ id }) => id)).toContain('Keen_Example:25')
    expect(after.users[1].tweets).toBe(26)
    expect(fits).toBe(2)
  })

  test('are fitted anew after a tweet is removed', async () => {
    await findCandidates(services, BOTH)
    await services.prisma.tweet.deleteMany({ where: { id: 'Calm_Example:3' } })
    const after = await findCandidates(services, BOTH)
    expect(after.tweets.map(({ id }) => id)).not.toContain('Calm_Example:3')
    expect(after.tweets).toHaveLength(54)
  })

  test('are fitted anew after as many tweets are removed as collected', async () => {
    await findCandidates(services, BOTH)
    await services.prisma.tweet.deleteMany({ where: { id: 'Keen_Example:3' } })
    await save(services, 'Keen_Example', [keen(25)], 25)
    const ids = (await findCandidates(services, BOTH)).tweets.map(({ id }) => id)
    expect(ids).toHaveLength(55)
    expect(ids).toContain('Keen_Example:25')
    expect(ids).not.toContain('Keen_Example:3')
  })

  test('are fitted anew after a user is removed and another of the name is added', async () => {
    await findCandidates(services, BOTH)
    await services.userStore.removeUser('archive:Keen_Example')
    await save(services, 'Keen_Example', Array.from({ length: 25 }, (_, i) => stern(i)))
    const { tweets } = await findCandidates(services, BOTH)
    expect(tweets.filter(({ label }) => label === 1).map(({ text }) => text).sort())
      .toEqual(Array.from({ length: 25 }, (_, i) => stern(i)).sort())
  })

  test('are fitted anew with the vectors of another encoder', async () => {
    const before = await findCandidates(services, BOTH)
    const embed: Threads['embed'] = async (texts) => new Float32Array(texts.flatMap(() => [0.6, 0.8]))
    const other = { ...services, threads: { ...services.threads, embed, encoderName: async () => 'other-encoder@1' } }
    const after = await findCandidates(other, BOTH)
    expect(after).not.toBe(before)
    expect(after.vectors.map(({ length }) => length)).toEqual([30 * 2, 25 * 2])
  })

  test('say so where tweets are not embedded however often they are', async () => {
    const forgetful = { ...services.tweetStore, saveVectors: async () => {} }
    const other = { ...services, tweetStore: forgetful, threads: { ...services.threads, encoderName: async () => 'other-encoder@1' } }
    await expect(findCandidates(other, BOTH)).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringContaining('keep changing') })
  })

  test('belong to one version of each user, also while others change them and remove them', async () => {
    const other = await openServices()
    const sayings = (n: number): string[] => Array.from({ length: 20 + (n % 5) }, (_, i) => `version ${n}: ${THINGS[i % 9]} ${FEELINGS[i % 7]} ${i}`)
    let isOver = false
    const change = async (): Promise<void> => {
      for (let n = 0; n < 12; n++) {
        const texts = sayings(n)
        const vectors = slices(await threads.embed(texts), texts.length)
        const tweets = texts.map((text, i) => ({ id: `${i}`, text, createdAt: null, position: BigInt(i), embedding: vectors[i] }))
        await other.tweetStore.replaceUsers([{ user: profile('Keen_Example'), tweets }], await threads.encoderName())
        if (n % 4 === 3) await other.userStore.reset()
        if (n % 4 === 3) await save(other, 'Calm_Example', Array.from({ length: 30 }, (_, i) => calm(i)))
      }
      isOver = true
    }
    const ask = async (): Promise<void> => {
      while (!isOver) {
        const found = await findCandidates(services, BOTH).catch((error: unknown) => {
          expect(error).toMatchObject({ reason: expect.stringMatching(/^(not-found|unusable|unavailable)$/) })
        })
        if (!found) continue
        const texts = found.tweets.filter(({ label }) => label === 1).map(({ text }) => text.replace(/:.*/s, ''))
        expect(texts).toHaveLength(found.users[1].tweets)
        if (texts[0].startsWith('version')) expect(new Set(texts).size).toBe(1)
      }
    }
    await Promise.all([change(), ask(), ask(), ask()]).finally(() => other.close())
  })

  test('say that a user is not there who is removed while the fit waits for its turn', async () => {
    const removing = {
      ...services.tweetStore,
      loadCorpus: async (...args: Parameters<typeof services.tweetStore.loadCorpus>) => {
        await services.userStore.reset()
        return services.tweetStore.loadCorpus(...args)
      }
    }
    await expect(findCandidates({ ...services, tweetStore: removing }, BOTH)).rejects.toMatchObject({ reason: 'not-found' })
  })

  test('are tried again after a fit that failed', async () => {
    const failing = { ...services, threads: { ...services.threads, fit: () => Promise.reject(new Error('out of memory')) } }
    await expect(findCandidates(failing, BOTH)).rejects.toThrow('out of memory')
    expect((await findCandidates(services, BOTH)).tweets).toHaveLength(55)
  })

  test('are not there for a user who is not there or has too few tweets, also after they were', async () => {
    await findCandidates(services, BOTH)
    const where = { user: { username: 'Keen_Example' }, position: { lt: 6 } }
    await services.prisma.tweet.deleteMany({ where })
    const few = { reason: 'unusable', message: expect.stringContaining('19 tweets') }
    await expect(findCandidates(services, BOTH)).rejects.toMatchObject(few)
    await services.userStore.removeUser('archive:Keen_Example')
    await expect(findCandidates(services, BOTH)).rejects.toMatchObject({ reason: 'not-found' })
    expect(fits).toBe(1)
  })

  test('of one process are fitted anew after another process has collected tweets', async () => {
    const other = await openServices()
    try {
      const text = 'Regarding the ferry, §99: it remains cosy; see overleaf.'
      const ask = (): Promise<Prediction> => predictAuthor(services, { usernames: BOTH, text })
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
