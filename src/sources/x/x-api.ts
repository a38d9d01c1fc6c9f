// What we ask of the X API v2.

import { readPostPage, readUser, type PostPage, type XUser } from './x-answers.js'
import { createSend, type Query, type XApiOptions } from './x-requests.js'

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
   * Looks up a public user whose name may have changed. Costs one user read.
   * @param username only for the wording of errors
   */
  findUserById(id: string, username: string): Promise<XUser>
  /**
   * Reads one page of a user's own posts, without retweets and replies. Costs a read for each post on it.
   * @param username only for the wording of errors
   * @throws SinceIdRefused where X takes no posts newer than `sinceId`, besides what all calls throw
   */
  readPosts(userId: string, username: string, page: PageQuery): Promise<PostPage>
}

const USER_FIELDS = { 'user.fields': 'profile_image_url,protected,public_metrics' }

/**
 * The part of the X API that we read. Every failure rejects with an ExpectedError: GoneAtSource where the user is missing,
 * suspended or protected, `bad-source` where X fails, `unavailable` where we have to wait or the operator has to act.
 */
export function createXApi(options: XApiOptions): XApi {
  const send = createSend(options)
  return {
    async findUser(username) {
      return readUser(await send(`users/by/username/${encodeURIComponent(username)}`, USER_FIELDS, username), username)
    },
    async findUserById(id, username) {
      return readUser(await send(`users/${encodeURIComponent(id)}`, USER_FIELDS, username), username)
    },
    async readPosts(userId, username, page) {
      const size = Math.min(100, Math.max(5, Math.ceil(page.size)))
      const query = toParameters({ ...page, size })
      return readPostPage(await send(`users/${encodeURIComponent(userId)}/tweets`, query, username), username, size)
    }
  }
}

function toParameters({ size, sinceId, untilId, nextToken }: PageQuery): Query {
  return {
    max_results: size,
    since_id: sinceId,
    until_id: untilId,
    pagination_token: nextToken,
    exclude: 'retweets,replies',
    'tweet.fields': 'created_at,note_tweet'
  }
}
