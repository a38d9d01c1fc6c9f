// How long visitors wait and how much memory the operator pays for: the whole server over HTTP, from a cold start to full
// caches.

import { setTimeout as pause } from 'node:timers/promises'
import { shuffled } from '../support/datasets.js'
import { percentile, rowOf, skippedRow, type Measure, type Row } from './report.js'
import { NO_POSTGRES, Served } from './served.js'
import type { Note, Step } from './steps.js'
import { anyFour, anyText, collect, foursomes, oneOf, perSecond, predictionPath, random } from './visitors.js'
import { MANY_TWEETS, openWorld, STORED, type World } from './world.js'
import { openBareAttribution, openPlainPage, timeOfImports } from './yardsticks.js'

const FAVOURITES = 6 // sets of four that are asked for again and again
const STARTS = 3
const CLIENTS = 16

const value = (is: '<=' | '>=', bound: number): Measure['target'] => ({ of: 'value', is, bound })
const ratio = (is: '<=' | '>=', bound: number): Measure['target'] => ({ of: 'ratio', is, bound })
// The absolute times only inform: machines differ by a factor of two and more.
const NEW_P50: Measure = { name: 'prediction, 4x200 not used before, p50', unit: 'ms', rival: 'the same attribution in one process', target: ratio('<=', 1.5) }
const NEW_P95: Measure = { name: 'prediction, 4x200 not used before, p95', unit: 'ms', rival: '' }
const KEPT: Measure = { name: 'prediction, 4x200 kept, p50', unit: 'ms', rival: 'a plain page of that size with one query', target: ratio('<=', 8) }
const MANY: Measure = { name: 'prediction, 4x3200 not used before, p50', unit: 'ms', rival: '4x200 not used before', target: ratio('<=', 3) }
const TWO: Measure = { name: 'prediction, 2x200 not used before, p50', unit: 'ms', rival: '4x200 not used before' }
const LONG: Measure = { name: 'prediction, 4x200 kept, a text of 4,000 characters, p50', unit: 'ms', rival: 'a text of some 70 characters' }
const MANY_NEW: Measure = { name: 'predictions a second, 16 clients, not used before', unit: '/s', rival: 'one client', target: ratio('>=', 1.6) }
const MANY_KEPT: Measure = { name: 'predictions a second, 16 clients, kept', unit: '/s', rival: 'one client' }
const LOOP: Measure = { name: "event loop's delay while 3200 tweets are collected, p99", unit: 'ms', rival: '' }
const MEMORY: Measure = { name: 'peak memory through all of it', unit: 'MB', rival: 'a dyno of 512 MB', target: value('<=', 400) }
const COLD: Measure = { name: 'cold start to the first answer', unit: 's', rival: 'a process that only loads the same modules', target: ratio('<=', 3) }

const all = [NEW_P50, NEW_P95, KEPT, MANY, TWO, LONG, MANY_NEW, MANY_KEPT, LOOP, MEMORY, COLD]

export const httpSteps: Step[] = [{ title: 'the server', names: all.map(({ name }) => name), run: measureServer }]

async function measureServer(note: Note): Promise<Row[]> {
  const world = await openWorld()
  const coldStart = await measureColdStart(world)
  const server = await Served.start(world.settings)
  try {
    const rows = [...(await measureWaiting(server, world, note)), ...(await measureThroughput(server, note))]
    const delay = await delayWhileCollecting(server, world, note)
    const { peakRss } = await server.gauge()
    const onPostgres = (measure: Measure, value: number): Row => (world.isReal ? rowOf(measure, value) : skippedRow(measure, NO_POSTGRES, value))
    return [...rows, rowOf(LOOP, delay), onPostgres(MEMORY, peakRss), coldStart]
  } finally {
    await server.stop()
    await world.close()
  }
}

/** Starts of the server and of a process that only loads its modules, in turns; medians. */
async function measureColdStart({ settings }: World): Promise<Row> {
  const [starts, imports]: number[][] = [[], []]
  for (let i = 0; i < STARTS; i++) {
    imports.push(await timeOfImports())
    const server = await Served.start(settings)
    starts.push(server.coldStart)
    await server.stop()
  }
  return rowOf(COLD, percentile(starts, 0.5) / 1000, percentile(starts, 0.5) / percentile(imports, 0.5))
}

