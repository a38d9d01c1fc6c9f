// What follows when collecting fails: another attempt, or the end of the job.

import type { Services } from '../services/services.js'
import { ExpectedError, GoneAtSource, isForLog, type Reason } from '../core/errors.js'
import { LeaseLost, NOTHING_READ, RELEASED, type ClaimedJob, type Progress } from '../storage/collect-jobs.js'
import { DatabaseAway } from '../storage/storage-errors.js'

const MAX_ATTEMPTS = 8
const MAX_PAUSE = 300 // s between two attempts

/** The worker is being stopped. */
export class Stopped extends Error {}

/** Returns the job to the queue, waits, or gives up. Where the lease is lost, the worker that has the job now decides. */
export async function afterFailure(services: Services, job: ClaimedJob, error: unknown): Promise<void> {
  if (error instanceof LeaseLost) return
  const { collectJobs, queue, log } = services
  if (!isExpected(error)) log.error(error, 'collecting failed')
  const [current] = await collectJobs.find([job.usernameKey])
  const attempts = error instanceof Stopped ? undefined : (current?.attempts ?? 0) + 1
  const next = nextOf(error, attempts ?? 0)
  try {
    await saveFailure(services, job, error, { ...RELEASED, ...next, attempts })
  } catch (failure) {
    if (failure instanceof LeaseLost) return
    throw failure
  }
  if (next.dueAt) await queue.send(job.usernameKey, next.state === 'waiting' ? next.dueAt : undefined)
}

/** Whether there is nothing in it for the operator. An expected error with a `cause` (the database is away) has something. */
const isExpected = (error: unknown): boolean => error instanceof Stopped || !isForLog(error)

/** Saves how the job goes on. A user who is gone at the source is removed with it: in one transaction, and only under the lease. */
async function saveFailure({ collectJobs, userStore }: Services, job: ClaimedJob, error: unknown, progress: Progress): Promise<void> {
  if (!(error instanceof GoneAtSource)) return collectJobs.saveProgress(job, progress)
  await userStore.removeGoneUser(job.usernameKey, (tx) => collectJobs.saveProgress(job, { ...progress, ...NOTHING_READ }, tx))
}

interface Next { state: 'queued' | 'waiting' | 'failed'; dueAt?: Date; message: string | null; reason: Reason | null }

function nextOf(error: unknown, attempts: number): Next {
  if (error instanceof Stopped) return { state: 'queued', dueAt: new Date(), message: null, reason: null }
  const { reason, message, retry } = error instanceof ExpectedError && !(error instanceof DatabaseAway) ? error : UNEXPECTED
  if (retry?.at) return { state: 'waiting', dueAt: retry.at, message, reason: null }
  if (retry && attempts < MAX_ATTEMPTS) {
    const pause = Math.min(2 ** (attempts - 1), MAX_PAUSE)
    return { state: 'waiting', dueAt: new Date(Date.now() + pause * 1000), message, reason: null }
  }
  return { state: 'failed', message: retry ? `${message} It was tried ${attempts} times.` : message, reason }
}

const UNEXPECTED = new ExpectedError('bug', 'Something went wrong on our side. It has been noted.', {})
