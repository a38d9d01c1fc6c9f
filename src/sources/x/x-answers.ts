// The answers of the X API, checked: a user, and a page of posts. An answer is paid for whatever it holds, so what is odd in
// it is left out, and what is good is kept.

import { z } from 'zod'
import { limitMarks } from '../../text/normalize.js'
import { explainProblem, parseJson, Problems, unreadable, userProtected } from './x-errors.js'

/** A public user. `posts` is how many posts of any kind there are, retweets and replies included. */
export const XUser = z.object({
  id: z.string(),
  username: z.string(),
  name: z.string(),
  pictureUrl: z.string().nullable(),
  posts: z.number().nullable()
})
export type XUser = z.infer<typeof XUser>

/** A post as X gives it: with HTML entities, and whole even when it is longer than 280 characters. */
export interface XPost { id: string; text: string; createdAt: Date | null }

/** Newest first. A page may be empty and still have a `nextToken`: only a page without one is the last. */
export interface PostPage {
  posts: XPost[]
  /** How many posts X has sent and charges for: also those that are too odd to be in `posts`. */
  sent: number
  nextToken?: string
}

const MAX_ID = 2n ** 63n - 1n
const MAX_COUNT = 2 ** 31 - 1 // of a column for whole numbers
const MAX_NAME = 100 // UTF-16 code units; X's own limit is 50
const MAX_TOKEN = 1_000
const MAX_TEXT = 200_000 // UTF-16 code units: 25,000 characters of 8, as entities and accents can be
const FIRST_YEAR = 2006 // of X
const LAST_YEAR = 9999

/** A field that may be missing. An odd value counts as a missing one. */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined)

// A number in text that fits into 64 bits.
const Id = z.string().refine((id) => /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= MAX_ID)

const User = z.object({
  id: Id,
  username: z.string().regex(/^\w{1,20}$/),
  name: maybe(z.string()),
  protected: maybe(z.boolean()),
  profile_image_url: maybe(z.string()),
  public_metrics: maybe(z.object({ tweet_count: maybe(z.int().min(0).max(MAX_COUNT)) }))
})
const UserAnswer = z.object({ data: User.nullish(), errors: Problems })

const Post = z.object({
  id: Id,
  text: z.string(),
  note_tweet: maybe(z.object({ text: maybe(z.string()) })),
  created_at: maybe(z.string())
})
const PostsAnswer = z.object({
  data: maybe(z.array(z.unknown())),
  meta: maybe(z.object({ next_token: maybe(z.string().min(1).max(MAX_TOKEN)) })),
  errors: Problems
})

/** @throws ExpectedError for a user who cannot be read, and for an answer that makes no sense */
export function readUser(answer: unknown, username: string): XUser {
  const { data, errors } = check(UserAnswer, answer)
  if (!data) throw explainProblem(errors, username) ?? unreadable()
  if (data.protected) throw userProtected(data.username)
  const { id, name, profile_image_url, public_metrics } = data
  return {
    id,
    username: data.username,
    name: plainName(name) || data.username,
    pictureUrl: pictureUrl(profile_image_url),
    posts: public_metrics?.tweet_count ?? null
  }
}

/**
 * The posts of a page that can be read: one that has no usable id or no text is left out.
 * @param size how many posts were asked for; what X sends beyond them is ignored
 * @throws ExpectedError for a user who cannot be read, and for an answer that is no page
 */
export function readPostPage(answer: unknown, username: string, size: number): PostPage {
  const { data, meta, errors } = check(PostsAnswer, answer)
  // Errors beside posts are about something that a post refers to: the posts themselves are good.
  const problem = data ? undefined : explainProblem(errors, username)
  if (problem) throw problem
  if (!data && !meta) throw unreadable()
  const sent = (data ?? []).slice(0, size)
  const posts = sent.flatMap((post) => readPost(post) ?? []).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? 1 : -1))
  return { posts, sent: sent.length, nextToken: meta?.next_token }
}

function check<T>(schema: z.ZodType<T>, answer: unknown): T {
  const { success, data } = schema.safeParse(parseJson(answer))
  if (!success) throw unreadable()
  return data
}

function readPost(post: unknown): XPost | undefined {
  const { success, data } = Post.safeParse(post)
  if (!success) return undefined
  const { id, text, note_tweet, created_at } = data
  return { id, text: limitMarks((note_tweet?.text ?? text).slice(0, MAX_TEXT)), createdAt: readDate(created_at) }
}

/** A date that X and Postgres can have; null for any other, so that the post itself is kept. */
function readDate(text = ''): Date | null {
  const date = new Date(text)
  const year = date.getUTCFullYear()
  return year >= FIRST_YEAR && year <= LAST_YEAR ? date : null
}

/** A name that can be stored and shown: without control characters and halves of characters, and not too long. */
function plainName(name = ''): string {
  const plain = limitMarks(name.slice(0, MAX_TEXT)).toWellFormed().replace(/\p{Cc}+/gu, ' ').trim()
  return plain.slice(0, MAX_NAME).replace(/[\uD800-\uDBFF]$/, '') // the cut may go through a character
}

/** Pictures are shown from X's own hosts only. */
function pictureUrl(address = ''): string | null {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url && ['https://pbs.twimg.com', 'https://abs.twimg.com'].includes(url.origin) ? url.href : null
}
