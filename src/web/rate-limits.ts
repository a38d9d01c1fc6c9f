// Rate limits as Express middleware, and the address that a request counts for.

import { isIPv6 } from 'node:net'
import type { Request, RequestHandler, Response } from 'express'
import type { RateLimit } from '../storage/rate-limits.js'
import type { Caller } from '../threads/fair-queue.js'

/** Counts each request for its address, and refuses it once the limit is reached. */
export function limitedBy(limit: RateLimit): RequestHandler {
  return async (request, _response, next) => {
    await limit.count(addressOf(request))
    next()
  }
}

/** The IP address that a request counts for. For IPv6 it is the /64 network, since a visitor has all addresses in it. */
export function addressOf({ ip = '' }: Pick<Request, 'ip'>): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!isIPv6(address)) return address
  const [start, end] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const groups = end ? [...start, ...new Array<string>(8 - start.length - end.length).fill('0'), ...end] : start
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** For whom heavy work is done: the request's address, until its connection ends. */
export function callerOf(request: Request, response: Response): Caller {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new CallerGone()))
  return { client: addressOf(request), signal: gone.signal }
}

/** Nobody waits for the answer any more. */
export class CallerGone extends Error {
  override readonly message = 'The connection has ended.'
}
