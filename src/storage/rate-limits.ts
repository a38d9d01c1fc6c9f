// Rate limits for each key (an address), counted in Postgres by all processes together.

import { RateLimiterPrisma, type RateLimiterRes } from 'rate-limiter-flexible'
import type { Config } from '../core/config.js'
import { ExpectedError } from '../core/errors.js'
import type { PrismaClient } from '../generated/prisma/client.js'

const ADMIN_TRIES = { points: 10, duration: 15 * 60 } // wrong passwords in so many seconds

export interface RateLimit {
  /**
   * Counts one request of a key.
   * @throws ExpectedError `too-many` where the limit is reached, with the time of the next allowed request
   */
  count(key: string): Promise<void>
  /** Throws the same, but counts nothing. */
  check(key: string): Promise<void>
}

export interface RateLimits {
  /** Requests that compute something. */
  predictions: RateLimit
  /** Requests that read what is stored: pages of people, downloads. */
  pages: RateLimit
  /** Requests that add users. */
  additions: RateLimit
  /** Wrong admin passwords. */
  adminTries: RateLimit
}

export function createRateLimits(prisma: PrismaClient, { PREDICTIONS_PER_MINUTE, PAGES_PER_MINUTE, ADDITIONS_PER_HOUR }: Config): RateLimits {
  const limit = (keyPrefix: string, points: number, duration: number, words: string): RateLimit => {
    if (points === 0) return UNLIMITED
    const limiter = new RateLimiterPrisma({ storeClient: prisma, tableName: 'limit', keyPrefix, points, duration })
    return {
      async count(key) {
        await limiter.consume(key).catch((refused: unknown) => refuse(refused, words))
      },
      async check(key) {
        const counted = await limiter.get(key)
        if (counted && counted.consumedPoints >= points) refuse(counted, words)
      }
    }
  }
  return {
    predictions: limit('predictions', PREDICTIONS_PER_MINUTE, 60, 'That was a lot in one minute.'),
    pages: limit('pages', PAGES_PER_MINUTE, 60, 'Those were a lot of pages in one minute.'),
    additions: limit('additions', ADDITIONS_PER_HOUR, 3600, 'Many users have been added from your address in the last hour.'),
    adminTries: limit('admin', ADMIN_TRIES.points, ADMIN_TRIES.duration, 'Too many wrong passwords.')
  }
}

const UNLIMITED: RateLimit = { count: async () => {}, check: async () => {} }

/** @param refused the limiter's result, or the error of its query */
function refuse(refused: unknown, words: string): never {
  if (refused instanceof Error) throw refused
  const seconds = Math.max(1, Math.ceil((refused as RateLimiterRes).msBeforeNext / 1000))
  const wait = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
  throw new ExpectedError('too-many', `${words} Please try again in ${wait}.`, { at: new Date(Date.now() + seconds * 1000) })
}
