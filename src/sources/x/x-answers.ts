// The answers of the X API, checked: a user, and a page of posts.

import { z } from 'zod'
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
export interface PostPage { posts: XPost[]; nextToken?: string }

const Id = z.string().regex(/^\d{1,20}$/)

const User = z.object({
  id: Id,
  username: z.string().regex(/^\w{1,20}$/),
  name: z.string(),
  protected: z.boolean().optional(),
  profile_image_url: z.string().optional(),
  public_metrics: z.object({ tweet_count: z.number().int().optional() }).optional()
})
const UserAnswer = z.object({ data: User.optional(), errors: Problems })

const Post = z.object({
  id: Id,
  text: z.string(),
  note_tweet: z.object({ text: z.string().optional() }).optional(),
  created_at: z.string().optional()
})
const PostsAnswer = z.object({
  data: z.array(Post).optional(),
  meta: z.object({ next_token: z.string().optional() }).optional(),
  errors: Problems
})

export function readUser(answer: unknown, username: string): XUser {
  const { data, errors } = check(UserAnswer, answer)
  if (!data) throw explainProblem(errors, username) ?? unreadable()
  if (data.protected) throw userProtected(data.username)
  const { id, name, profile_image_url, public_metrics } = data
  return { id, username: data.username, name, pictureUrl: pictureUrl(profile_image_url), posts: public_metrics?.tweet_count ?? null }
}

export function readPostPage(answer: unknown, username: string): PostPage {
  const { data, meta, errors } = check(PostsAnswer, answer)
  // Errors beside posts are about something that a post refers to: the posts themselves are good.
  const problem = data ? undefined : explainProblem(errors, username)
  if (problem) throw problem
  if (!meta) throw unreadable()
  const posts = (data ?? []).map(readPost).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? 1 : -1))
  return { posts, nextToken: meta.next_token }
}

function check<T>(schema: z.ZodType<T>, answer: unknown): T {
  const { success, data } = schema.safeParse(parseJson(answer))
  if (!success) throw unreadable()
  return data
}

function readPost({ id, text, note_tweet, created_at }: z.infer<typeof Post>): XPost {
  const createdAt = new Date(created_at ?? NaN)
  return { id, text: note_tweet?.text ?? text, createdAt: Number.isNaN(createdAt.getTime()) ? null : createdAt }
}

/** Pictures are shown from X's own hosts only. */
function pictureUrl(address = ''): string | null {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url && ['https://pbs.twimg.com', 'https://abs.twimg.com'].includes(url.origin) ? url.href : null
}
