import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'

/**
 * A small X API v2 on loopback, with invented accounts and invented posts.
 *
 * GET {url}users/by/username/:username and GET {url}users/:id/tweets. Any bearer token but "wrong" is good.
 *
 * Well-behaved accounts: Tansy_Example (lower case, emoji; more than 250 posts), Fell_Example (formal), Bangs_Example
 * (shouts, hashtags) and Query_Example (questions). One in ten of their posts is a retweet or a reply.
 *
 * Accounts that play a failure, in any case:
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
 */
export interface XApiServer {
  /** The base to give as X_API_URL. */
  url: string
  /** What has been asked and, of what X charges for, answered so far. */
  calls: { requests: number; posts: number; users: number }
  /** The ids of the posts that were answered, in that order. */
  served: string[]
  /** Waits so long before each answer; milliseconds. */
  latency: number
  /** Posts for an account that is there, oldest first, all newer than what it has. */
  addPosts(username: string, texts: string[]): void
  /** Deletes the newest posts, less those that are skipped; the ids of those that are gone. */
  removePosts(username: string, count: number, skip?: number): string[]
  addUser(username: string, fields?: Partial<Omit<User, 'id' | 'username'>>): User
  /** An account's id, also of those that a look-up never shows. */
  userId(username: string): string
  /** How many connections are open. */
  connections(): Promise<number>
  close(): Promise<void>
}

interface User { id: string; username: string; name: string; protected: boolean; profile_image_url: string }
interface Post { id: string; text: string; created_at: string; note_tweet?: { text: string } }
interface Account { user: User; posts: Post[] }
type Accounts = Pick<XApiServer, 'addUser' | 'addPosts'> & { find(username: string): Account }
interface Call { account: Account; timeline: boolean; first: (times?: number) => boolean }
type Misbehaviour = (response: ServerResponse, call: Call) => boolean

const PROBLEMS = 'https://api.twitter.com/2/problems'

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
    const [, username, id] = url.pathname.match(/^\/2\/users\/(?:by\/username\/([^/]+)|(\d+)\/tweets)$/) ?? []
    if (!/^Bearer (?!wrong$)./.test(request.headers.authorization ?? '')) return unauthorized(response)
    if (username) return answerUser(decodeURIComponent(username), url.searchParams, response)
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
    if (misbehave(response, account, false)) return
    calls.users++
    const { posts } = [...accounts.values()].find(({ user }) => user.id === account.user.id)! // of an account that was renamed
    const metrics = (query.get('user.fields') ?? '').includes('public_metrics') && { public_metrics: { tweet_count: posts.length } }
    json(response, 200, { data: { ...account.user, ...metrics } })
  }

  function answerTimeline(id: string, query: URLSearchParams, response: ServerResponse): void {
    const account = [...accounts.values()].find(({ user }) => user.id === id)
    if (!account) return json(response, 404, userProblem('Not Found Error', id))
    const size = Number(query.get('max_results') ?? 10)
    if (!(size >= 5 && size <= 100)) return invalid(response, 'max_results', String(size))
    if (misbehave(response, account, true)) return
    const handle = account.user.username.toLowerCase()
    if (handle === 'emptypage' && !query.has('pagination_token')) {
      return json(response, 200, { meta: { result_count: 0, next_token: 'p0' } })
    }
    const body = pageOf(account, query, size)
    calls.posts += body.meta.result_count
    served.push(...(body.data ?? []).map(({ id }) => id))
    json(response, 200, handle === 'partial' ? { ...body, ...tweetProblem } : body)
  }

  function misbehave(response: ServerResponse, account: Account, timeline: boolean): boolean {
    const handle = account.user.username.toLowerCase()
    const first = (times = 1) => {
      counts.set(handle, (counts.get(handle) ?? 0) + 1)
      return counts.get(handle)! <= times
    }
    return misbehaviours[handle]?.(response, { account, timeline, first }) ?? false
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

/** A post with the fields that were asked for, as X answers: the rest is not there. */
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

/** Each returns whether it has answered, or has taken care that nothing will. */
const misbehaviours: Record<string, Misbehaviour> = {
  protectedtl: (response, { timeline, account }) => timeline && notAuthorized(response, account),
  protected: (response, { timeline, account }) => timeline && notAuthorized(response, account),
  ratelimited: (response, { timeline, first }) => timeline && first() && limited(response, secondsFromNow(1)),
  ratelimitedforever: (response, { timeline }) => timeline && limited(response, secondsFromNow(900)),
  alwayslimited: (response, { timeline }) => timeline && limited(response, secondsFromNow(900)),
  limitedabsurd: (response, { timeline }) => timeline && limited(response, Date.UTC(2100, 0, 1) / 1000),
  limitedsilent: (response, { timeline }) => timeline && limited(response),
  capped: (response, { timeline }) => timeline && done(json(response, 429, {
    title: 'UsageCapExceeded', detail: 'Usage cap exceeded: Monthly product cap', type: `${PROBLEMS}/usage-capped`
  })),
  broke: (response) => done(json(response, 402, {
    title: 'CreditsDepleted', detail: 'Your enrolled account has no credits.', type: `${PROBLEMS}/credits`
  })),
  notenrolled: (response) => done(json(response, 403, {
    title: 'Client Forbidden', reason: 'client-not-enrolled', type: `${PROBLEMS}/client-forbidden`,
    detail: 'You must use keys and tokens from a developer App that is attached to a Project.'
  })),
  unauthorized: (response) => done(unauthorized(response)),
  flaky: (response, { timeline, first }) => timeline && first(2) && done(json(response, 503, {
    title: 'Service Unavailable', detail: 'Service Unavailable', type: 'about:blank', status: 503
  })),
  down: (response) => done(send(response, 503, '<html>Something is technically wrong.</html>', 'text/html')),
  garbage: (response) => done(send(response, 200, '<html>busy</html>', 'application/json')),
  oddshape: (response) => done(json(response, 200, { data: { users: [{ handle: 7 }] }, meta: 'none' })),
  nullerror: (response) => done(json(response, 400, { errors: [null] })),
  badgzip: (response) => {
    response.setHeader('content-encoding', 'gzip')
    return done(send(response, 200, 'not gzip', 'application/json'))
  },
  cutoff: (response, { timeline, first }) => timeline && first() && done(cutOff(response)),
  hangup: (response) => done(response.destroy()),
  slow: () => true,
  trickle: (response) => done(trickle(response))
}

function done(_answered: unknown): true {
  return true
}

function send(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { 'content-type': type })
  response.end(body)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, JSON.stringify(body), 'application/json; charset=utf-8')
}