/** One request at a time, in turns with what it is compared with. */
async function measureWaiting(server: Served, world: World, note: Note): Promise<Row[]> {
  const bare = await openBareAttribution()
  for (const four of foursomes(STORED.warmUp)) {
    await server.ask(predictionPath(four))
    await bare.time(world.tweetsOf(four), anyText())
  }
  const plain = await openPlainPage(world.settings.DATABASE_URL, await sizeOf(server, predictionPath(foursomes(STORED.warmUp)[0])))
  for (let i = 0; i < 100; i++) await plain.ask()
  const [fresh, bares, kept, plains, long, many, two]: number[][] = [[], [], [], [], [], [], []]
  for (const four of foursomes(STORED.users)) {
    bares.push(await bare.time(world.tweetsOf(four), anyText()))
    fresh.push(await server.ask(predictionPath(four)))
    for (let i = 0; i < 4; i++) {
      kept.push(await server.ask(predictionPath(four)))
      plains.push(await plain.ask())
    }
    long.push(await server.ask(predictionPath(four, longText())))
  }
  for (const four of foursomes(STORED.busy)) many.push(await server.ask(predictionPath(four)))
  for (const four of foursomes(STORED.users)) two.push(await server.ask(predictionPath(four.slice(1, 3))))
  await Promise.all([bare.close(), plain.close()])
  const [p50, bareP50, keptP50, plainP50, manyP50, twoP50, longP50] = [fresh, bares, kept, plains, many, two, long].map((times) => percentile(times, 0.5))
  note(`the same attribution in one process: ${bareP50.toFixed(1)} ms; a plain page with one query: ${plainP50.toFixed(2)} ms`)
  return [
    rowOf(NEW_P50, p50, p50 / bareP50), rowOf(NEW_P95, percentile(fresh, 0.95)), rowOf(KEPT, keptP50, keptP50 / plainP50),
    rowOf(MANY, manyP50, manyP50 / p50), rowOf(TWO, twoP50, twoP50 / p50), rowOf(LONG, longP50, longP50 / keptP50)
  ]
}

const longText = (): string => anyText(1200).slice(0, 4000)

async function sizeOf(server: Served, path: string): Promise<number> {
  return (await (await fetch(`${server.url}${path}`)).arrayBuffer()).byteLength
}

/** One client, then sixteen at a time. */
async function measureThroughput(server: Served, note: Note): Promise<Row[]> {
  const fresh = (): string => predictionPath(anyFour(STORED.users))
  const [oneFresh, manyFresh] = [await perSecond(server, fresh, 8_000, 1), await perSecond(server, fresh, 15_000, CLIENTS)]
  const favourites = foursomes(shuffled(STORED.users, random)).slice(0, FAVOURITES)
  for (const four of favourites) await server.ask(predictionPath(four))
  const kept = (): string => predictionPath(oneOf(favourites))
  const [oneKept, manyKept] = [await perSecond(server, kept, 5_000, 1), await perSecond(server, kept, 10_000, CLIENTS)]
  note(`one client alone: ${oneFresh.toFixed(1)} predictions a second not used before, ${oneKept.toFixed(0)} kept`)
  return [rowOf(MANY_NEW, manyFresh, manyFresh / oneFresh), rowOf(MANY_KEPT, manyKept, manyKept / oneKept)]
}

/** The event loop's delay (p99) in ms while a user is collected, with a prediction every quarter of a second. */
async function delayWhileCollecting(server: Served, world: World, note: Note): Promise<number> {
  await collect(server, world, 'Warming_Example', 400)
  await server.gauge(true)
  let done = false
  const collecting = collect(server, world, 'Large_Example', MANY_TWEETS).finally(() => (done = true))
  const times: number[] = []
  while (!done) {
    times.push(await server.ask(predictionPath(anyFour(STORED.users))))
    await pause(250)
  }
  note(`while 3,200 tweets were collected in ${((await collecting) / 1000).toFixed(1)} s: ${times.length} predictions, p50 ${percentile(times, 0.5).toFixed(0)} ms`)
  return (await server.gauge()).delayP99
}
