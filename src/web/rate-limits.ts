// Rate limits as Express middleware, and the address that a request counts for.

import { isIPv6 } from 'node:net'
import { ExpectedError } from '../core/errors.js'
import type { Request, RequestHandler, Response } from 'express'
import type { Origin, RateLimit } from '../storage/rate-limits.js'
import type { Caller } from '../threads/fair-queue.js'

/** Counts each request for its address, and refuses it once the limit is reached. */
export function limitedBy(limit: RateLimit): RequestHandler {
  return async (request, _response, next) => {
    await limit.count(addressOf(request))
    next()
  }
}

/** How many answers of a kind may be open at the same time, in this process. */
export interface OpenLimits {
  perAddress: number
  /** Of all addresses together. */
  all: number
}

const LATER = 10_000 // ms after which one who is refused may try again

/** Refuses answers that stay open for long (downloads, streams) where too many are open already: at once, and only then. */
export function openAtMost({ perAddress, all }: OpenLimits): RequestHandler {
  const open = new Map<string, number>()
  let inAll = 0
  return (request, response, next) => {
    const address = addressOf(request)
    const own = open.get(address) ?? 0
    const retry = { at: new Date(Date.now() + LATER) }
    if (own >= perAddress) throw new ExpectedError('too-many', 'Your address has too many of these open. Please try again when one has ended.', retry)
    if (inAll >= all) throw new ExpectedError('unavailable', 'Too many others have one of these open. Please try again in a moment.', retry)
    open.set(address, own + 1)
    inAll++
    response.once('close', () => {
      inAll--
      const left = open.get(address)! - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
    next()
  }
}

/** The IP address that a request counts for. For IPv6 it is the /64 network, since a visitor has all addresses in it. */
export function addressOf(request: Pick<Request, 'ip'>): string {
  return originOf(request).address
}

/** The same with the /48 network of an IPv6 address, which many sites have whole. */
export function originOf({ ip = '' }: Pick<Request, 'ip'>): Origin {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!isIPv6(address)) return { address }
  const [start, end] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const groups = end ? [...start, ...new Array<string>(8 - start.length - end.length).fill('0'), ...end] : start
  const first = (n: number): string => groups.slice(0, n).map((group) => parseInt(group, 16).toString(16)).join(':')
  return { address: `${first(4)}::/64`, network: `${first(3)}::/48` }
}

/** For whom heavy work is done: the request's address, until its connection ends. */
export function callerOf(request: Request, response: Response): Required<Caller> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new CallerGone()))
  return { client: addressOf(request), signal: gone.signal }
}

/** Nobody waits for the answer any more. */
export class CallerGone extends Error {
  override readonly message = 'The connection has ended.'
}
