// Collecting in the background: who is asked for, by whom it is worked on, and what follows from each failure.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { FREE, LeaseLost, START, type Collection } from './collections.js'
import { budgetSpent, collectTweets } from './collect-tweets.js'
import { VisibleError } from './errors.js'
import type { Parts } from './parts.js'
import { SMALLEST_PAGE } from './spending.js'

const AT_ONCE = 4 // users side by side
const MOST_ATTEMPTS = 8
const LONGEST_PAUSE = 300 // s
const REFRESH_SPREAD = 20 // s between two users of a refresh
const HAND_BACK = 7_000 // ms that a page in flight has when the worker is stopped

/**
 * Has users' posts collected in the background. Somebody for whom that is under way is not asked for again.
 * @throws VisibleError 503 without a token, or where the day's budget is spent
 */
export async function requestCollecting(parts: Parts, usernames: string[]): Promise<void> {
  const { env, collections, spending, queue } = parts
  if (!env.X_BEARER_TOKEN) throw new VisibleError(503, 'Adding users from X needs the setting X_BEARER_TOKEN, which this site does not have.')
  if ((await spending.today(env.X_DAILY_POST_BUDGET)).left < SMALLEST_PAGE) throw await budgetSpent(parts)
  for (const username of usernames) {
    if (await collections.request(username, env.X_POSTS_PER_USER)) await queue.send(username.toLowerCase())
  }
}

/** Has the newer posts of every user from X collected, one after another so that X is not asked for all at once. */
export async function requestRefresh({ env, store, collections, queue }: Parts): Promise<number> {
  const users = (await store.listUsers()).filter(({ source }) => source === 'x')
  let asked = 0
  for (const { username } of users) {
    const dueAt = new Date(Date.now() + asked * REFRESH_SPREAD * 1000)
    if (!(await collections.request(username, env.X_POSTS_PER_USER, dueAt))) continue
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
export async function startWorker(parts: Parts): Promise<Worker> {
  const { env, collections, queue, log } = parts
  const { beat, silence } = collections.lease
  const name = randomUUID()
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const handle = (usernameKey: string): Promise<void> => {
    const run = workOn(parts, usernameKey, name, stopping.signal).finally(() => running.delete(run))
    running.add(run)
    return run
  }
  if (!env.DATABASE_URL) await collections.orphanAll() // the embedded Postgres is this process's alone
  await queue.work(handle, AT_ONCE)
  await queue.repeat(env.REFRESH_CRON, async () => void (await requestRefresh(parts)))
  await sweep(parts)
  const beats = setInterval(() => collections.beat(name).catch((error) => log.error(error, 'a beat failed')), beat)
  const sweeps = setInterval(() => sweep(parts).catch((error) => log.error(error, 'a sweep failed')), silence)
  return {
    async stop() {
      stopping.abort(new Stopped())
      await Promise.race([Promise.allSettled(running), pause(HAND_BACK)])
      clearInterval(beats)
      clearInterval(sweeps)
      for (const usernameKey of await collections.handBack(name)) await queue.send(usernameKey)
    }
  }
}

class Stopped extends Error {}

/** Sends again what is due and in nobody's hands, and forgets what nobody looks at. */
async function sweep({ collections, queue }: Parts): Promise<void> {
  for (const usernameKey of await collections.listForgotten()) await queue.send(usernameKey)
  await collections.forgetOld()
}

async function workOn(parts: Parts, usernameKey: string, worker: string, signal: AbortSignal): Promise<void> {
  const collection = signal.aborted ? null : await parts.collections.claim(usernameKey, worker)
  if (!collection) return
  try {
    await collectTweets(parts, { collection, worker, signal })
  } catch (error) {
    if (!(error instanceof LeaseLost)) await afterFailure(parts, collection, worker, error)
  }
}

/** Hands back, waits or gives up. A lease lost in between means that another worker decides. */
async function afterFailure(parts: Parts, { usernameKey }: Collection, worker: string, error: unknown): Promise<void> {
  const { collections, queue, store, log } = parts
  const [now] = await collections.find([usernameKey])
  const attempts = (now?.attempts ?? 0) + 1
  if (!(error instanceof VisibleError || error instanceof Stopped)) log.error(error, 'collecting failed')
  const next = nextOf(error, attempts)
  const isGone = next.status !== null && GONE.includes(next.status)
  if (isGone) {
    const user = await store.findUser(usernameKey)
    if (user?.source === 'x') await store.removeUser(user.id)
  }
  try {
    await collections.step(usernameKey, worker, {
      ...FREE,
      ...next,
      ...(isGone && START),
      attempts: error instanceof Stopped ? undefined : attempts
    })
  } catch (lost) {
    if (lost instanceof LeaseLost) return
    throw lost
  }
  if (next.dueAt) await queue.send(usernameKey, next.state === 'waiting' ? next.dueAt : undefined)
}

const GONE = [403, 404, 422] // no longer public, no longer there, no posts: X's rules ask that nothing is kept

interface Next { state: 'queued' | 'waiting' | 'failed'; dueAt?: Date; message: string | null; status: number | null }

function nextOf(error: unknown, attempts: number): Next {
  if (error instanceof Stopped) return { state: 'queued', dueAt: new Date(), message: null, status: null }
  const { status, message, retry } = error instanceof VisibleError ? error : OURS
  if (retry?.at) return { state: 'waiting', dueAt: retry.at, message, status: null }
  if (retry && attempts < MOST_ATTEMPTS) {
    const pause = Math.min(2 ** (attempts - 1), LONGEST_PAUSE)
    return { state: 'waiting', dueAt: new Date(Date.now() + pause * 1000), message, status: null }
  }
  return { state: 'failed', message: retry ? `${message} It was tried ${attempts} times.` : message, status }
}

const OURS = new VisibleError(500, 'Something went wrong on our side. It has been noted.', {}) // a bug, or the database is away for a moment
