// npm run bench -- --profile: where the time of a prediction goes. The app runs in this process, so that its parts can be
// timed; medians of many requests, one at a time.

import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { Agent } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readConfig } from '../src/core/config.js'
import { openServices, type Services } from '../src/services/services.js'
import { createApp, createHttpServer } from '../src/web/app.js'
import { percentile } from './report.js'
import { askPage } from './served.js'
import { query } from '../support/databases.js'
import { foursomes, predictionPath } from './visitors.js'
import { openWorld, STORED } from './world.js'

const SERVICES = ['userStore', 'tweetStore', 'threads'] as const

/** From the first call's begin to the last call's end within a request, in ms. */
interface Span {
  begin: number
  end: number
}

/** One request's figures in ms. */
type Figures = Record<string, number>

/** Prints a table: for a prediction not used before and a kept one, how long each part took, and whose processor time it was. */
export async function printProfile(): Promise<void> {
  const world = await openWorld()
  const services = await openServices(readConfig({ ...world.settings, LOG_LEVEL: 'silent' }))
  const spans = new Map<string, Span>()
  const server = createHttpServer(createApp(timed(services, spans))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (four: string[]): Promise<Figures> => {
    spans.clear()
    const [cpu, loop, postgres] = [process.cpuUsage(), performance.eventLoopUtilization(), await postgresTime(world.settings.DATABASE_URL)]
    const total = await askPage(url + predictionPath(four), agent, '10.0.0.1')
    const used = process.cpuUsage(cpu)
    const parts = Object.fromEntries([...spans].map(([name, { begin, end }]) => [name, end - begin]))
    const all = (used.user + used.system) / 1000
    return {
      'the whole request': total,
      ...parts,
      'processor: main thread and the asker': performance.eventLoopUtilization(loop).active,
      'processor: all threads': all,
      'processor: Postgres': (await postgresTime(world.settings.DATABASE_URL)) - postgres
    }
  }
  try {
    for (const four of foursomes(STORED.warmUp)) await ask(four)
    for (const four of foursomes(STORED.users)) await ask(four) // until V8 has compiled what is hot
    const [fresh, kept]: Figures[][] = [[], []]
    for (const four of foursomes(STORED.users)) {
      fresh.push(await ask(four))
      for (let i = 0; i < 4; i++) kept.push(await ask(four))
    }
    console.log(tableOf(fresh, kept))
  } finally {
    agent.destroy()
    server.close()
    await services.close()
    await world.close()
  }
}

/** The services, with the time of each call of these noted. */
function timed(services: Services, spans: Map<string, Span>): Services {
  const timedService = <T extends object>(service: T, serviceName: string): T =>
    new Proxy(service, {
      get(target, key) {
        const method = Reflect.get(target, key) as unknown
        if (typeof method !== 'function') return method
        const name = `${serviceName}.${String(key)}`
        return (...args: unknown[]) => {
          const begin = performance.now()
          const result = (method as (...args: unknown[]) => unknown).apply(target, args)
          const note = (): void => void spans.set(name, { begin: Math.min(begin, spans.get(name)?.begin ?? Infinity), end: performance.now() })
          if (result instanceof Promise) result.then(note, note)
          return result
        }
      }
    })
  return { ...services, ...Object.fromEntries(SERVICES.map((name) => [name, timedService(services[name], name)])) }
}

/** The processor time so far of Postgres' processes for this database, in ms; 0 where they cannot be seen. */
async function postgresTime(url: string): Promise<number> {
  const rows = await query(url, 'SELECT "pid" FROM pg_stat_activity WHERE "datname" = current_database() AND "pid" <> pg_backend_pid()')
  return rows.reduce((sum, { pid }) => sum + timeOf(pid as number), 0)
}

const TICK = 10 // ms, in which Linux counts processor time

function timeOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return TICK * (Number(fields[11]) + Number(fields[12]))
  } catch {
    return 0
  }
}

function tableOf(fresh: Figures[], kept: Figures[]): string {
  const names = [...new Set([...fresh, ...kept].flatMap((figures) => Object.keys(figures)))]
  const isMean = (name: string): boolean => name.endsWith('Postgres') // its ticks are too coarse for a median
  const figure = (all: Figures[], name: string): string => {
    const numbers = all.map((figures) => figures[name] ?? 0)
    return (isMean(name) ? numbers.reduce((sum, x) => sum + x, 0) / numbers.length : percentile(numbers, 0.5)).toFixed(1)
  }
  const lines = names.map((name) => `| ${name} | ${figure(fresh, name)} | ${figure(kept, name)} |`)
  return ['| part | not used before, ms | kept, ms |', '| --- | --- | --- |', ...lines].join('\n')
}
