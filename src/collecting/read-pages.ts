// Reading a user's posts from X page by page, within the day's budget.

import type { Services } from '../services/services.js'
import { ExpectedError } from '../core/errors.js'
import type { PostPage, XPost, XUser } from '../sources/x/x-answers.js'
import type { PageQuery } from '../sources/x/x-api.js'
import type { ClaimedJob } from '../storage/collect-jobs.js'
import type { PositionRange } from '../storage/tweets.js'
import { MIN_PAGE } from '../storage/x-budget.js'

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

/** Reads the pages that a job still needs, and continues behind the last one that was stored. */
export async function* readPages(services: Services, job: ClaimedJob, profile: XUser, signal: AbortSignal): AsyncGenerator<Page> {
  const [sinceId, untilId] = [job.sinceId ?? undefined, job.oldestId ?? undefined]
  let { read, newestId, oldestId } = job
  let nextToken: string | undefined
  for (let pages = 0; read < job.toRead && pages < MAX_PAGES; pages++) {
    signal.throwIfAborted()
    const page = await readPage(services, profile, { size: Math.min(job.toRead - read, MAX_PAGE), sinceId, untilId, nextToken })
    const { posts } = page
    nextToken = page.nextToken
    const isOldest = !nextToken && !sinceId && profile.posts !== null && profile.posts <= MAX_TIMELINE
    const covers = rangeOf(posts, oldestId, isOldest)
    read += posts.length
    newestId ??= posts.at(0)?.id ?? null
    oldestId = posts.at(-1)?.id ?? oldestId
    yield { posts, covers, read, newestId, oldestId }
    if (!nextToken) return
  }
}

/** From the page's oldest post (from the very first, on the oldest page of all) up to the page before. */
function rangeOf(posts: XPost[], before: string | null, isOldest: boolean): PositionRange | undefined {
  if (posts.length === 0 && !isOldest) return undefined
  return { from: isOldest ? undefined : BigInt(posts.at(-1)!.id), before: before === null ? undefined : BigInt(before) }
}

/** Reads one page. Its posts are reserved in the budget first, and those that X did not send are refunded. */
async function readPage({ config, xBudget, xApi }: Services, { id, username }: XUser, query: PageQuery): Promise<PostPage> {
  const { granted, day } = await xBudget.reserve(query.size, config.X_DAILY_POST_BUDGET)
  if (granted < MIN_PAGE) throw await budgetSpent({ config, xBudget })
  try {
    const page = await xApi.readPosts(id, username, { ...query, size: granted })
    await xBudget.refund(granted - page.posts.length, day)
    return page
  } catch (error) {
    if (error instanceof ExpectedError && !error.retry?.charged) await xBudget.refund(granted, day)
    throw error
  }
}

/** The error for the rest of the day. */
export async function budgetSpent({ config, xBudget }: Pick<Services, 'config' | 'xBudget'>): Promise<ExpectedError> {
  const { opensAt } = await xBudget.today(config.X_DAILY_POST_BUDGET)
  const budget = config.X_DAILY_POST_BUDGET.toLocaleString('en')
  return new ExpectedError('unavailable', `Today's budget of ${budget} posts from X is spent. It opens again at 00:00 UTC ` +
    '(tweets can be imported from a file at any time).', { at: opensAt })
}
