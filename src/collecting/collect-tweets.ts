import type { Services } from '../services/services.js'
import { GoneAtSource } from '../core/errors.js'
import { slices } from '../core/vectors.js'
import type { XUser } from '../sources/x/x-answers.js'
import { ENDED, type ClaimedJob } from '../storage/collect-jobs.js'
import type { Seen, UserProfile } from '../storage/users.js'
import { decodeText, dropDuplicates, duplicateKey } from '../text/normalize.js'
import { readPages, type Page } from './read-pages.js'
import { buyUser } from './spending.js'

/**
 * STORY 1. Collects a user's newest original posts from X: the first time all that may be read, afterwards those that are
 * newer, and all once more when some may have been deleted on X. Each page is stored together with the job's progress, so that the
 * job resumes there after any interruption.
 * @throws GoneAtSource; StorageFull; other ExpectedErrors, with `retry` where waiting helps; LeaseLost; the signal's reason
 */
export async function collectTweets(services: Services, job: ClaimedJob, signal: AbortSignal): Promise<void> {
  const { profile, sinceId } = await findProfile(services, job)
  await services.tweetStore.checkRoom() // before a page is paid for
  await embedMissing(services, job, profile.id)
  const stored = await readStoredKeys(services, profile.id)
  let { newestId } = job
  for await (const page of readPages(services, { ...job, sinceId }, profile, signal)) {
    await savePage(services, job, profile, page, stored)
    await embedMissing(services, job, profile.id)
    newestId = page.newestId
  }
  await finish(services, job, profile, { newestTweetId: newestId, postsOnX: profile.posts }, sinceId === null)
}

/**
 * What X says of the user, and the post after which the new ones begin. Looked up once for each job, since a look-up costs
 * money; again only where the stored answer is damaged.
 */
async function findProfile(services: Services, job: ClaimedJob): Promise<{ profile: XUser; sinceId: string | null }> {
  if (job.profile) return { profile: job.profile, sinceId: job.sinceId }
  const profile = await lookUp(services, job.username)
  const known = await services.userStore.saveCount(profile.id, profile.posts)
  const sinceId = known?.isToBeReread ? null : known?.newestTweetId ?? null
  await services.collectJobs.saveProfile(job, profile, sinceId)
  return { profile, sinceId }
}

/** The user of this name, or who had it when they were stored here: names can change on X, ids cannot. */
async function lookUp(services: Services, username: string): Promise<XUser> {
  try {
    return await buyUser(services, (xApi) => xApi.findUser(username))
  } catch (error) {
    const isMissing = error instanceof GoneAtSource && error.reason === 'not-found'
    const known = isMissing ? await services.userStore.findUser(username) : null
    if (known?.source !== 'x') throw error
    return buyUser(services, (xApi) => xApi.findUserById(known.id, username))
  }
}

/** The duplicate keys of the user's stored texts: read once, and kept up to date page by page. */
async function readStoredKeys({ tweetStore }: Services, userId: string): Promise<Set<string>> {
  return new Set((await tweetStore.listTexts(userId)).map(({ text }) => duplicateKey(text)))
}

/** Stores the new texts of a page and the job's progress, and removes the tweets that X no longer shows: all or nothing. */
async function savePage({ tweetStore, collectJobs }: Services, job: ClaimedJob, profile: XUser, page: Page, stored: Set<string>): Promise<void> {
  const { posts, covers, read, newestId, oldestId } = page
  const gone = covers ? await tweetStore.listOthersInRange(profile.id, covers, posts.map(({ id }) => id)) : []
  for (const { text } of gone) stored.delete(duplicateKey(text))
  const tweets = posts.map((post) => ({ ...post, text: decodeText(post.text), position: BigInt(post.id) }))
  const fresh = dropDuplicates(tweets, ({ text }) => text, stored)
  await tweetStore.savePage(toUser(profile), fresh, gone.map(({ id }) => id), (tx, added) => {
    const kept = { increment: added }
    const removed = { increment: gone.length }
    return collectJobs.saveProgress(job, { read, newestId, oldestId, attempts: 0, kept, removed }, tx)
  })
}

/** Embeds the user's tweets that have no vector yet, or one from another encoder. */
async function embedMissing({ tweetStore, threads, collectJobs }: Services, job: ClaimedJob, userId: string): Promise<void> {
  const encoder = await threads.encoderName()
  const missing = await tweetStore.listNotEmbedded(userId, encoder)
  if (missing.length === 0) return
  const vectors = slices(await threads.embed(missing.map(({ text }) => text)), missing.length)
  const made = missing.map(({ id }, i) => ({ id, embedding: vectors[i] }))
  await tweetStore.saveVectors(userId, made, encoder, (tx, embedded) => collectJobs.saveProgress(job, { embedded: { increment: embedded } }, tx))
}

async function finish({ userStore, collectJobs }: Services, job: ClaimedJob, profile: XUser, seen: Seen, isWhole: boolean): Promise<void> {
  const user = await userStore.findUserById(profile.id)
  if (!user || user.tweets === 0) throw new GoneAtSource('unusable', `@${profile.username} has no posts of their own to learn from.`)
  await userStore.saveSeen(toUser(profile), seen, isWhole, (tx) => collectJobs.saveProgress(job, { ...ENDED, state: 'done' }, tx))
}

const toUser = ({ id, username, name, pictureUrl }: XUser): UserProfile => ({ id, username, name, pictureUrl, source: 'x' })
