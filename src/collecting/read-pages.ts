// Reading a user's posts from X page by page.

import type { Services } from '../services/services.js'
import type { XPost, XUser } from '../sources/x/x-answers.js'
import { SinceIdRefused } from '../sources/x/x-errors.js'
import type { ClaimedJob } from '../storage/collect-jobs.js'
import type { PositionRange } from '../storage/tweets.js'
import { MIN_PAGE } from '../storage/x-budget.js'
import { buyPage } from './spending.js'

const MAX_PAGE = 100 // posts
const MAX_TIMELINE = 800 // posts: of longer timelines, X does not show the oldest posts when replies are excluded
const MAX_PAGES = 100 // X sends an empty page now and then; so many in a row would never end

/** A page of posts, newest first, and the job's progress with it. */
export interface Page {
  posts: XPost[]
  /** The range of ids in which the page shows every post that still exists on X: what is stored there and not on the page is gone. */
  covers?: PositionRange
  read: number
  newestId: string | null
  oldestId: string | null
}

/**
 * Reads the pages that a job still needs, and continues behind the last one that was stored. Where X refuses to say what is
 * newer than the newest stored post, the newest posts are read until one of them is not newer: at first few, since that post
 * must be old.
 */
export async function* readPages(services: Services, job: ClaimedJob, profile: XUser, signal: AbortSignal): AsyncGenerator<Page> {
  const untilId = job.oldestId ?? undefined
  let sinceId = job.sinceId ?? undefined
  let nextToken: string | undefined
  let maxPage = MAX_PAGE
  let { read, newestId, oldestId } = job
  for (let pages = 0; read < job.toRead && pages < MAX_PAGES; pages++) {
    signal.throwIfAborted()
    const page = await buyPage(services, profile, { size: Math.min(job.toRead - read, maxPage), sinceId, untilId, nextToken })
      .catch((error) => refusedSinceId(error, sinceId))
    if (!page) {
      sinceId = undefined
      maxPage = MIN_PAGE
      continue
    }
    const { posts } = page
    nextToken = page.nextToken
    maxPage = MAX_PAGE
    const isOldest = !nextToken && !sinceId && profile.posts !== null && profile.posts <= MAX_TIMELINE
    const covers = rangeOf(posts, oldestId, isOldest)
    read += page.sent
    newestId ??= posts.at(0)?.id ?? null
    oldestId = posts.at(-1)?.id ?? oldestId
    yield { posts, covers, read, newestId, oldestId }
    if (!nextToken || isKnown(posts, job.sinceId)) return
  }
}

/** Nothing where X has refused `sinceId`; throws any other error. */
function refusedSinceId(error: unknown, sinceId: string | undefined): undefined {
  if (!(error instanceof SinceIdRefused) || !sinceId) throw error
}

/** Whether a page reaches the posts that were read before. */
function isKnown(posts: XPost[], sinceId: string | null): boolean {
  return sinceId !== null && posts.some(({ id }) => BigInt(id) <= BigInt(sinceId))
}

/** From the page's oldest post (from the very first, on the oldest page of all) up to the page before. */
function rangeOf(posts: XPost[], before: string | null, isOldest: boolean): PositionRange | undefined {
  if (posts.length === 0 && !isOldest) return undefined
  return { from: isOldest ? undefined : BigInt(posts.at(-1)!.id), before: before === null ? undefined : BigInt(before) }
}
