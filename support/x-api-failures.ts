// The failures of the X API's stand-in, as X shows them.

import type { ServerResponse } from 'node:http'
import type { Account } from './x-api-accounts.js'

interface Call {
  account: Account
  /** Whether posts are requested, and not the user. */
  timeline: boolean
  query: URLSearchParams
  /** Whether this is one of the account's first calls that ask so. */
  first: (times?: number) => boolean
}

type Failure = (response: ServerResponse, call: Call) => boolean

export const PROBLEMS = 'https://api.twitter.com/2/problems'

/** By account, in lower case. Each returns whether it has answered, or has made sure that no answer comes. */
export const FAILURES: Record<string, Failure> = {
  protectedtl: (response, { timeline, account }) => timeline && notAuthorized(response, account),
  protected: (response, { timeline, account }) => timeline && notAuthorized(response, account),
  ratelimited: (response, { timeline, first }) => timeline && first() && limited(response, secondsFromNow(1)),
  ratelimitedforever: (response, { timeline }) => timeline && limited(response, secondsFromNow(900)),
  alwayslimited: (response, { timeline }) => timeline && limited(response, secondsFromNow(900)),
  limitedabsurd: (response, { timeline }) => timeline && limited(response, Date.UTC(2100, 0, 1) / 1000),
  limitedpast: (response, { timeline }) => timeline && limited(response, secondsFromNow(-30)),
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
  redirects: (response) => {
    response.setHeader('location', '/2/elsewhere')
    return done(send(response, 302, '', 'text/plain'))
  },
  sinceold: (response, { query }) => query.has('since_id') && done(invalid(response, 'since_id', query.get('since_id')!)),
  slow: () => true,
  endless: (response) => done(endless(response)),
  trickle: (response) => done(trickle(response))
}

function done(_answered: unknown): true {
  return true
}

function send(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { 'content-type': type })
  response.end(body)
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, JSON.stringify(body), 'application/json; charset=utf-8')
}

export function unauthorized(response: ServerResponse): void {
  json(response, 401, { title: 'Unauthorized', type: 'about:blank', status: 401, detail: 'Unauthorized' })
}

export function invalid(response: ServerResponse, parameter: string, value: string): void {
  const message = `The \`${parameter}\` query parameter value [${value}] is not valid`
  const errors = [{ parameters: { [parameter]: [value] }, message }]
  json(response, 400, { errors, title: 'Invalid Request', detail: 'Invalid.', type: `${PROBLEMS}/invalid-request` })
}

export function userProblem(title: string, value: string) {
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

/** A blank every 20 ms: a timeout that starts again with every byte never ends this. */
function trickle(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write(' ')
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}

/** An answer of any length that the reader takes. */
function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const write = (): void => void (response.destroyed || response.write(Buffer.alloc(2 ** 18, ' '), () => setImmediate(write)))
  write()
}
