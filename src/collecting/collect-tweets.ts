import { FREE, type CollectJob } from '../storage/collect-jobs.js'
import { ExpectedError, GoneAtSource } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { SMALLEST_PAGE } from '../storage/x-budget.js'
import { decodeText, dropDuplicates, duplicateKey } from '../text/normalize.js'
import { slices } from '../core/vectors.js'
import type { PostPage, XPost, XUser } from '../sources/x/x-api.js'
import type { UserProfile } from '../storage/users.js'

const LARGEST_PAGE = 100
const WHOLE_TIMELINE = 800 // posts: of more, X does not show the oldest where replies are left out
const MOST_PAGES = 100 // X sends empty pages now and then; this many in a row would be for ever

/** A collecting that a worker holds. */
export interface Held {
  collectJob: CollectJob
  worker: string
  signal: AbortSignal
}

/**
 * STORY 1. Collects a user's newest original posts from X: all that may be read the first time, only what is newer from
 * then on, and all once more where some were deleted on X. Page by page, each stored with how far it goes, so that it
 * goes on from there after any end.
 * @throws ExpectedError in X's way, or 503 with `retry` where the day's budget is spent; LeaseLost; the signal's reason
 */
export async function collectTweets(services: Services, held: Held): Promise<void> {
  const profile = await findProfile(services, held)
  const { toRead, sinceId } = held.collectJob
  let { read, newestId, oldestId } = held.collectJob
  const untilId = oldestId
  await embedMissing(services, held, profile.id)
  let nextToken: string | undefined
  for (let pages = 0; read < toRead && pages < MOST_PAGES; pages++) {
    held.signal.throwIfAborted()
    const size = Math.min(toRead - read, LARGEST_PAGE)
    const page = await readPage(services, profile, { size, sinceId: sinceId ?? undefined, untilId: untilId ?? undefined, nextToken })
    nextToken = page.nextToken
    const endsAll = !nextToken && !sinceId && profile.posts !== null && profile.posts <= WHOLE_TIMELINE
    const newerThan = oldestId
    read += page.posts.length
    newestId ??= page.posts.at(0)?.id ?? null
    oldestId = page.posts.at(-1)?.id ?? oldestId
    await savePage(services, held, profile, { posts: page.posts, newerThan, endsAll }, { read, newestId, oldestId })
    await embedMissing(services, held, profile.id)
    if (!nextToken) break
  }
  await finish(services, held, profile, newestId)
}

/** What X says of the user: looked up once, since each look costs money. */
async function findProfile({ userStore, collectJobs, xBudget, xApi }: Services, { collectJob, worker }: Held): Promise<XUser> {
  if (collectJob.profile) return collectJob.profile as unknown as XUser
  await xBudget.countUser()
  const profile = await xApi.findUser(collectJob.username)
  const known = await userStore.findUserById(profile.id)
  const hasDeleted = (profile.posts ?? Infinity) < (known?.postsOnX ?? 0)
  const sinceId = hasDeleted ? null : known?.newestTweetId ?? null
  await collectJobs.saveProfile(collectJob.usernameKey, worker, profile, sinceId)
  collectJob.sinceId = sinceId
  return profile
}

type PageQuery = Parameters<Services['xApi']['readPosts']>[2]

/** A page of posts, counted before it is asked for; what X did not serve is given back. */
async function readPage({ config, xBudget, xApi }: Services, { id, username }: XUser, query: PageQuery): Promise<PostPage> {
  const { granted, day } = await xBudget.reserve(query.size, config.X_DAILY_POST_BUDGET)
  if (granted < SMALLEST_PAGE) throw await budgetSpent({ config, xBudget })
  try {
    const page = await xApi.readPosts(id, username, { ...query, size: granted })
    await xBudget.giveBack(granted - page.posts.length, day)
    return page
  } catch (error) {
    if (error instanceof ExpectedError && !error.retry?.charged) await xBudget.giveBack(granted, day)
    throw error
  }
}