function unauthorized(response: ServerResponse): void {
  json(response, 401, { title: 'Unauthorized', type: 'about:blank', status: 401, detail: 'Unauthorized' })
}

function invalid(response: ServerResponse, parameter: string, value: string): void {
  const message = `The \`${parameter}\` query parameter value [${value}] is not valid`
  const errors = [{ parameters: { [parameter]: [value] }, message }]
  json(response, 400, { errors, title: 'Invalid Request', detail: 'Invalid.', type: `${PROBLEMS}/invalid-request` })
}

function userProblem(title: string, value: string) {
  const type = `${PROBLEMS}/resource-not-found`
  const detail = title === 'Forbidden' ? `User has been suspended: [${value}].` : `Could not find user: [${value}].`
  return { errors: [{ title, type, detail, value, resource_id: value, resource_type: 'user', parameter: 'username' }] }
}

function notAuthorized(response: ServerResponse, { user: { id } }: Account): true {
  const detail = `Sorry, you are not authorized to see the user with id: [${id}].`
  const type = `${PROBLEMS}/not-authorized-for-resource`
  const problem = { title: 'Authorization Error', type, detail, value: id, resource_type: 'user', parameter: 'id' }
  return done(json(response, 200, { errors: [problem] }))
}

function secondsFromNow(seconds: number): number {
  return Math.ceil(Date.now() / 1000) + seconds
}

/** `reset` is in seconds since 1970. */
function limited(response: ServerResponse, reset?: number): true {
  if (reset) response.setHeader('x-rate-limit-reset', String(reset))
  return done(json(response, 429, { title: 'Too Many Requests', detail: 'Too Many Requests', status: 429 }))
}

function cutOff(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
  response.write('{"data":[{"id":"1800000000000000001","text":"half a po', () => response.destroy())
}

/** A blank every 20 ms, which keeps a time limit that counts from the last byte from ever running out. */
function trickle(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write(' ')
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}

function fill({ addUser, addPosts, find }: Accounts): void {
  for (const [username, name, write, count] of styles) {
    addUser(username, { name })
    addPosts(username, Array.from({ length: count }, (_, i) => withOthers(write, i)))
  }
  for (const username of [...Object.keys(misbehaviours), 'nobody', 'empty', 'emptypage', 'partial']) {
    addUser(username, { protected: username === 'protected' })
    if (username !== 'empty') addPosts(username, Array.from({ length: 70 }, (_, i) => formal(i)))
  }
  addUser('oddpicture', { profile_image_url: 'https://pbs.twimg.com.example.org/a.png' })
  addUser('onlyreplies')
  addPosts('onlyreplies', Array.from({ length: 40 }, (_, i) => `${i % 2 ? '@' : 'RT @'}Fell_Example ${formal(i)}`))
  fillLongPosts({ addUser, addPosts, find })
}

