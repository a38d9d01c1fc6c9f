import { Agent } from 'node:http'
import {
  ApiPartialResponseError, ApiRequestError, ApiResponseError, TwitterApi, type ITwitterApiClientPlugin
} from 'twitter-api-v2'
import { z } from 'zod'
import { ExpectedError, GoneAtSource } from '../../core/errors.js'

/** `posts` is how many posts of any kind there are, retweets and replies among them. */
export interface XUser { id: string; username: string; name: string; pictureUrl: string | null; posts: number | null }

/** A post as X gives it: HTML entities still encoded, whole even when it is longer than 280 characters. */
export interface XPost { id: string; text: string; createdAt: Date | null }

/** Newest first. A page may be empty and still have a `nextToken`: only a page without one is the last. */
export interface PostPage { posts: XPost[]; nextToken?: string }

export interface XApi {
  /** Looks up a public user by name, in any case. Costs one user read. */
  findUser(username: string): Promise<XUser>
  /**
   * Reads one page of a user's own posts, without retweets and replies. Costs a read for each post on it.
   *
   * `size` is held to the 5 to 100 that X takes, so there may be more posts than were asked for.
   * `sinceId` and `untilId` are left out themselves. `username` is only for the wording of errors.
   */
  readPosts(
    userId: string,
    username: string,
    page: { size: number; sinceId?: string; untilId?: string; nextToken?: string }
  ): Promise<PostPage>
}

export interface XApiOptions { token?: string; url?: string; timeoutMs?: number }

type Query = Record<string, string | number | undefined>
type Ask = (path: string, query: Query, username: string) => Promise<unknown>

const Id = z.string().regex(/^\d{1,20}$/)
const Problem = z.object({
  title: z.string().catch(''),
  type: z.string().catch(''),
  resource_type: z.string().catch('user')
})
const Problems = z.array(Problem).catch([])
const FailedAnswer = z.object({ type: z.string().catch(''), errors: Problems }).catch({ type: '', errors: [] })

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

/**
 * The part of the X API v2 that we read.
 *
 * `url` is the API's base, X's own unless named. `timeoutMs` (milliseconds) limits a request as a whole, body included.
 * Every failure rejects with a ExpectedError: 404 no such user, 403 suspended or protected, 502 X is unwell or makes
 * no sense, 503 X has to be waited for or the operator has something to settle with X.
 */
export function createXApi(options: XApiOptions): XApi {
  const ask = createAsk(options)
  return {
    async findUser(username) {
      const query = { 'user.fields': 'profile_image_url,protected,public_metrics' }
      const answer = await ask(`users/by/username/${encodeURIComponent(username)}`, query, username)
      return toUser(readAnswer(UserAnswer, answer), username)
    },
    async readPosts(userId, username, page) {
      const answer = await ask(`users/${encodeURIComponent(userId)}/tweets`, pageQuery(page), username)
      return toPostPage(readAnswer(PostsAnswer, answer), username)
    }
  }
}

function pageQuery(page: Parameters<XApi['readPosts']>[2]): Query {
  return {
    max_results: Math.min(100, Math.max(5, Math.ceil(page.size))),
    since_id: page.sinceId,
    until_id: page.untilId,
    pagination_token: page.nextToken,
    exclude: 'retweets,replies',
    'tweet.fields': 'created_at,note_tweet'
  }
}

/**
 * Resolves with the text of an answer, which is parsed here and not by the client: an error body that the client
 * cannot word (`{"errors": [null]}`) makes it throw where nobody can catch. For the same reason answers are asked for
 * uncompressed: a broken compressed one is an unhandled 'error' event.
 */
function createAsk({ token, url = 'https://api.x.com/2/', timeoutMs = 10_000 }: XApiOptions): Ask {
  const prefix = url.endsWith('/') ? url : `${url}/`
  const httpAgent = prefix.startsWith('http:') ? new Agent() : undefined
  return async (path, query, username) => {
    if (!token?.trim()) throw tokenMissing()
    const signal = AbortSignal.timeout(timeoutMs)
    const client = new TwitterApi(token.trim(), { httpAgent, compression: false, plugins: [endWith(signal)] })
    const text: unknown = await client.v2.get(path, query, { prefix, forceParseMode: 'text' }).catch((error) => {
      throw signal.aborted ? timedOut(timeoutMs) : wordFailure(error, username)
    })
    // An answer that breaks off resolves, with what there was of it.
    if (signal.aborted) throw timedOut(timeoutMs)
    return text
  }
}

/** The client's own time limit starts again with every byte that comes, and a signal it takes only by a plugin. */
function endWith(signal: AbortSignal): ITwitterApiClientPlugin {
  return { onBeforeRequest: ({ requestOptions }) => void Object.assign(requestOptions, { signal }) }
}

function readAnswer<T>(schema: z.ZodType<T>, text: unknown): T {
  const { success, data } = schema.safeParse(parseJson(text))
  if (!success) throw unreadable()
  return data
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

function toUser({ data, errors }: z.infer<typeof UserAnswer>, username: string): XUser {
  if (!data) throw wordProblem(errors, username) ?? unreadable()
  if (data.protected) throw userProtected(data.username)
  const { id, name, profile_image_url, public_metrics } = data
  return { id, username: data.username, name, pictureUrl: pictureUrl(profile_image_url), posts: public_metrics?.tweet_count ?? null }
}

function pictureUrl(address = ''): string | null {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url && ['https://pbs.twimg.com', 'https://abs.twimg.com'].includes(url.origin) ? url.href : null
}

function toPostPage({ data, meta, errors }: z.infer<typeof PostsAnswer>, username: string): PostPage {
  // Errors beside posts are about something that a post refers to, and leave the posts good.
  const problem = data ? undefined : wordProblem(errors, username)
  if (problem) throw problem
  if (!meta) throw unreadable()
  const posts = (data ?? []).map(toPost).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? 1 : -1))
  return { posts, nextToken: meta.next_token }
}

