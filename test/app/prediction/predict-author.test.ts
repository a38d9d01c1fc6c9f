import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCache } from '../../../src/services/cache.js'
import { MODELS_MEMORY } from '../../../src/services/services.js'
import { predictAuthor } from '../../../src/prediction/predict-author.js'
import { maskLinks } from '../../../src/text/normalize.js'
import type { Threads } from '../../../src/threads/pool.js'
import { dot, fromBytes, slices, toBytes } from '../../../src/core/vectors.js'
import { collect } from '../../support/collect.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, type TestServices } from '../../support/services.js'
import { startXApi } from '../../../support/x-api-stand-in.js'
import { sharedThreads } from '../../support/threads.js'

const EVERYBODY = ['Tansy_Example', 'Fell_Example', 'Bangs_Example', 'Query_Example']

/** Texts that none of them wrote, in the manner of each. */
const IN_THE_MANNER_OF = [
  ['Tansy_Example', 'a bit sleepy about my socks today lol 🧦'],
  ['Tansy_Example', 'kinda soft about the garden today idk 🌙✨'],
  ['Fell_Example', 'It must be noted that the village library requires further funds; particulars will follow.'],
  ['Fell_Example', 'With some regret, I observe that the annual dinner has been postponed.'],
  ['Bangs_Example', 'WAKE UP!!! PANCAKES TONIGHT!! #WINNING #LETSGO'],
  ['Bangs_Example', 'NO WAY!!! THE PARADE IS TOMORROW!! #GameOn'],
  ['Query_Example', 'Wait, has anyone ever count a puddle? Or is it just me?'],
  ['Query_Example', 'Why does nobody really understand doorbells? Asking for a friend?']
]

const threads = sharedThreads()

