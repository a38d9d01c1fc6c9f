// What follows when collecting fails: another attempt, or the end of the job.

import type { Services } from '../services/services.js'
import { ExpectedError, GoneAtSource, isForLog, type Reason } from '../core/errors.js'
import { ENDED, LeaseLost, NOTHING_READ, RELEASED, type ClaimedJob, type Progress } from '../storage/collect-jobs.js'
import { DatabaseAway } from '../storage/storage-errors.js'

// How many failures in a row end a job. An answer that may have been paid for is not bought often; waiting when X asks for it,
// or until the next day's budget, costs nothing, but some time nobody waits for the result any more.
const MAX_ATTEMPTS = 8
const MAX_CHARGED = 3
const MAX_WAITS = 24
const MAX_PAUSE = 300_000 // ms between two attempts, unless X asks for more

/** The worker is being stopped. */
export class Stopped extends Error {}

/** Returns the job to the queue, waits, or gives up. Where the lease is lost, the worker that has the job now decides. */
export async function afterFailure(services: Services, job: ClaimedJob, error: unknown): Promise<void> {
  if (error instanceof LeaseLost) return
  const { collectJobs, queue, log } = services
  if (!isExpected(error)) log.error(error, 'collecting failed')
  const [current] = await collectJobs.find([job.usernameKey])
  const attempts = error instanceof Stopped ? undefined : (current?.attempts ?? 0) + 1
  const { pauseMs, ...next } = nextOf(error, attempts ?? 0)
  const hasEnded = next.state === 'failed'
  try {
    await saveFailure(services, job, error, { ...(hasEnded ? ENDED : RELEASED), ...next, attempts, pauseMs })
  } catch (failure) {
    if (failure instanceof LeaseLost) return
    throw failure
  }
  if (!hasEnded) await queue.send(job.usernameKey, job.turn, pauseMs)
}

/** Whether there is nothing in it for the operator. An expected error with a `cause` (the database is away) has something. */
const isExpected = (error: unknown): boolean => error instanceof Stopped || !isForLog(error)

/** Saves how the job goes on. A user who is gone at the source is removed with it: in one transaction, and only under the lease. */
async function saveFailure({ collectJobs, userStore }: Services, job: ClaimedJob, error: unknown, progress: Progress): Promise<void> {
  if (!(error instanceof GoneAtSource)) return collectJobs.saveProgress(job, progress)
  await userStore.removeGoneUser(job.usernameKey, (tx) => collectJobs.saveProgress(job, { ...progress, ...NOTHING_READ }, tx))
}

interface Next { state: 'queued' | 'waiting' | 'failed'; pauseMs?: number; message: string | null; reason: Reason | null }

function nextOf(error: unknown, attempts: number): Next {
  if (error instanceof Stopped) return { state: 'queued', pauseMs: 0, message: null, reason: null }
  const { reason, message, retry } = error instanceof ExpectedError && !(error instanceof DatabaseAway) ? error : UNEXPECTED
  if (!retry || attempts >= mostAttempts(retry)) {
    return { state: 'failed', message: retry ? `${message} It was tried ${attempts} times.` : message, reason }
  }
  const growing = Math.min(1000 * 2 ** (attempts - 1), MAX_PAUSE)
  const asked = retry.at ? retry.at.getTime() - Date.now() : 0
  return { state: 'waiting', pauseMs: Math.max(growing, asked), message, reason: null }
}

function mostAttempts({ at, charged }: NonNullable<ExpectedError['retry']>): number {
  if (charged) return MAX_CHARGED
  return at ? MAX_WAITS : MAX_ATTEMPTS
}

const UNEXPECTED = new ExpectedError('bug', 'Something went wrong on our side. It has been noted.', {})
