// How long visitors wait and how much memory the operator pays for: the whole server over HTTP, from a cold start to full
// caches.

import { setTimeout as pause } from 'node:timers/promises'
import { shuffled } from '../support/datasets.js'
import { percentile, rowOf, skippedRow, type Measure, type Row } from './report.js'
import { NO_POSTGRES, Served } from './served.js'
import type { Note, Step } from './steps.js'
import { anyFour, collect, foursomes, oneOf, perSecond, predictionPath, random } from './visitors.js'
import { MANY_TWEETS, openWorld, STORED, type World } from './world.js'

const FAVOURITES = 6 // sets of four that are asked for again and again
const STARTS = 3

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

async function measureServer(note: Note): Promise<Row[]> {
  const world = await openWorld()
  const coldStart = await measureColdStart(world)
  const server = await Served.start(world.settings)
  try {
    const rows = [...(await measureWaiting(server)), ...(await measureThroughput(server))]
    const delay = await delayWhileCollecting(server, world, note)
    const { peakRss } = await server.gauge()
    const onPostgres = (measure: Measure, value: number): Row => (world.isReal ? rowOf(measure, value) : skippedRow(measure, NO_POSTGRES, value))
    return [...rows, rowOf(LOOP, delay), onPostgres(MEMORY, peakRss), onPostgres(COLD, coldStart)]
  } finally {
    await server.stop()
    await world.close()
  }
}

/** Median of several starts, in seconds. */
async function measureColdStart({ settings }: World): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const server = await Served.start(settings)
    times.push(server.coldStart / 1000)
    await server.stop()
  }
  return percentile(times, 0.5)
}

/** One request at a time. */
async function measureWaiting(server: Served): Promise<Row[]> {
  for (const four of foursomes(STORED.warmUp)) await server.ask(predictionPath(four))
  const fresh: number[] = []
  const kept: number[] = []
  for (const four of foursomes(STORED.users)) {
    fresh.push(await server.ask(predictionPath(four)))
    for (let i = 0; i < 4; i++) kept.push(await server.ask(predictionPath(four)))
  }
  const many: number[] = []
  for (const four of foursomes(STORED.busy)) many.push(await server.ask(predictionPath(four)))
  return [
    rowOf(NEW_P50, percentile(fresh, 0.5)), rowOf(NEW_P95, percentile(fresh, 0.95)),
    rowOf(KEPT, percentile(kept, 0.5)), rowOf(MANY, percentile(many, 0.5))
  ]
}

/** Sixteen clients at a time. */
async function measureThroughput(server: Served): Promise<Row[]> {
  const fresh = await perSecond(server, () => predictionPath(anyFour(STORED.users)), 15_000)
  const favourites = foursomes(shuffled(STORED.users, random)).slice(0, FAVOURITES)
  for (const four of favourites) await server.ask(predictionPath(four))
  const kept = await perSecond(server, () => predictionPath(oneOf(favourites)), 10_000)
  return [rowOf(MANY_NEW, fresh), rowOf(MANY_KEPT, kept)]
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
