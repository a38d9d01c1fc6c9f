// The queue: pg-boss in the app's own Postgres. It delivers, delays and repeats; what a job is about is in the tables.

import pg from 'pg'
import PgBoss from 'pg-boss'
import type { Log } from '../core/log.js'
import { throwStorageError } from './storage-errors.js'

export interface Queue {
  /** Has a user worked on, not before `at`. */
  send(usernameKey: string, at?: Date): Promise<void>
  /** Hands each user who is due to the handler, up to `atOnce` side by side. */
  work(handler: (usernameKey: string) => Promise<void>, atOnce: number): Promise<void>
  /** Calls back at the times of a cron line (UTC), once among all processes; never without a line. */
  repeat(cron: string | undefined, handler: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

const COLLECT = 'collect'
const REFRESH = 'refresh'
const CONNECTIONS = 2
const POLLING = 2 // s between two looks for work that another process has sent
const LAST_JOBS = 1_000 // ms for what the worker has handed back already

/** Connects when it is first used. */
export function openQueue(url: string, log: Log): Queue {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, application_name: 'pgboss' })
  pool.on('error', (error) => log.error(error, 'an idle connection of the queue failed'))
  const db = { executeSql: (sql: string, values?: unknown[]) => pool.query(sql, values).catch(throwStorageError) }
  let starting: Promise<PgBoss> | undefined
  const start = async (): Promise<PgBoss> => {
    const boss = new PgBoss({ db, deleteAfterHours: 24 })
    boss.on('error', (error) => log.error(error, 'the queue failed'))
    await boss.start()
    // No retries of the queue's own: a handler says itself when to go on, and a lost job is found by the sweep.
    for (const name of [COLLECT, REFRESH]) await boss.createQueue(name, { name, policy: 'standard', retryLimit: 0 })
    return boss
  }
  const boss = (): Promise<PgBoss> => {
    starting ??= start().catch((error) => {
      starting = undefined
      throw error
    })
    return starting
  }
  let notify = (): void => {}
  return {
    async send(usernameKey, at) {
      await (await boss()).send(COLLECT, { usernameKey }, { startAfter: at })
      if (!at) notify()
    },
    async work(handler, atOnce) {
      const ids: string[] = []
      for (let i = 0; i < atOnce; i++) {
        ids.push(await (await boss()).work<{ usernameKey: string }>(COLLECT, { pollingIntervalSeconds: POLLING }, ([job]) => handler(job.data.usernameKey)))
      }
      const running = await boss()
      notify = () => ids.forEach((id) => running.notifyWorker(id))
    },
    async repeat(cron, handler) {
      const running = await boss()
      await running.work(REFRESH, () => handler())
      if (cron) await running.schedule(REFRESH, cron)
      else await running.unschedule(REFRESH)
    },
    async close() {
      await (await starting?.catch(() => undefined))?.stop({ graceful: true, timeout: LAST_JOBS })
      await pool.end()
    }
  }
}