/** The refusal for the rest of the day. */
export async function budgetSpent({ config, xBudget }: Pick<Services, 'config' | 'xBudget'>): Promise<ExpectedError> {
  const { opensAt } = await xBudget.today(config.X_DAILY_POST_BUDGET)
  const budget = config.X_DAILY_POST_BUDGET.toLocaleString('en')
  return new ExpectedError('unavailable', `Today's budget of ${budget} posts from X is spent. It opens again at 00:00 UTC ` +
    '(tweets can be imported from a file at any time).', { at: opensAt })
}

interface Page {
  /** Newest first. */
  posts: XPost[]
  /** The oldest post of the page before, where there was one. */
  newerThan: string | null
  /** Whether there are no older posts at all. */
  endsAll: boolean
}

/** Stores the page's own texts that are new and how far it goes, and removes what it no longer has: all or nothing. */
async function savePage(
  { tweetStore, collectJobs }: Services,
  { collectJob, worker }: Held,
  profile: XUser,
  page: Page,
  place: { read: number; newestId: string | null; oldestId: string | null }
): Promise<void> {
  const stored = await tweetStore.listTexts(profile.id)
  const gone = stored.filter(({ id }) => isGone(BigInt(id), page)).map(({ id }) => id)
  const there = new Set(stored.filter(({ id }) => !gone.includes(id)).map(({ text }) => duplicateKey(text)))
  const own = ownTexts(page.posts).filter(({ text }) => !there.has(duplicateKey(text)))
  const tweets = own.map((post) => ({ ...post, position: BigInt(post.id) }))
  await tweetStore.savePage(userOf(profile), tweets, gone, (tx, added) =>
    collectJobs.step(
      collectJob.usernameKey,
      worker,
      { ...place, attempts: 0, kept: { increment: added }, removed: { increment: gone.length } },
      tx
    )
  )
}

/** Whether a stored post is missing among those that the page covers: X no longer shows it. */
function isGone(id: bigint, { posts, newerThan, endsAll }: Page): boolean {
  const oldest = posts.at(-1)
  const isCovered = (endsAll || (oldest && id >= BigInt(oldest.id))) && (!newerThan || id < BigInt(newerThan))
  return Boolean(isCovered) && !posts.some((post) => BigInt(post.id) === id)
}

const userOf = ({ id, username, name, pictureUrl }: XUser): UserProfile => ({ id, username, name, pictureUrl, source: 'x' })

/** Vectors for the user's tweets that have none yet, or another encoder's. */
async function embedMissing({ tweetStore, threads, collectJobs }: Services, { collectJob, worker }: Held, userId: string): Promise<void> {
  const encoder = await threads.encoderName()
  const missing = await tweetStore.listNotEmbedded(userId, encoder)
  if (missing.length === 0) return
  const vectors = slices(await threads.embed(missing.map(({ text }) => text)), missing.length)
  await tweetStore.saveVectors(userId, missing.map(({ id }, i) => ({ id, embedding: vectors[i] })), encoder)
  await collectJobs.step(collectJob.usernameKey, worker, { embedded: { increment: missing.length } })
}

async function finish({ userStore, collectJobs }: Services, { collectJob, worker }: Held, profile: XUser, newestId: string | null): Promise<void> {
  const user = await userStore.findUserById(profile.id)
  if (!user || user.tweets === 0) throw new GoneAtSource('unusable', `@${profile.username} has no posts of their own to learn from.`)
  await userStore.finishUser(userOf(profile), { newestTweetId: newestId, postsOnX: profile.posts }, (tx) =>
    collectJobs.step(collectJob.usernameKey, worker, { ...FREE, state: 'done' }, tx)
  )
}

/** The posts with their texts as they were typed, less those that repeat another. */
function ownTexts(posts: XPost[]): XPost[] {
  return dropDuplicates(posts.map((post) => ({ ...post, text: decodeText(post.text) })), ({ text }) => text)
}