describe.each(databases)('predicting the author from the $name', ({ open }) => {
  let database: TestDatabase
  let services: TestServices

  beforeAll(async () => {
    database = await open()
    const x = await startXApi()
    for (const [username, posts] of [['Few_Example', 19], ['Enough_Example', 20], ['One_Example', 1]] as const) {
      x.addUser(username)
      x.addPosts(username, Array.from({ length: posts }, (_, i) => `number ${i} of not so many`))
    }
    const settings = { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '60' }
    services = await openTestServices(database, settings, threads)
    for (const username of [...EVERYBODY, 'Few_Example', 'Enough_Example', 'One_Example']) {
      await collect(services, username)
    }
    await x.close()
  })
  afterAll(async () => {
    await services.close()
    await database.close()
  })

  const ask = (usernames: string[], text = 'who says so?') => predictAuthor(services, { usernames, text })
  const idOf = async (username: string): Promise<string> => (await services.userStore.findUser(username))!.id

  test.each([2, 3, 4])('gives each of %d users a probability, most likely first, which sum to 1', async (n) => {
    const { text, author, candidates } = await ask(EVERYBODY.slice(0, n), 'Hello there')
    expect(text).toBe('Hello there')
    expect(candidates.map(({ user }) => user.username).sort()).toEqual(EVERYBODY.slice(0, n).sort())
    const probabilities = candidates.map(({ probability }) => probability)
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9)
    expect(probabilities.every((p) => p > 0 && p < 1)).toBe(true)
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
    expect(author).toBe(candidates[0].user.username)
  })

  test.each(IN_THE_MANNER_OF)("knows %s's manner of writing: %s", async (username, text) => {
    expect((await ask(EVERYBODY, text)).author).toBe(username)
  })

  test('gives the same answer to the same question, in whatever order and case the users are named', async () => {
    const text = 'the kettle is on'
    const first = await ask(['Tansy_Example', 'Fell_Example'], text)
    expect(await ask(['Tansy_Example', 'Fell_Example'], text)).toEqual(first)
    expect(await ask(['FELL_EXAMPLE', 'tansy_example'], text)).toEqual(first)
    const afresh = { ...services, models: createCache(MODELS_MEMORY), corpora: createCache(MODELS_MEMORY) }
    expect(await predictAuthor(afresh, { usernames: ['Fell_Example', 'Tansy_Example'], text })).toEqual(first)
  })

  test('says why: services that add up to scores whose softmax is the probabilities', async () => {
    const text = 'LETS GOOO about the kettle? 🌱 https://t.co/abc'
    const { candidates, characters } = await ask(EVERYBODY, text)
    expect(characters.join('')).toBe(maskLinks(text))
    const odds = candidates.map(({ score }) => Math.exp(score))
    candidates.forEach((candidate, c) => {
      const { score, ngrams, encoder, intercept, characters: shades, pieces } = candidate
      expect(ngrams + encoder + intercept).toBeCloseTo(score, 9)
      expect(shades).toHaveLength(characters.length)
      expect(shades.reduce((sum, x) => sum + x, 0)).toBeCloseTo(ngrams, 9)
      expect(pieces.length).toBeGreaterThan(0)
      expect(candidate.probability).toBeCloseTo(odds[c] / odds.reduce((sum, x) => sum + x, 0), 6)
    })
  })

  test("shows each candidate's nearest tweets, nearest first, of their own", async () => {
    const [{ text }] = (await services.tweetStore.listTweets(await idOf('Fell_Example'), 1)).tweets
    const { candidates } = await ask(EVERYBODY, text)
    for (const { user, nearest } of candidates) {
      const own = (await services.tweetStore.listTexts(user.id)).map(({ text }) => text)
      expect(nearest).toHaveLength(2)
      expect(nearest[0].similarity).toBeGreaterThanOrEqual(nearest[1].similarity)
      for (const near of nearest) {
        expect(own).toContain(near.text)
        const [a, b] = slices(await threads.embed([text, near.text]), 2)
        expect(near.similarity).toBeCloseTo(dot(a, b), 4)
      }
    }
    const fell = candidates.find(({ user }) => user.username === 'Fell_Example')!
    expect(fell.nearest[0]).toMatchObject({ text, similarity: expect.closeTo(1, 4) })
  })

  test('says how far to trust it, of the candidates in their order', async () => {
    const { candidates, reliability } = await ask(EVERYBODY)
    const { accuracy, chance, confusion, tweets } = reliability
    const sizes = candidates.map(({ user }) => user.tweets)
    expect(confusion.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual(sizes)
    expect(tweets).toBe(sizes.reduce((sum, n) => sum + n, 0))
    expect(accuracy).toBeCloseTo(confusion.reduce((sum, row, c) => sum + row[c], 0) / tweets, 12)
    expect(chance).toBe(0.25)
  })

  test('trusts manners as different as these', async () => {
    expect((await ask(EVERYBODY)).reliability.accuracy).toBeGreaterThan(0.9)
  })

  test('draws a map of up to forty of the newest tweets of each, and the text', async () => {
    const { map } = await ask([...EVERYBODY.slice(0, 3), 'Enough_Example'])
    for (const [username, dots] of [['Fell_Example', 40], ['Tansy_Example', 40], ['Enough_Example', 20]] as const) {
      const newest = (await services.tweetStore.listTweets(await idOf(username), 1)).tweets.slice(0, dots)
      expect(map.tweets.filter((dot) => dot.username === username).map(({ text }) => text))
        .toEqual(newest.map(({ text }) => text))
    }
    expect(map.tweets).toHaveLength(140)
    const places = [map.text, ...map.tweets.map(({ place }) => place)]
    for (const place of places) expect(place.every(Number.isFinite)).toBe(true)
  })

  test.each([
    ['a single character', 'x'],
    ['an emoji', '👩🏽‍🚀'],
    ['Japanese', '今日はとても暑いですね。'],
    ['lines', 'one\ntwo\n\nthree'],
    ['the longest', 'word '.repeat(800)],
    ['nothing but a link', 'https://t.co/abc']
  ])('takes a text that is %s', async (_, text) => {
    const { candidates } = await ask(EVERYBODY.slice(0, 2), text)
    expect(candidates.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9)
  })

  test('is a 404 that names the user who is not there', async () => {
    const error = { reason: 'not-found', message: expect.stringContaining('@nobody_here') }
    await expect(ask(['Fell_Example', 'nobody_here'])).rejects.toMatchObject(error)
  })

  test('is a 422 that names a user with too few tweets, and their number', async () => {
    const few = { reason: 'unusable', message: expect.stringMatching(/@Few_Example has 19 tweets\b.*\b20\b/) }
    await expect(ask(['Fell_Example', 'few_example'])).rejects.toMatchObject(few)
    const one = { reason: 'unusable', message: expect.stringMatching(/@One_Example has 1 tweet /) }
    await expect(ask(['One_Example', 'Fell_Example'])).rejects.toMatchObject(one)
  })

  test('is content with twenty tweets', async () => {
    expect((await ask(['Fell_Example', 'Enough_Example'], 'number 77 of not so many')).author).toBe('Enough_Example')
  })

  test('makes the vectors of another encoder anew, once, and mixes none of them in', async () => {
    const encoder = await threads.encoderName()
    const where = { user: { username: { in: ['Fell_Example', 'Query_Example'] } } }
    const tweets = () => services.prisma.tweet.findMany({ where, orderBy: { id: 'asc' } })
    const vectorOf = ({ embedding }: { embedding: Uint8Array }) => Array.from(fromBytes(embedding))
    const before = await tweets()
    const answer = await ask(['Fell_Example', 'Query_Example'])

    // All of one user's and a few of the other's, of another size, as another encoder would have them.
    const stale = { OR: [{ user: { username: 'Fell_Example' } }, { id: { in: before.slice(-3).map(({ id }) => id) } }] }
    const foreign = { encoder: 'other-encoder@1', embedding: toBytes(Float32Array.of(0.6, 0.8)) }
    const { count } = await services.prisma.tweet.updateMany({ where: stale, data: foreign })
    expect(count).toBeGreaterThanOrEqual(60)

    const embedded: string[] = []
    const embed: Threads['embed'] = (texts) => {
      embedded.push(...texts)
      return threads.embed(texts)
    }
    const watch = () => ({ ...services, threads: { ...threads, embed }, models: createCache(MODELS_MEMORY), corpora: createCache(MODELS_MEMORY) })
    const again = await predictAuthor(watch(), { usernames: ['Fell_Example', 'Query_Example'], text: answer.text })
    expect(embedded).toHaveLength(count + 1)
    expect(again.author).toBe(answer.author)
    expect(again.candidates[0].probability).toBeCloseTo(answer.candidates[0].probability, 2)
    const after = await tweets()
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    for (const [i, tweet] of after.entries()) {
      expect(tweet.encoder).toBe(encoder)
      const vector = vectorOf(tweet)
      expect(vector).toHaveLength(vectorOf(before[i]).length)
      vectorOf(before[i]).forEach((value, j) => expect(vector[j]).toBeCloseTo(value, 4))
    }

    embedded.length = 0
    await predictAuthor(watch(), { usernames: ['Fell_Example', 'Query_Example'], text: answer.text })
    expect(embedded).toEqual([answer.text])
  })

  test('leaves the vectors of users who were not asked about as they are', async () => {
    const where = { user: { username: 'Bangs_Example' } }
    await services.prisma.tweet.updateMany({ where, data: { encoder: 'other-encoder@1' } })
    await ask(['Fell_Example', 'Query_Example'])
    const tweets = await services.prisma.tweet.findMany({ where })
    expect(new Set(tweets.map(({ encoder }) => encoder))).toEqual(new Set(['other-encoder@1']))
  })
})
