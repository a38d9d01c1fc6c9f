// The queue: pg-boss in the app's own Postgres. It delivers messages, delays them, and sends them on a schedule. What a
// message is about, and how far it has come, is in the collect jobs.

import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import PgBoss from 'pg-boss'
import type { Log } from '../core/log.js'
import { connectionOf, SureClient } from './database.js'
import { throwStorageError } from './storage-errors.js'

export interface Queue {
  /**
   * Sends a user's key to a worker, where it is not on its way already.
   * @param turn lower turns come first
   * @param pauseMs how long it waits at least
   */
  send(usernameKey: string, turn?: number, pauseMs?: number): Promise<void>
  /** Hands each key that is due to the handler, up to `concurrency` at the same time. */
  work(handler: (usernameKey: string) => Promise<void>, concurrency: number): Promise<void>
  /** Calls the handler at the times of a cron line (UTC), in one of all processes; never without a line. */
  repeat(cron: string | undefined, handler: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** How often the database is polled, in seconds. */
export interface Polling {
  /** For messages that are due or that another process has sent. */
  messages: number
  /** For schedules whose time has come; 1 to 45. */
  schedules: number
}

const COLLECT = 'collect'
const REFRESH = 'refresh'
const CONNECTIONS = 2
const POLLING: Polling = { messages: 2, schedules: 30 }
const CLOSE_TIMEOUT = 1_000 // ms for handlers to end; the worker has released its jobs by then

/** Connects when it is first used. Rejects with the classes of storage-errors.ts, as the stores do. */
export function openQueue(url: string, log: Log, polling = POLLING): Queue {
  const pool = openPool(url, log)
  const consumers: Promise<void>[] = []
  let sleep = new AbortController()
  let isClosing = false
  let starting: Promise<PgBoss> | undefined

  const getBoss = (): Promise<PgBoss> => {
    starting ??= startBoss(pool, log, polling).catch((error) => {
      starting = undefined // the next caller tries again
      throw error
    })
    return starting
  }
  const wakeUp = (): void => {
    sleep.abort()
    sleep = new AbortController()
  }
  /**
   * Hands on messages one by one until the queue is closed. A handler that fails is logged, and its message ends as well.
   * pg-boss's own work() does not wait until the end of a message is stored: if the database is away at that moment, the
   * unhandled rejection ends the process.
   */
  async function consume<T>(boss: PgBoss, name: string, handler: (data: T) => Promise<void>): Promise<void> {
    while (!isClosing) {
      const { signal } = sleep // of before the look: a message that is sent during it wakes us too
      try {
        const [message] = await boss.fetch<T>(name)
        if (message) {
          await handler(message.data).catch((error) => log.error(error, 'the handler of a message failed'))
          await boss.complete(name, message.id)
          continue
        }
      } catch (error) {
        log.error(error, 'the queue failed')
      }
      await pause(polling.messages * 1000, undefined, { signal }).catch(() => {}) // woken up
    }
  }

  return {
    async send(usernameKey, turn = 0, pauseMs = 0) {
      const isDue = pauseMs <= 0
      // One message for a user that is due, however often it is sent; those for later have keys of their own.
      const singletonKey = isDue ? usernameKey : `${usernameKey} ${Date.now() + pauseMs}`
      const startAfter = isDue ? undefined : (pauseMs / 1000).toFixed(3) // seconds by the database's clock
      await (await getBoss()).send(COLLECT, { usernameKey }, { startAfter, singletonKey, priority: -turn })
      if (isDue) wakeUp() // a consumer in this process need not wait for its next poll
    },
    async work(handler, concurrency) {
      const boss = await getBoss()
      const handle = ({ usernameKey }: { usernameKey: string }) => handler(usernameKey)
      for (let i = 0; i < concurrency; i++) consumers.push(consume(boss, COLLECT, handle))
    },
    async repeat(cron, handler) {
      const boss = await getBoss()
      if (cron) await boss.schedule(REFRESH, cron)
      else await boss.unschedule(REFRESH)
      consumers.push(consume(boss, REFRESH, handler))
    },
    async close() {
      isClosing = true
      wakeUp()
      await Promise.race([Promise.all(consumers), pause(CLOSE_TIMEOUT)])
      await (await starting?.catch(() => undefined))?.stop({ graceful: true, timeout: CLOSE_TIMEOUT })
      await pool.end()
    }
  }
}

function openPool(url: string, log: Log): pg.Pool {
  const pool = new pg.Pool({ ...connectionOf(url), Client: SureClient, max: CONNECTIONS, application_name: 'pgboss' })
  pool.on('error', (error) => log.error(error, 'an idle connection of the queue failed'))
  return pool
}

async function startBoss(pool: pg.Pool, log: Log, polling: Polling): Promise<PgBoss> {
  const executeSql = async (sql: string, values?: unknown[]) => {
    if (pool.ending) return undefined as never // as pg-boss's own connection does once it is closed
    return pool.query(sql, values).catch(throwStorageError)
  }
  const schedules = { cronMonitorIntervalSeconds: polling.schedules, cronWorkerIntervalSeconds: Math.min(5, polling.schedules) }
  const boss = new PgBoss({ db: { executeSql }, deleteAfterHours: 24, ...schedules })
  boss.on('error', (error) => log.error(error, 'the queue failed'))
  await boss.start()
  // No retries by pg-boss: a collect job says itself when it continues, and the worker's sweep finds lost messages.
  await boss.createQueue(REFRESH, { name: REFRESH, policy: 'standard', retryLimit: 0 })
  const collect = { name: COLLECT, policy: 'short', retryLimit: 0 } as const // "short": one waiting message for each key
  await boss.createQueue(COLLECT, collect)
  await boss.updateQueue(COLLECT, collect) // of an earlier version, which had the other policy
  return boss
}
