// Whether the server's memory stays flat under load.

import { setTimeout as pause } from 'node:timers/promises'
import { rowOf, type Row } from './report.js'
import { Served } from './served.js'
import type { Note, Step } from './steps.js'
import { anyFour, collect, foursomes, oneOf, perSecond, predictionPath, random } from './visitors.js'
import { openWorld, STORED } from './world.js'

const FAVOURITES = 6 // sets of four that half of the requests are about
const MINUTE = 60_000

/** A step that takes so many minutes. */
export const loadStep = (minutes: number): Step => {
  const name = `memory after ${minutes} min of load`
  return { title: name, names: [name], run: (note) => measureLoad(name, minutes, note) }
}

/** The mean memory in the last third of the time, beside that in the second; in the first, the caches fill. */
async function measureLoad(name: string, minutes: number, note: Note): Promise<Row[]> {
  const world = await openWorld()
  const server = await Served.start(world.settings)
  const favourites = foursomes(STORED.users).slice(0, FAVOURITES)
  const path = (): string => predictionPath(random() < 0.5 ? anyFour(STORED.users) : oneOf(favourites))
  const memory: number[] = []
  try {
    let done = false
    const load = perSecond(server, path, minutes * MINUTE).finally(() => (done = true))
    const collecting = (async () => {
      for (let i = 0; !done; i++) await collect(server, world, `Load_${i}`, 100 + i)
    })()
    while (!done) {
      memory.push((await server.gauge()).rss)
      await pause(1000)
    }
    await collecting
    note(`${(await load).toFixed(1)} predictions a second for ${minutes} min, users collected beside them, no error; ` +
      `memory at the most ${Math.max(...memory).toFixed(0)} MB`)
  } finally {
    await server.stop()
    await world.close()
  }
  const third = Math.floor(memory.length / 3)
  const mean = (part: number[]): number => part.reduce((sum, rss) => sum + rss, 0) / part.length
  const [second, last] = [mean(memory.slice(third, 2 * third)), mean(memory.slice(2 * third))]
  const measure = { name, unit: 'MB', rival: 'the third of the time before', target: { of: 'ratio', is: '<=', bound: 1.05 } } as const
  return [rowOf(measure, last, last / second)]
}
