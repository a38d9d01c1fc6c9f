import { FREE, type Collection } from './collections.js'
import { VisibleError } from './errors.js'
import type { Parts } from './parts.js'
import { SMALLEST_PAGE } from './spending.js'
import type { UserProfile } from './store.js'
import { decodeText, dropDuplicates, duplicateKey } from './text.js'
import { slices } from './vectors.js'
import type { PostPage, XPost, XUser } from './x-api.js'

const LARGEST_PAGE = 100
const WHOLE_TIMELINE = 800 // posts: of more, X does not show the oldest where replies are left out
const MOST_PAGES = 100 // X sends empty pages now and then; this many in a row would be for ever

/** A collecting that a worker holds. */
export interface Held {
  collection: Collection
  worker: string
  signal: AbortSignal
}

/**
 * STORY 1. Collects a user's newest original posts from X: all that may be read the first time, only what is newer from
 * then on, and all once more where some were deleted on X. Page by page, each stored with how far it goes, so that it
 * goes on from there after any end.
 * @throws VisibleError in X's way, or 503 with `retry` where the day's budget is spent; LeaseLost; the signal's reason
 */
export async function collectTweets(parts: Parts, held: Held): Promise<void> {
  const profile = await findProfile(parts, held)
  const { toRead, sinceId } = held.collection
  let { read, newestId, oldestId } = held.collection
  const untilId = oldestId
  await embedMissing(parts, held, profile.id)
  let nextToken: string | undefined
  for (let pages = 0; read < toRead && pages < MOST_PAGES; pages++) {
    held.signal.throwIfAborted()
    const size = Math.min(toRead - read, LARGEST_PAGE)
    const page = await readPage(parts, profile, { size, sinceId: sinceId ?? undefined, untilId: untilId ?? undefined, nextToken })
    nextToken = page.nextToken
    const endsAll = !nextToken && !sinceId && profile.posts !== null && profile.posts <= WHOLE_TIMELINE
    const newerThan = oldestId
    read += page.posts.length
    newestId ??= page.posts.at(0)?.id ?? null
    oldestId = page.posts.at(-1)?.id ?? oldestId
    await savePage(parts, held, profile, { posts: page.posts, newerThan, endsAll }, { read, newestId, oldestId })
    await embedMissing(parts, held, profile.id)
    if (!nextToken) break
  }
  await finish(parts, held, profile, newestId)
}

/** What X says of the user: looked up once, since each look costs money. */
async function findProfile({ store, collections, spending, xApi }: Parts, { collection, worker }: Held): Promise<XUser> {
  if (collection.profile) return collection.profile as unknown as XUser
  await spending.countUser()
  const profile = await xApi.findUser(collection.username)
  const known = await store.findUserById(profile.id)
  const hasDeleted = (profile.posts ?? Infinity) < (known?.postsOnX ?? 0)
  const sinceId = hasDeleted ? null : known?.newestTweetId ?? null
  await collections.saveProfile(collection.usernameKey, worker, profile, sinceId)
  collection.sinceId = sinceId
  return profile
}

type PageQuery = Parameters<Parts['xApi']['readPosts']>[2]

/** A page of posts, counted before it is asked for; what X did not serve is given back. */
async function readPage({ env, spending, xApi }: Parts, { id, username }: XUser, query: PageQuery): Promise<PostPage> {
  const { granted, day } = await spending.reserve(query.size, env.X_DAILY_POST_BUDGET)
  if (granted < SMALLEST_PAGE) throw await budgetSpent({ env, spending })
  try {
    const page = await xApi.readPosts(id, username, { ...query, size: granted })
    await spending.giveBack(granted - page.posts.length, day)
    return page
  } catch (error) {
    if (error instanceof VisibleError && !error.retry?.charged) await spending.giveBack(granted, day)
    throw error
  }
}

/** The refusal for the rest of the day. */
export async function budgetSpent({ env, spending }: Pick<Parts, 'env' | 'spending'>): Promise<VisibleError> {
  const { opensAt } = await spending.today(env.X_DAILY_POST_BUDGET)
  const budget = env.X_DAILY_POST_BUDGET.toLocaleString('en')
  return new VisibleError(503, `Today's budget of ${budget} posts from X is spent. It opens again at 00:00 UTC ` +
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
  { store, collections }: Parts,
  { collection, worker }: Held,
  profile: XUser,
  page: Page,
  place: { read: number; newestId: string | null; oldestId: string | null }
): Promise<void> {
  const stored = await store.listTexts(profile.id)
  const gone = stored.filter(({ id }) => isGone(BigInt(id), page)).map(({ id }) => id)
  const there = new Set(stored.filter(({ id }) => !gone.includes(id)).map(({ text }) => duplicateKey(text)))
  const own = ownTexts(page.posts).filter(({ text }) => !there.has(duplicateKey(text)))
  const tweets = own.map((post) => ({ ...post, position: BigInt(post.id) }))
  await store.savePage(userOf(profile), tweets, gone, (tx, added) =>
    collections.step(
      collection.usernameKey,
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
async function embedMissing({ store, threads, collections }: Parts, { collection, worker }: Held, userId: string): Promise<void> {
  const encoder = await threads.encoderName()
  const missing = await store.listNotEmbedded(userId, encoder)
  if (missing.length === 0) return
  const vectors = slices(await threads.embed(missing.map(({ text }) => text)), missing.length)
  await store.saveVectors(userId, missing.map(({ id }, i) => ({ id, embedding: vectors[i] })), encoder)
  await collections.step(collection.usernameKey, worker, { embedded: { increment: missing.length } })
}

async function finish({ store, collections }: Parts, { collection, worker }: Held, profile: XUser, newestId: string | null): Promise<void> {
  const user = await store.findUserById(profile.id)
  if (!user || user.tweets === 0) throw new VisibleError(422, `@${profile.username} has no posts of their own to learn from.`)
  await store.finishUser(userOf(profile), { newestTweetId: newestId, postsOnX: profile.posts }, (tx) =>
    collections.step(collection.usernameKey, worker, { ...FREE, state: 'done' }, tx)
  )
}

/** The posts with their texts as they were typed, less those that repeat another. */
function ownTexts(posts: XPost[]): XPost[] {
  return dropDuplicates(posts.map((post) => ({ ...post, text: decodeText(post.text) })), ({ text }) => text)
}
