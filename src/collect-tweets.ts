import { VisibleError } from './errors.js'
import type { Parts } from './parts.js'
import type { NewTweet, StoredUser } from './store.js'
import { decodeText, dropDuplicates, duplicateKey } from './text.js'
import { slices } from './vectors.js'
import type { XPost, XUser } from './x-api.js'

const LARGEST_PAGE = 100
const MOST_PAGES = 100 // X sends empty pages now and then; this many in a row would be for ever

/**
 * STORY 1. Collects a user's newest original posts from X: all that may be read the first time, only what is newer
 * from then on. Nothing is stored unless all of it can be.
 * @returns the user and how many tweets were new
 */
export async function collectTweets(parts: Parts, username: string): Promise<{ user: StoredUser; added: number }> {
  const { store, xApi } = parts
  const profile = await xApi.findUser(username)
  const known = await store.findUserById(profile.id)
  const sinceId = known?.newestTweetId ?? null
  const posts = await readNewest(parts, profile, sinceId)
  const own = ownTexts(posts)
  if (!known && own.length === 0) throw new VisibleError(422, `@${profile.username} has no posts of their own to learn from.`)
  const tweets = await embedTweets(parts, await notStored(parts, profile.id, own))
  const encoder = await parts.threads.encoderName()
  const added = await store.saveTweets({ ...profile, source: 'x' }, posts[0]?.id ?? null, tweets, encoder)
  const user = await store.findUser(profile.username)
  return { user: user!, added }
}

/** Up to X_POSTS_PER_USER posts, newest first. */
async function readNewest({ env, xApi }: Parts, { id, username }: XUser, sinceId: string | null): Promise<XPost[]> {
  const posts = new Map<string, XPost>()
  let nextToken: string | undefined
  let pages = 0
  do {
    const size = Math.min(env.X_POSTS_PER_USER - posts.size, LARGEST_PAGE)
    const page = await xApi.readPosts(id, username, { size, sinceId: sinceId ?? undefined, nextToken })
    for (const post of page.posts) posts.set(post.id, post)
    nextToken = page.nextToken
  } while (nextToken && posts.size < env.X_POSTS_PER_USER && ++pages < MOST_PAGES)
  return [...posts.values()].slice(0, env.X_POSTS_PER_USER)
}

/** The posts with their texts as they were typed, less those that repeat another. */
function ownTexts(posts: XPost[]): XPost[] {
  return dropDuplicates(posts.map((post) => ({ ...post, text: decodeText(post.text) })), ({ text }) => text)
}

/** The posts that do not repeat a stored one. */
async function notStored({ store }: Parts, userId: string, posts: XPost[]): Promise<XPost[]> {
  const stored = new Set((await store.listTexts(userId)).map(duplicateKey))
  return posts.filter(({ text }) => !stored.has(duplicateKey(text)))
}

/** The posts with their vectors, ready to be stored. */
async function embedTweets({ threads }: Parts, posts: XPost[]): Promise<NewTweet[]> {
  const vectors = slices(await threads.embed(posts.map(({ text }) => text)), posts.length)
  return posts.map((post, i) => ({ ...post, position: BigInt(post.id), embedding: vectors[i] }))
}
