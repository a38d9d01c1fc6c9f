// Which address a request counts for, and the rate limits as steps before a route.

import { isIPv6 } from 'node:net'
import type { Request, RequestHandler } from 'express'
import type { RateLimit } from '../storage/rate-limits.js'

/** Counts each request for its address, and refuses it where the limit is reached. */
export function limitedBy(limit: RateLimit): RequestHandler {
  return async (request, _response, next) => {
    await limit.count(addressOf(request))
    next()
  }
}

/** The address that counts: of IPv6 the network (/64), of which a visitor has all addresses. */
export function addressOf({ ip = '' }: Pick<Request, 'ip'>): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!isIPv6(address)) return address
  const [start, end] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const groups = end ? [...start, ...new Array<string>(8 - start.length - end.length).fill('0'), ...end] : start
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`
}
