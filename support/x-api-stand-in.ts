import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { fill, type Account, type Accounts, type Post, type User } from './x-api-accounts.js'
import { FAILURES, invalid, json, PROBLEMS, unauthorized, userProblem } from './x-api-failures.js'

/**
 * A small X API v2 on loopback, with invented accounts and invented posts.
 *
 * GET {url}users/by/username/:username, {url}users/:id and {url}users/:id/tweets. Any bearer token but "wrong" is good.
 *
 * Well-behaved accounts: Tansy_Example (lower case, emoji; more than 250 posts), Fell_Example (formal), Bangs_Example
 * (shouts, hashtags) and Query_Example (questions). One in ten of their posts is a retweet or a reply.
 *
 * Accounts for failures and special cases (the names in any case of letters):
 *
 *   nobody, gone      no such user, by a 200 and by a 404      suspended        as it says
 *   protected         says so itself                           protectedtl      only its timeline says so
 *   empty             no posts                                 onlyreplies      replies and retweets, nothing else
 *   emptypage         first page empty, with a next_token      partial          posts, with errors beside them
 *   longposts         note_tweet, &amp; and &lt;               oddpicture       picture on a host that is not X's
 *   ratelimited       first timeline call 429, reset in 1 s    ratelimitedforever, or alwayslimited: always, 15 min
 *   limitedabsurd     429 until the year 2100                  limitedsilent    429 without a word on when
 *   capped            429, the plan's cap is reached           broke            402, no credits
 *   notenrolled       403 client-not-enrolled                  unauthorized     401
 *   flaky             two timeline calls 503, then well        down             always 503, with an HTML page
 *   garbage           200, no JSON                             oddshape         200, JSON of another shape
 *   nullerror         400 {"errors":[null]}                    badgzip          claims to be compressed, is not
 *   cutoff            first timeline call cut in mid-body      hangup           the connection ends without an answer
 *   slow              never answers                            trickle          headers, then a blank now and then
 *   limitedpast       429 until half a minute ago              redirects        302, to another path
 *   sinceold          400 for every since_id                   endless          blanks, as many as are read
 */
export interface XApiServer extends Pick<Accounts, 'addUser'> {
  /** The base to give as X_API_URL. */
  url: string
  /** How many requests there were, and how many of the posts and users that X charges for were sent. */
  calls: { requests: number; posts: number; users: number }
  /** The ids of the posts that were sent, in that order. */
  served: string[]
  /** The delay before each answer; milliseconds. */
  latency: number
  /** Adds posts to an account, oldest first, all newer than those it has. */
  addPosts(username: string, texts: string[]): void
  /**
   * Deletes the newest posts, after skipping some.
   * @returns the ids of the deleted posts
   */
  removePosts(username: string, count: number, skip?: number): string[]
  /** Gives an account another name, as people do on X. */
  renameUser(username: string, to: string): void
  /** Changes what is answered to a request for posts. */
  reshape?: (body: unknown) => unknown
  /** An account's id, also where a look-up never shows it. */
  userId(username: string): string
  /** How many connections are open. */
  connections(): Promise<number>
  close(): Promise<void>
}

