// What keeps strangers' requests within bounds: headers that tell a browser what a page may do, refusal of what other
// sites have it send, and limits by address, which all processes count together in Postgres.

import { isIPv6 } from 'node:net'
import type { Request, RequestHandler } from 'express'
import helmet from 'helmet'
import { RateLimiterPrisma, type RateLimiterRes } from 'rate-limiter-flexible'
import type { Env } from './env.js'
import { VisibleError } from './errors.js'
import type { PrismaClient } from './generated/prisma/client.js'

const PICTURES = 'https://pbs.twimg.com' // X's host of profile pictures
const ADMIN_TRIES = { points: 10, duration: 15 * 60 } // wrong passwords in so many seconds

/** No script, style or picture from elsewhere (but X's profile pictures), none inside a page, and no page in a frame. */
export function securityHeaders(): RequestHandler {
  const none = ["'none'"]
  const own = ["'self'"]
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none, scriptSrc: own, styleSrc: own, connectSrc: own, formAction: own, baseUri: none, frameAncestors: none,
        imgSrc: [...own, 'data:', PICTURES] // data: are the style sheet's own icons
      }
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' }, // link previews show a result's picture
    referrerPolicy: { policy: 'same-origin' }
  })
}

/** Refuses what changes something when a browser says that another site has made it ask; programs say nothing of sites. */
export const onlyFromHere: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next()
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isOurs = site ? site === 'same-origin' || site === 'none' : !origin || hostOf(origin) === request.host
  if (!isOurs) throw new VisibleError(403, 'That was sent from another site. Please use the form here.')
  next()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

export interface Limits {
  /** On what is computed for a visitor. */
  predictions: RequestHandler
  /** On what adds users. */
  additions: RequestHandler
  adminTries: {
    /** @throws VisibleError 429 after too many wrong passwords */
    check(request: Request): Promise<void>
    count(request: Request): Promise<void>
  }
}

export function createLimits(prisma: PrismaClient, { PREDICTIONS_PER_MINUTE, ADDITIONS_PER_HOUR }: Env): Limits {
  const limiter = (keyPrefix: string, points: number, duration: number): RateLimiterPrisma =>
    new RateLimiterPrisma({ storeClient: prisma, tableName: 'limit', keyPrefix, points, duration })
  const each = (name: string, points: number, duration: number, words: string): RequestHandler => {
    if (points === 0) return (_request, _response, next) => next()
    const limit = limiter(name, points, duration)
    return async (request, _response, next) => {
      await limit.consume(addressOf(request)).catch((refused: unknown) => refuse(refused, words))
      next()
    }
  }
  const tries = limiter('admin', ADMIN_TRIES.points, ADMIN_TRIES.duration)
  const words = 'Too many wrong passwords.'
  return {
    predictions: each('predictions', PREDICTIONS_PER_MINUTE, 60, 'That was a lot in one minute.'),
    additions: each('additions', ADDITIONS_PER_HOUR, 3600, 'Many users have been added from your address in the last hour.'),
    adminTries: {
      async check(request) {
        const tried = await tries.get(addressOf(request))
        if (tried && tried.consumedPoints >= ADMIN_TRIES.points) refuse(tried, words)
      },
      async count(request) {
        await tries.consume(addressOf(request)).catch((refused: unknown) => refuse(refused, words))
      }
    }
  }
}

/** @param refused what the limiter says, or an error of its own */
function refuse(refused: unknown, words: string): never {
  if (refused instanceof Error) throw refused
  const seconds = Math.max(1, Math.ceil((refused as RateLimiterRes).msBeforeNext / 1000))
  const wait = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
  throw new VisibleError(429, `${words} Please try again in ${wait}.`, { at: new Date(Date.now() + seconds * 1000) })
}

/** The address that counts: of IPv6 the network (/64), of which a visitor has all addresses. */
export function addressOf({ ip = '' }: Pick<Request, 'ip'>): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!isIPv6(address)) return address
  const [start, end] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const groups = end ? [...start, ...new Array<string>(8 - start.length - end.length).fill('0'), ...end] : start
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`
}
