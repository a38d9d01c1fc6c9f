// Collecting in the background: the requests for users, and the worker that carries them out.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Services } from '../services/services.js'
import { tokenMissing } from '../sources/x/x-errors.js'
import { afterFailure, Stopped } from './collect-failures.js'
import { collectTweets } from './collect-tweets.js'
import { budgetSpent } from './spending.js'

const CONCURRENT_USERS = 4
const REFRESH_SPREAD = 20_000 // ms between the users of a refresh
const REST = 600_000 // ms in which what X has answered about a user holds, also that there is none: asking costs money
const STOP_GRACE = 7_000 // ms for the pages that are being read when the worker is stopped

/**
 * Has users' posts collected in the background. A user whose job is under way is not requested again, nor one whose job has
 * just ended.
 * @param askedBy the address that asks, if any: the names of one address take turns with those of others
 * @throws ExpectedError `unavailable` without a token, or where the day's budget is spent; StorageFull
 */
export async function requestCollecting(services: Services, usernames: string[], askedBy?: string): Promise<void> {
  const { config, collectJobs, tweetStore, xBudget, queue } = services
  if (!config.X_BEARER_TOKEN) throw tokenMissing()
  await tweetStore.checkRoom()
  if ((await xBudget.today()).isSpent) throw await budgetSpent(xBudget)
  for (const username of usernames) {
    const job = await collectJobs.request(username, config.X_POSTS_PER_USER, { askedBy, restMs: REST })
    if (job) await queue.send(job.usernameKey, job.turn)
  }
}

/**
 * Has the newer posts of every user from X collected, one user after another: not all requests at once.
 * @returns how many users were requested
 */
export async function requestRefresh({ config, userStore, collectJobs, queue }: Services): Promise<number> {
  const users = (await userStore.listUsers()).filter(({ source }) => source === 'x')
  let requested = 0
  for (const { username } of users) {
    const pauseMs = requested * REFRESH_SPREAD
    const job = await collectJobs.request(username, config.X_POSTS_PER_USER, { pauseMs })
    if (!job) continue
    await queue.send(job.usernameKey, job.turn, pauseMs)
    requested++
  }
  return requested
}

export interface Worker {
  /** Gives the pages that are being read some seconds to arrive, and returns the remaining jobs to the queue. */
  stop(): Promise<void>
}

/** Carries out the queue's jobs until it is stopped. */
export async function startWorker(services: Services): Promise<Worker> {
  const { config, collectJobs, queue, log } = services
  const { heartbeat, expiry } = collectJobs.lease
  const worker = randomUUID()
  const stopping = new AbortController()
  const running = new Map<string, Promise<void>>() // by user
  const handle = async (usernameKey: string): Promise<void> => {
    if (running.has(usernameKey)) return // its lease has expired here, and the sweep has found it
    const run = runJob(services, usernameKey, worker, stopping.signal).finally(() => running.delete(usernameKey))
    running.set(usernameKey, run)
    await run
  }
  // Only of jobs that still run: one whose end could not be stored, because the database was away, has to expire.
  const renewLeases = () => collectJobs.renewLeases(worker, [...running.keys()])
  if (!config.DATABASE_URL) await collectJobs.expireAll() // the embedded Postgres belongs to this process alone
  await queue.work(handle, CONCURRENT_USERS)
  await queue.repeat(config.REFRESH_CRON, async () => void (await requestRefresh(services)))
  await sweep(services)
  const heartbeats = setInterval(() => renewLeases().catch((error) => log.error(error, 'a heartbeat failed')), heartbeat)
  const sweeps = setInterval(() => sweep(services).catch((error) => log.error(error, 'a sweep failed')), expiry)
  return {
    async stop() {
      stopping.abort(new Stopped())
      await Promise.race([Promise.allSettled(running.values()), pause(STOP_GRACE)])
      clearInterval(heartbeats)
      clearInterval(sweeps)
      for (const { usernameKey, turn } of await collectJobs.releaseAll(worker)) await queue.send(usernameKey, turn)
    }
  }
}

/** Sends overdue jobs to the queue again, where their messages were lost, and removes old failures. */
async function sweep({ collectJobs, queue }: Services): Promise<void> {
  for (const { usernameKey, turn } of await collectJobs.listOverdue()) await queue.send(usernameKey, turn)
  await collectJobs.removeOldFailures()
}

async function runJob(services: Services, usernameKey: string, worker: string, signal: AbortSignal): Promise<void> {
  const job = signal.aborted ? null : await services.collectJobs.claim(usernameKey, worker)
  if (job) await collectTweets(services, job, signal).catch((error) => afterFailure(services, job, error))
}
