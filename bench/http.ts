// What a visitor waits for and an operator pays for: the whole server over HTTP, from a cold start to a full memory.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openEmbeddedPostgres } from '../src/storage/embedded-postgres.js'
import { connect } from '../src/storage/database.js'
import { migrate } from '../src/storage/migrations.js'
import { openEncoder } from '../src/encoder/encoder.js'
import { slices } from '../src/core/vectors.js'
import { startXApi } from '../support/x-api-stand-in.js'
import { randomNumbers, shuffled } from '../support/datasets.js'
import { percentile, rowOf, skippedRow, type Measure, type Row } from './report.js'
import { NO_POSTGRES, openPostgres, Served } from './served.js'
import type { Note, Step } from './steps.js'
import { tweetsOf } from '../support/synthetic-tweets.js'
import { createTweetStore } from '../src/storage/tweets.js'

const USERS = 100
const BUSY_USERS = 12
const TWEETS = 200
const MANY_TWEETS = 3200
const CLIENTS = 16
const FAVOURITES = 6 // foursomes that are asked for again and again
const WARM_UP = 8
const STARTS = 3
const MINUTE = 60_000

const value = (is: '<=' | '>=', bound: number): Measure['target'] => ({ of: 'value', is, bound })
const AT_ONCE = '100 ms feels immediate; the router waits 30 s'
const NEW_P50: Measure = { name: 'prediction, 4x200 not used before, p50', unit: 'ms', rival: AT_ONCE, target: value('<=', 100) }
const NEW_P95: Measure = { name: 'prediction, 4x200 not used before, p95', unit: 'ms', rival: AT_ONCE, target: value('<=', 200) }
const KEPT: Measure = { name: 'prediction, 4x200 kept, p50', unit: 'ms', rival: AT_ONCE, target: value('<=', 15) }
const MANY: Measure = { name: 'prediction, 4x3200 not used before, p50', unit: 'ms', rival: AT_ONCE, target: value('<=', 1000) }
const MANY_NEW: Measure = { name: 'predictions a second, 16 clients, not used before', unit: '/s', rival: '', target: value('>=', 20) }
const MANY_KEPT: Measure = { name: 'predictions a second, 16 clients, kept', unit: '/s', rival: '', target: value('>=', 200) }
const LOOP: Measure = { name: "event loop's delay while 3200 tweets are collected, p99", unit: 'ms', rival: '', target: value('<=', 50) }
const MEMORY: Measure = { name: 'peak memory through all of it', unit: 'MB', rival: 'a dyno of 512 MB', target: value('<=', 400) }
const COLD: Measure = { name: 'cold start to the first answer', unit: 's', rival: "Heroku's boot limit of 60 s", target: value('<=', 3) }

const all = [NEW_P50, NEW_P95, KEPT, MANY, MANY_NEW, MANY_KEPT, LOOP, MEMORY, COLD]

export const httpSteps: Step[] = [{ title: 'the server', names: all.map(({ name }) => name), run: measureServer }]

/** A step that lasts for so many minutes. */
export const loadStep = (minutes: number): Step => {
  const name = `memory after ${minutes} min of load`
  return { title: name, names: [name], run: (note) => measureLoad(name, minutes, note) }
}