function toPost({ id, text, note_tweet, created_at }: z.infer<typeof Post>): XPost {
  const createdAt = new Date(created_at ?? NaN)
  return { id, text: note_tweet?.text ?? text, createdAt: Number.isNaN(createdAt.getTime()) ? null : createdAt }
}

/** X answers 200 when it cannot show a user, and says why in `errors`; now and then the same comes with a 4xx. */
function wordProblem(problems: z.infer<typeof Problems>, username: string): ExpectedError | undefined {
  for (const { title, type, resource_type } of problems) {
    if (resource_type !== 'user') continue
    if (title === 'Authorization Error' || type.endsWith('not-authorized-for-resource')) return userProtected(username)
    if (title === 'Forbidden') return userSuspended(username)
    if (title === 'Not Found Error' || type.endsWith('resource-not-found')) return userMissing(username)
  }
}

function wordFailure(error: unknown, username: string): unknown {
  if (error instanceof ApiResponseError) return wordStatus(error, username)
  if (error instanceof ApiRequestError || error instanceof ApiPartialResponseError) return unreachable()
  // Node will not send a token with, say, a line break in it.
  if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_CHAR') return tokenRefused()
  return error
}

function wordStatus({ code, data, headers }: ApiResponseError, username: string): ExpectedError {
  if (code >= 500) return unwell()
  const { type, errors } = FailedAnswer.parse(parseJson(data))
  if (code === 429) return type.endsWith('usage-capped') ? capReached() : rateLimited(headers['x-rate-limit-reset'])
  if (code === 402) return creditsMissing()
  const problem = wordProblem(errors, username)
  if (problem) return problem
  if (code === 401) return tokenRefused()
  if (code === 403) return accessMissing()
  // A 404 that names no problem is about the address, not about the user.
  return code === 404 && errors.length > 0 ? userMissing(username) : refused(code)
}

function userMissing(username: string): GoneAtSource {
  return new GoneAtSource('not-found', `There is no X user @${username}.`)
}

function userSuspended(username: string): GoneAtSource {
  return new GoneAtSource('forbidden', `X has suspended @${username}, so there are no posts to read.`)
}

function userProtected(username: string): GoneAtSource {
  return new GoneAtSource('forbidden', `@${username} protects their posts, so they cannot be read.`)
}

function tokenMissing(): ExpectedError {
  return new ExpectedError('unavailable', 'Adding users from X needs the setting X_BEARER_TOKEN, which this site does not have.')
}

function tokenRefused(): ExpectedError {
  return new ExpectedError('unavailable', 'X does not accept the token in the setting X_BEARER_TOKEN. ' +
    'The operator of this site has to put a valid one there.')
}

function creditsMissing(): ExpectedError {
  return new ExpectedError('unavailable', 'The X account behind X_BEARER_TOKEN has no credits left. ' +
    "The operator of this site has to top them up in X's developer console.")
}

function capReached(): ExpectedError {
  return new ExpectedError('unavailable', 'The X account behind X_BEARER_TOKEN has read as many posts as its plan allows. ' +
    "The operator of this site can raise the cap in X's developer console.")
}

function accessMissing(): ExpectedError {
  return new ExpectedError('unavailable', 'The app behind X_BEARER_TOKEN has no access to this part of the X API. ' +
    "The operator of this site has to attach it to a project and a plan in X's developer console.")
}

function refused(status: number): ExpectedError {
  return new ExpectedError('bad-source', `X turned the request down with status ${status}. ` +
    'The operator of this site should check the setting X_API_URL.')
}

/** `reset` is in seconds since 1970. X counts in windows of 15 minutes, so that is the guess where it says nothing. */
function rateLimited(reset: unknown): ExpectedError {
  const minute = 60_000
  const now = Date.now()
  const told = Number(reset) * 1000
  // A little in the past is a clock that differs from ours; a day ahead is longer than any of X's windows.
  const sensible = told > now - minute && told < now + 24 * 60 * minute
  const at = new Date(sensible ? told : now + 15 * minute)
  // Rounded up: what goes on by itself should not seem to be late.
  const clock = new Date(Math.ceil(at.getTime() / minute) * minute).toISOString().slice(11, 16)
  return new ExpectedError('unavailable', `X asks us to wait until ${clock} UTC.`, { at })
}

function unwell(): ExpectedError {
  return new ExpectedError('bad-source', 'X is not well at the moment.', {})
}

function timedOut(timeoutMs: number): ExpectedError {
  const seconds = timeoutMs / 1000
  const limit = `${seconds} second${seconds === 1 ? '' : 's'}`
  return new ExpectedError('unavailable', `X did not answer within ${limit}.`, { charged: true })
}

function unreachable(): ExpectedError {
  return new ExpectedError('bad-source', 'X could not be reached.', { charged: true })
}

function unreadable(): ExpectedError {
  return new ExpectedError('bad-source', "X's answer broke off or made no sense.", { charged: true })
}