export async function startXApi(): Promise<XApiServer> {
  const accounts = new Map<string, Account>()
  const calls = { requests: 0, posts: 0, users: 0 }
  const served: string[] = []
  const counts = new Map<string, number>()
  let lastPost = 0

  function addUser(username: string, fields: Partial<User> = {}): User {
    const id = String(7_000_000_000_000_000_001n + BigInt(accounts.size))
    const picture = `https://pbs.twimg.com/profile_images/${id}/invented_normal.png`
    const user = { id, username, name: username, protected: false, profile_image_url: picture, ...fields }
    accounts.set(username.toLowerCase(), { user, posts: [] })
    return user
  }

  function addPosts(username: string, texts: string[]): void {
    const { posts } = find(username)
    for (const text of texts) posts.unshift({ ...nextPost(), text: text.slice(0, 280) })
  }

  function removePosts(username: string, count: number, skip = 0): string[] {
    return find(username).posts.splice(skip, count).map(({ id }) => id)
  }

  function renameUser(username: string, to: string): void {
    const account = find(username)
    accounts.delete(username.toLowerCase())
    account.user.username = to
    accounts.set(to.toLowerCase(), account)
  }

  function nextPost(): { id: string; created_at: string } {
    lastPost++
    const created_at = new Date(Date.UTC(2024, 0, 1) + lastPost * 3_600_000).toISOString()
    // Steps of 1: neighbouring ids are the same number in floating point, so that a Number(id) shows.
    return { id: String(1_800_000_000_000_000_000n + BigInt(lastPost)), created_at }
  }

  function find(username: string): Account {
    const account = accounts.get(username.toLowerCase())
    if (!account) throw new Error(`The stand-in has no account ${username}`)
    return account
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    calls.requests++
    const url = new URL(request.url ?? '/', 'http://x')
    const [, username, id, tweets] = url.pathname.match(/^\/2\/users\/(?:by\/username\/([^/]+)|(\d+)(\/tweets)?)$/) ?? []
    if (!/^Bearer (?!wrong$)./.test(request.headers.authorization ?? '')) return unauthorized(response)
    if (username) return answerUser(decodeURIComponent(username), url.searchParams, response)
    if (id && !tweets) return answerUserById(id, url.searchParams, response)
    if (id) return answerTimeline(id, url.searchParams, response)
    json(response, 404, { title: 'Not Found', type: 'about:blank', status: 404, detail: 'Not Found' })
  }

  function answerUser(username: string, query: URLSearchParams, response: ServerResponse): void {
    const handle = username.toLowerCase()
    const account = accounts.get(handle)
    if (handle === 'gone') return json(response, 404, userProblem('Not Found Error', username))
    if (handle === 'suspended') return json(response, 200, userProblem('Forbidden', username))
    if (!account && !/^\w{1,15}$/.test(username)) return invalid(response, 'username', username)
    if (!account || handle === 'nobody') return json(response, 200, userProblem('Not Found Error', username))
    if (fail(response, account, query, false)) return
    calls.users++
    const { posts } = [...accounts.values()].find(({ user }) => user.id === account.user.id)! // of an account that was renamed
    const metrics = (query.get('user.fields') ?? '').includes('public_metrics') && { public_metrics: { tweet_count: posts.length } }
    json(response, 200, { data: { ...account.user, ...metrics } })
  }

  function answerUserById(id: string, query: URLSearchParams, response: ServerResponse): void {
    const account = [...accounts.values()].find(({ user }) => user.id === id)
    if (!account) return json(response, 200, userProblem('Not Found Error', id))
    answerUser(account.user.username, query, response)
  }

  function answerTimeline(id: string, query: URLSearchParams, response: ServerResponse): void {
    const account = [...accounts.values()].find(({ user }) => user.id === id)
    if (!account) return json(response, 404, userProblem('Not Found Error', id))
    const size = Number(query.get('max_results') ?? 10)
    if (!(size >= 5 && size <= 100)) return invalid(response, 'max_results', String(size))
    if (fail(response, account, query, true)) return
    const handle = account.user.username.toLowerCase()
    if (handle === 'emptypage' && !query.has('pagination_token')) {
      return json(response, 200, { meta: { result_count: 0, next_token: 'p0' } })
    }
    const body = pageOf(account, query, size)
    calls.posts += body.meta.result_count
    served.push(...(body.data ?? []).map(({ id }) => id))
    const answer = handle === 'partial' ? { ...body, ...tweetProblem } : body
    json(response, 200, api.reshape?.(answer) ?? answer)
  }

  function fail(response: ServerResponse, account: Account, query: URLSearchParams, timeline: boolean): boolean {
    const handle = account.user.username.toLowerCase()
    const first = (times = 1) => {
      counts.set(handle, (counts.get(handle) ?? 0) + 1)
      return counts.get(handle)! <= times
    }
    return FAILURES[handle]?.(response, { account, timeline, query, first }) ?? false
  }

  fill({ addUser, addPosts, find })
  const server = createServer((request, response) => {
    if (api.latency === 0) answer(request, response)
    else setTimeout(() => answer(request, response), api.latency)
  })
  const api: XApiServer = {
    url: '',
    calls,
    served,
    latency: 0,
    addPosts,
    removePosts,
    addUser,
    renameUser,
    userId: (username) => find(username).user.id,
    connections: promisify(server.getConnections.bind(server)),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/2/`
  return api
}

function pageOf({ posts }: Account, query: URLSearchParams, size: number) {
  const since = BigInt(query.get('since_id') ?? 0)
  const until = BigInt(query.get('until_id') ?? 2n ** 63n)
  const excluded = excludes(query.get('exclude') ?? '')
  const asked = posts.filter(({ id, text }) => BigInt(id) > since && BigInt(id) < until && !excluded(text))
  const start = Number((query.get('pagination_token') ?? 'p0').slice(1))
  const data = asked.slice(start, start + size).map((post) => shown(post, query.get('tweet.fields') ?? ''))
  const more = start + size < asked.length && { next_token: `p${start + size}` }
  // X leaves `data` out where there is nothing.
  return { ...(data.length > 0 && { data }), meta: { result_count: data.length, ...more } }
}

function excludes(exclude: string): (text: string) => boolean {
  const kinds = exclude.split(',')
  return (text) => (kinds.includes('replies') && text.startsWith('@')) ||
    (kinds.includes('retweets') && text.startsWith('RT @'))
}

/** A post with the requested fields only, as X sends it. */
function shown({ id, text, created_at, note_tweet }: Post, fields: string) {
  const asked = fields.split(',')
  return {
    id,
    text,
    edit_history_tweet_ids: [id],
    ...(asked.includes('created_at') && { created_at }),
    ...(asked.includes('note_tweet') && note_tweet && { note_tweet })
  }
}

const tweetProblem = {
  errors: [{
    title: 'Not Found Error', type: `${PROBLEMS}/resource-not-found`, resource_type: 'tweet', resource_id: '1',
    parameter: 'referenced_tweets.id', detail: 'Could not find tweet with referenced_tweets.id: [1].'
  }]
}