const random = randomNumbers(21)
const words = 'the tea rain is on my way to work again today and nobody told me about it yet so here we are'.split(' ')
const text = (): string => Array.from({ length: 8 + Math.floor(random() * 12) }, () => words[Math.floor(random() * words.length)]).join(' ')
const names = (kind: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${kind}_${i}`)
const pathOf = (users: string[]): string => `/predictions?${new URLSearchParams([...users.map((name): [string, string] => ['users', name]), ['text', text()]])}`
const anyFour = (users: string[]): string[] => shuffled(users, random).slice(0, 4)

/** Four users at a time, none twice. */
const foursomes = (users: string[]): string[][] => Array.from({ length: Math.floor(users.length / 4) }, (_, i) => users.slice(i * 4, i * 4 + 4))

interface World {
  settings: Record<string, string>
  isReal: boolean
  /** Has a user of so many posts for the server to collect. */
  busyAccount(name: string, posts: number): void
  close(): Promise<void>
}

async function measureServer(note: Note): Promise<Row[]> {
  const world = await openWorld()
  const coldStarts: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const started = await Served.start(world.settings)
    coldStarts.push(started.coldStart / 1000)
    await started.stop()
  }
  const server = await Served.start(world.settings)
  try {
    const users = names('user', USERS)
    for (const four of foursomes(names('warm_up', WARM_UP))) await server.ask(pathOf(four))
    const fresh: number[] = []
    const kept: number[] = []
    for (const four of foursomes(users)) {
      fresh.push(await server.ask(pathOf(four)))
      for (let i = 0; i < 4; i++) kept.push(await server.ask(pathOf(four)))
    }
    const many: number[] = []
    for (const four of foursomes(names('busy', BUSY_USERS))) many.push(await server.ask(pathOf(four)))
    const newPerSecond = await perSecond(server, () => pathOf(anyFour(users)), 15_000)
    const favourites = foursomes(shuffled(users, random)).slice(0, FAVOURITES)
    for (const four of favourites) await server.ask(pathOf(four))
    const keptPerSecond = await perSecond(server, () => pathOf(favourites[Math.floor(random() * FAVOURITES)]), 10_000)
    const delay = await delayWhileCollecting(server, world, users, note)
    const { peakRss } = await server.gauge()
    const onPostgres = (measure: Measure, value: number): Row => (world.isReal ? rowOf(measure, value) : skippedRow(measure, NO_POSTGRES, value))
    return [
      rowOf(NEW_P50, percentile(fresh, 0.5)), rowOf(NEW_P95, percentile(fresh, 0.95)), rowOf(KEPT, percentile(kept, 0.5)),
      rowOf(MANY, percentile(many, 0.5)), rowOf(MANY_NEW, newPerSecond), rowOf(MANY_KEPT, keptPerSecond),
      rowOf(LOOP, delay), onPostgres(MEMORY, peakRss), onPostgres(COLD, percentile(coldStarts, 0.5))
    ]
  } finally {
    await server.stop()
    await world.close()
  }
}

/** How many are answered, by 16 clients who ask again as soon as they have their answer. */
async function perSecond(server: Served, path: () => string, ms: number): Promise<number> {
  const start = performance.now()
  let answered = 0
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (performance.now() < start + ms) {
        await server.ask(path())
        answered++
      }
    })
  )
  return (1000 * answered) / (performance.now() - start)
}

/** The mean memory of the last third, beside that of the second: the caches fill in the first. */
async function measureLoad(name: string, minutes: number, note: Note): Promise<Row[]> {
  const world = await openWorld()
  const server = await Served.start(world.settings)
  const users = names('user', USERS)
  const favourites = foursomes(users).slice(0, FAVOURITES)
  const memory: number[] = []
  const path = (): string => pathOf(random() < 0.5 ? anyFour(users) : favourites[Math.floor(random() * FAVOURITES)])
  try {
    let done = false
    const load = perSecond(server, path, minutes * MINUTE).finally(() => (done = true))
    const collecting = (async () => {
      for (let i = 0; !done; i++) await collect(server, world.busyAccount, `Load_${i}`, 100 + i)
    })()
    while (!done) {
      memory.push((await server.gauge()).rss)
      await pause(1000)
    }
    await collecting
    const third = Math.floor(memory.length / 3)
    const mean = (part: number[]): number => part.reduce((sum, rss) => sum + rss, 0) / part.length
    const [second, last] = [mean(memory.slice(third, 2 * third)), mean(memory.slice(2 * third))]
    note(`${(await load).toFixed(1)} predictions a second for ${minutes} min, users collected beside them, no error; memory at the most ${Math.max(...memory).toFixed(0)} MB`)
    return [rowOf({ name, unit: 'MB', rival: 'the third of the time before', target: { of: 'ratio', is: '<=', bound: 1.05 } }, last, last / second)]
  } finally {
    await server.stop()
    await world.close()
  }
}

/** p99 in ms, with a prediction every quarter of a second. */
async function delayWhileCollecting(server: Served, { busyAccount }: World, users: string[], note: Note): Promise<number> {
  await collect(server, busyAccount, 'Warming_Example', 400)
  await server.gauge(true)
  let done = false
  const collecting = collect(server, busyAccount, 'Large_Example', MANY_TWEETS).finally(() => (done = true))
  const times: number[] = []
  while (!done) {
    times.push(await server.ask(pathOf(anyFour(users))))
    await pause(250)
  }
  note(`while 3,200 tweets were collected in ${((await collecting) / 1000).toFixed(1)} s: ${times.length} predictions, p50 ${percentile(times, 0.5).toFixed(0)} ms`)
  return (await server.gauge()).delayP99
}

/** Collects a user through the form, and waits until it is done; ms. */
async function collect(server: Served, busyAccount: World['busyAccount'], name: string, posts: number): Promise<number> {
  busyAccount(name, posts)
  const start = performance.now()
  const answer = await fetch(`${server.url}/users`, { method: 'POST', body: new URLSearchParams({ username: name }), redirect: 'manual' })
  if (answer.status >= 400) throw new Error(`Adding @${name} answered ${answer.status}`)
  const isThere = async (): Promise<boolean> => (await (await fetch(`${server.url}/health`)).text(), (await tweetsOn(server, name)) >= posts)
  while (!(await isThere())) await pause(200)
  return performance.now() - start
}

/** How many tweets of a user are stored. */
async function tweetsOn(server: Served, name: string): Promise<number> {
  const answer = await fetch(`${server.url}/users/${name}/tweets.jsonl`)
  return answer.ok ? (await answer.text()).split('\n').length - 1 : 0
}

/** A database with users, and an X of one's own. */
async function openWorld(): Promise<World> {
  const real = await openPostgres()
  const database = real ?? (await openEmbedded())
  const api = await startXApi()
  await fill(database.url)
  return {
    settings: { DATABASE_URL: database.url, X_API_URL: api.url, X_BEARER_TOKEN: 'bench', X_POSTS_PER_USER: String(MANY_TWEETS), X_DAILY_POST_BUDGET: '1000000', PREDICTIONS_PER_MINUTE: '0', ADDITIONS_PER_HOUR: '0' },
    isReal: Boolean(real),
    busyAccount(name, posts) {
      api.addUser(name)
      api.addPosts(name, tweetsOf(1000 + posts, posts))
    },
    async close() {
      await api.close()
      await database.close()
    }
  }
}

async function openEmbedded(): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-bench-'))
  const embedded = await openEmbeddedPostgres(folder)
  await migrate(embedded.url)
  return {
    url: embedded.url,
    async close() {
      await embedded.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Stores the invented users. */
async function fill(url: string): Promise<void> {
  const prisma = connect(url)
  const tweetStore = createTweetStore(prisma)
  const encoder = await openEncoder()
  const wanted = [
    ...names('user', USERS).map((name) => ({ name, count: TWEETS })),
    ...names('warm_up', WARM_UP).map((name) => ({ name, count: TWEETS })),
    ...names('busy', BUSY_USERS).map((name) => ({ name, count: MANY_TWEETS }))
  ]
  for (const [author, { name, count }] of wanted.entries()) {
    const texts = tweetsOf(author, count)
    const vectors = slices(await encoder.embed(texts), count)
    const tweets = texts.map((text, i) => ({
      id: String(count - i), text, createdAt: new Date(Date.now() - i * MINUTE), position: BigInt(count - i), embedding: vectors[i]
    }))
    await tweetStore.saveTweets({ id: name, username: name, name, pictureUrl: null, source: 'archive' }, null, tweets, encoder.name)
  }
  await prisma.$disconnect()
}
