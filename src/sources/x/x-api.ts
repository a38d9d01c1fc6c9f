// The requests to the X API v2.

import { Agent } from 'node:http'
import { TwitterApi, type ITwitterApiClientPlugin } from 'twitter-api-v2'
import { readPostPage, readUser, type PostPage, type XUser } from './x-answers.js'
import { explainFailure, timedOut, tokenMissing } from './x-errors.js'

export interface PageQuery {
  /** How many posts, brought into the 5 to 100 that X takes: there may be more posts on the page than asked for. */
  size: number
  /** Only posts newer than this one. */
  sinceId?: string
  /** Only posts older than this one. */
  untilId?: string
  /** Where to continue, from the page before. */
  nextToken?: string
}

export interface XApi {
  /** Looks up a public user by name, in any case. Costs one user read. */
  findUser(username: string): Promise<XUser>
  /**
   * Reads one page of a user's own posts, without retweets and replies. Costs a read for each post on it.
   * @param username only for the wording of errors
   */
  readPosts(userId: string, username: string, page: PageQuery): Promise<PostPage>
}

export interface XApiOptions {
  token?: string
  /** The API's base; X's own by default. */
  url?: string
  /** The limit for a whole request, the body included; 10,000 by default. */
  timeoutMs?: number
}

type Query = Record<string, string | number | undefined>
type Send = (path: string, query: Query, username: string) => Promise<unknown>

/**
 * The part of the X API that we read. Every failure rejects with an ExpectedError: GoneAtSource where the user is missing,
 * suspended or protected, `bad-source` where X fails, `unavailable` where we have to wait or the operator has to act.
 */
export function createXApi(options: XApiOptions): XApi {
  const send = createSend(options)
  return {
    async findUser(username) {
      const query = { 'user.fields': 'profile_image_url,protected,public_metrics' }
      return readUser(await send(`users/by/username/${encodeURIComponent(username)}`, query, username), username)
    },
    async readPosts(userId, username, page) {
      return readPostPage(await send(`users/${encodeURIComponent(userId)}/tweets`, toParameters(page), username), username)
    }
  }
}

function toParameters({ size, sinceId, untilId, nextToken }: PageQuery): Query {
  return {
    max_results: Math.min(100, Math.max(5, Math.ceil(size))),
    since_id: sinceId,
    until_id: untilId,
    pagination_token: nextToken,
    exclude: 'retweets,replies',
    'tweet.fields': 'created_at,note_tweet'
  }
}

/**
 * Sends requests that resolve with the text of the answer. The text is parsed by us and not by the client: an error body
 * that the client cannot describe (`{"errors": [null]}`) makes it throw where nobody can catch. For the same reason
 * answers are requested uncompressed: a broken compressed one is an unhandled 'error' event.
 */
function createSend({ token, url = 'https://api.x.com/2/', timeoutMs = 10_000 }: XApiOptions): Send {
  const prefix = url.endsWith('/') ? url : `${url}/`
  const httpAgent = prefix.startsWith('http:') ? new Agent() : undefined
  return async (path, query, username) => {
    if (!token?.trim()) throw tokenMissing()
    const signal = AbortSignal.timeout(timeoutMs)
    const client = new TwitterApi(token.trim(), { httpAgent, compression: false, plugins: [abortWith(signal)] })
    const text: unknown = await client.v2.get(path, query, { prefix, forceParseMode: 'text' }).catch((error) => {
      throw signal.aborted ? timedOut(timeoutMs) : explainFailure(error, username)
    })
    // An answer that is cut off resolves with the part that has arrived.
    if (signal.aborted) throw timedOut(timeoutMs)
    return text
  }
}

/** The client's own timeout starts again with every byte that arrives, and only a plugin can give it a signal. */
function abortWith(signal: AbortSignal): ITwitterApiClientPlugin {
  return { onBeforeRequest: ({ requestOptions }) => void Object.assign(requestOptions, { signal }) }
}