function fillLongPosts({ addUser, addPosts, find }: Accounts): void {
  addUser('longposts')
  addPosts('longposts', Array.from({ length: 60 }, (_, i) => `Tea &amp; toast &lt;3 ${formal(i)}`))
  for (const post of find('longposts').posts) {
    post.note_tweet = { text: `${post.text} ${'And so it went on &amp; on. '.repeat(12)}The end.` }
    post.text = `${post.text.slice(0, 100)}…`
  }
}

/** Every tenth post is a reply or a retweet, which are not to be collected. */
function withOthers(write: (i: number) => string, i: number): string {
  if (i % 20 === 9) return `@Query_Example ${write(i)}`
  return i % 20 === 19 ? `RT @Query_Example: ${write(i)}` : write(i)
}

/** Lists whose lengths share no divisor, each read round and round: no two posts within their product are alike. */
function pick(list: readonly string[], i: number): string {
  return list[i % list.length]
}

function quiet(i: number): string {
  const feeling = ['so sleepy', 'kinda happy', 'a bit lost', 'very soft', 'not ready', 'all cosy', 'mostly fine']
  const thing = ['the kettle', 'my plants', 'this rain', 'the moon', 'old socks', 'the cat', 'warm bread', 'my bike',
    'the bus home']
  const end = ['lol', 'tbh', 'ngl', 'idk', 'anyway']
  const emoji = ['🌱', '🌙✨', '☕️', '🐈', '🥐', '🧦', '🌧️', '🚲']
  return `${pick(feeling, i)} about ${pick(thing, i)} today ${pick(end, i)} ${pick(emoji, i)}`
}

function formal(i: number): string {
  const opening = ['I am pleased to report that', 'It must be noted that', 'After careful reflection,',
    'The committee has found that', 'With some regret, I observe that']
  const subject = ['the county archive', 'our reading society', 'the bridge survey', 'the winter lecture',
    'the botanical index', 'the printing office', 'the night ferry']
  const verb = ['has concluded its work', 'remains under review', 'exceeded all expectations', 'will resume in spring',
    'deserves wider attention', 'requires further funds', 'was received most warmly', 'proved rather instructive',
    'has been postponed']
  return `${pick(opening, i)} ${pick(subject, i)} ${pick(verb, i)}; further particulars will follow in due course.`
}

function loud(i: number): string {
  const cry = ['LETS GOOO', 'NO WAY', 'BIG NEWS', 'HUGE WIN', 'WAKE UP']
  const what = ['GAME NIGHT', 'THE FINALS', 'LEG DAY', 'PIZZA FRIDAY', 'ROAD TRIP', 'THE DERBY', 'NEW SNEAKERS']
  const when = ['TODAY', 'TONIGHT', 'AT NOON', 'THIS WEEK', 'RIGHT NOW', 'AGAIN', 'FOREVER', 'AT LAST', 'TOMORROW']
  const tag = ['#WINNING', '#NoDaysOff', '#LoudAndProud', '#GameOn']
  return `${pick(cry, i)}!!! ${pick(what, i)} ${pick(when, i)}!! ${pick(tag, i)} #LETSGO`
}

function asking(i: number): string {
  const who = ['has anyone', 'did somebody', 'would you', 'could we', 'why does nobody']
  const what = ['ever count', 'really understand', 'want to trade', 'still remember', 'secretly like', 'name',
    'draw a map of']
  const which = ['the stairs at work', 'their first password', 'a cloud', 'the letter q', 'every lamp post',
    'left-handed scissors', 'a Tuesday', 'the smell of chalk', 'borrowed umbrellas']
  const end = ['Or is it just me?', 'How would one even tell?', 'What then?', 'Asking for a friend?']
  return `Wait, ${pick(who, i)} ${pick(what, i)} ${pick(which, i)}? ${pick(end, i)}`
}

const styles: [username: string, name: string, write: (i: number) => string, posts: number][] = [
  ['Tansy_Example', 'tansy 🌱', quiet, 300],
  ['Fell_Example', 'Ambrose Fell', formal, 120],
  ['Bangs_Example', 'BANGS', loud, 120],
  ['Query_Example', 'Quentin Query', asking, 120]
]
