import { get } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openTestServices, serve, type TestServices } from '../../support/services.js'
import { openEmbeddedDatabase, type TestDatabase } from '../../support/databases.js'
import { profile, tweetsOf } from '../../support/stored-users.js'
import { createCache } from '../../../src/services/cache.js'
import { createFairQueue } from '../../../src/threads/fair-queue.js'

const USERS = Array.from({ length: 8 }, (_, i) => `user_${i}`)

/** Different pairs of users, each of which needs a fit of its own. */
const PAIRS = USERS.flatMap((a, i) => USERS.slice(i + 1).map((b) => [a, b]))

describe('questions that need a fit', () => {
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>
  let fits: number
  let goOn: () => void // lets the fits that have begun go on

  beforeAll(async () => {
    database = await openEmbeddedDatabase()
    services = await openTestServices(database, { TRUST_PROXY: '1' })
    const encoder = await services.threads.encoderName()
    for (const name of USERS) {
      const tweets = tweetsOf(name, 25)
      const vectors = await services.threads.embed(tweets.map(({ text }) => text))
      const size = vectors.length / tweets.length
      await services.tweetStore.saveTweets(profile(name), null, tweets.map((tweet, i) => ({ ...tweet, embedding: vectors.slice(i * size, (i + 1) * size) })), encoder)
    }
  })
  afterAll(async () => {
    await services.close()
    await database.close()
  })
  beforeEach(async () => {
    fits = 0
    let release = (): void => {}
    const open = new Promise<void>((resolve) => (release = resolve))
    goOn = release
    const threads = { ...services.threads, fit: async (...set: Parameters<TestServices['threads']['fit']>) => (fits++, await open, services.threads.fit(...set)) }
    app = await serve({ ...services, threads, heavyWork: createFairQueue({ running: 1, waiting: 6, waitingPerClient: 3 }) })
    return () => app.close()
  })

  interface Answer { status: number; retryAfter?: string; body: string }
  const ask = ([a, b]: string[], address: string, signal?: AbortSignal): Promise<Answer> => new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', 'x-forwarded-for': address }
    get(`${app.url}/predictions?users=${a}&users=${b}&text=${fits}+what+${address}`, { headers, agent: false, signal }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], body }))
    }).on('error', reject)
  })
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300))

  test('are refused at once where too many wait, in words that do not blame the database, and with a time to come back', async () => {
    const accepted = PAIRS.slice(0, 4).map((pair) => ask(pair, '10.0.0.1'))
    await settle()
    const refused = await ask(PAIRS[5], '10.0.0.1')
    expect(refused).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]/), body: expect.stringContaining('Too many others') })
    const visitor = ask(PAIRS[6], '10.0.0.2')
    await settle()
    goOn()
    expect((await Promise.all([...accepted, visitor])).map(({ status }) => status)).toEqual(Array(5).fill(200))
  })

  test('are a 503 with a message, and no bug, where the tweets are removed meanwhile', async () => {
    const loadCorpus: TestServices['tweetStore']['loadCorpus'] = (id, encoder, limits) => services.tweetStore.loadCorpus(`no ${id}`, encoder, limits)
    const empty = await serve({ ...services, tweetStore: { ...services.tweetStore, loadCorpus }, corpora: createCache(1), models: createCache(1) })
    const pages = ['/predictions?text=x&', '/predictions/card.png?text=x&', '/play?seed=a&'].map((path) =>
      fetch(`${empty.url}${path}users=${USERS[0]}&users=${USERS[1]}`, { headers: { accept: 'application/json' } }))
    for (const answer of await Promise.all(pages)) {
      expect(answer.status).toBe(503)
      expect(await answer.text()).toContain('keep changing at the moment')
    }
    await empty.close()
  })

  test('that nobody waits for any more are not fitted', async () => {
    const leaving = new AbortController()
    const first = ask(PAIRS[10], '10.0.0.1')
    await settle()
    const dropped = PAIRS.slice(11, 14).map((pair) => ask(pair, '10.0.0.1', leaving.signal).catch(() => 'gone'))
    await settle()
    leaving.abort()
    expect(await Promise.all(dropped)).toEqual(['gone', 'gone', 'gone'])
    await settle()
    goOn()
    expect((await first).status).toBe(200)
    expect((await ask(PAIRS[15], '10.0.0.1')).status).toBe(200)
    expect(fits).toBe(2)
    expect(services.models.size).toBeGreaterThan(0)
  })
})
