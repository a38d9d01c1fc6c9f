// Collecting in the background: who is asked for, by whom it is worked on, and what follows from each failure.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { FREE, LeaseLost, START, type CollectJob } from '../storage/collect-jobs.js'
import { budgetSpent, collectTweets } from './collect-tweets.js'
import { ExpectedError, GoneAtSource, isForLog, type Reason } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { DatabaseAway } from '../storage/storage-errors.js'
import { SMALLEST_PAGE } from '../storage/x-budget.js'

const AT_ONCE = 4 // users side by side
const MOST_ATTEMPTS = 8
const LONGEST_PAUSE = 300 // s
const REFRESH_SPREAD = 20 // s between two users of a refresh
const HAND_BACK = 7_000 // ms that a page in flight has when the worker is stopped

/**
 * Has users' posts collected in the background. Somebody for whom that is under way is not asked for again.
 * @throws ExpectedError 503 without a token, or where the day's budget is spent
 */
export async function requestCollecting(services: Services, usernames: string[]): Promise<void> {
  const { config, collectJobs, xBudget, queue } = services
  if (!config.X_BEARER_TOKEN) throw new ExpectedError('unavailable', 'Adding users from X needs the setting X_BEARER_TOKEN, which this site does not have.')
  if ((await xBudget.today(config.X_DAILY_POST_BUDGET)).left < SMALLEST_PAGE) throw await budgetSpent(services)
  for (const username of usernames) {
    if (await collectJobs.request(username, config.X_POSTS_PER_USER)) await queue.send(username.toLowerCase())
  }
}

/** Has the newer posts of every user from X collected, one after another so that X is not asked for all at once. */
export async function requestRefresh({ config, userStore, collectJobs, queue }: Services): Promise<number> {
  const users = (await userStore.listUsers()).filter(({ source }) => source === 'x')
  let asked = 0
  for (const { username } of users) {
    const dueAt = new Date(Date.now() + asked * REFRESH_SPREAD * 1000)
    if (!(await collectJobs.request(username, config.X_POSTS_PER_USER, dueAt))) continue
    await queue.send(username.toLowerCase(), dueAt)
    asked++
  }
  return asked
}

export interface Worker {
  /** Lets the pages in flight come in, for some seconds, and hands the rest back to the queue. */
  stop(): Promise<void>
}

/** Works the queue until it is stopped. */
export async function startWorker(services: Services): Promise<Worker> {
  const { config, collectJobs, queue, log } = services
  const { beat, silence } = collectJobs.lease
  const name = randomUUID()
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const handle = (usernameKey: string): Promise<void> => {
    const run = workOn(services, usernameKey, name, stopping.signal).finally(() => running.delete(run))
    running.add(run)
    return run
  }
  if (!config.DATABASE_URL) await collectJobs.orphanAll() // the embedded Postgres is this process's alone
  await queue.work(handle, AT_ONCE)
  await queue.repeat(config.REFRESH_CRON, async () => void (await requestRefresh(services)))
  await sweep(services)
  const beats = setInterval(() => collectJobs.beat(name).catch((error) => log.error(error, 'a beat failed')), beat)
  const sweeps = setInterval(() => sweep(services).catch((error) => log.error(error, 'a sweep failed')), silence)
  return {
    async stop() {
      stopping.abort(new Stopped())
      await Promise.race([Promise.allSettled(running), pause(HAND_BACK)])
      clearInterval(beats)
      clearInterval(sweeps)
      for (const usernameKey of await collectJobs.handBack(name)) await queue.send(usernameKey)
    }
  }
}

class Stopped extends Error {}

/** Sends again what is due and in nobody's hands, and forgets what nobody looks at. */
async function sweep({ collectJobs, queue }: Services): Promise<void> {
  for (const usernameKey of await collectJobs.listForgotten()) await queue.send(usernameKey)
  await collectJobs.forgetOld()
}

async function workOn(services: Services, usernameKey: string, worker: string, signal: AbortSignal): Promise<void> {
  const collectJob = signal.aborted ? null : await services.collectJobs.claim(usernameKey, worker)
  if (!collectJob) return
  try {
    await collectTweets(services, { collectJob, worker, signal })
  } catch (error) {
    if (!(error instanceof LeaseLost)) await afterFailure(services, collectJob, worker, error)
  }
}

/** Hands back, waits or gives up. A lease lost in between means that another worker decides. */
async function afterFailure(services: Services, { usernameKey }: CollectJob, worker: string, error: unknown): Promise<void> {
  const { collectJobs, queue, log } = services
  const [now] = await collectJobs.find([usernameKey])
  const attempts = (now?.attempts ?? 0) + 1
  if (isForLog(error) && !(error instanceof Stopped)) log.error(error, 'collecting failed')
  const next = nextOf(error, attempts)
  try {
    await saveFailure(services, usernameKey, worker, error, { ...FREE, ...next, attempts: error instanceof Stopped ? undefined : attempts })
  } catch (lost) {
    if (lost instanceof LeaseLost) return
    throw lost
  }
  if (next.dueAt) await queue.send(usernameKey, next.state === 'waiting' ? next.dueAt : undefined)
}

type Progress = Parameters<Services['collectJobs']['step']>[2]

/** Stores how a job goes on. A user who is gone at the source is removed with it: all or nothing, and only under the lease. */
async function saveFailure({ collectJobs, userStore }: Services, usernameKey: string, worker: string, error: unknown, progress: Progress): Promise<void> {
  if (!(error instanceof GoneAtSource)) return collectJobs.step(usernameKey, worker, progress)
  await userStore.removeGoneUser(usernameKey, (tx) => collectJobs.step(usernameKey, worker, { ...progress, ...START }, tx))
}

interface Next { state: 'queued' | 'waiting' | 'failed'; dueAt?: Date; message: string | null; reason: Reason | null }

function nextOf(error: unknown, attempts: number): Next {
  if (error instanceof Stopped) return { state: 'queued', dueAt: new Date(), message: null, reason: null }
  const { reason, message, retry } = error instanceof ExpectedError && !(error instanceof DatabaseAway) ? error : OURS
  if (retry?.at) return { state: 'waiting', dueAt: retry.at, message, reason: null }
  if (retry && attempts < MOST_ATTEMPTS) {
    const pause = Math.min(2 ** (attempts - 1), LONGEST_PAUSE)
    return { state: 'waiting', dueAt: new Date(Date.now() + pause * 1000), message, reason: null }
  }
  return { state: 'failed', message: retry ? `${message} It was tried ${attempts} times.` : message, reason }
}

const OURS = new ExpectedError('bug', 'Something went wrong on our side. It has been noted.', {}) // a bug, or the database is away for a moment
