// Rate limits for each key (an address), counted in Postgres by all processes together.

import { RateLimiterPrisma, type RateLimiterRes } from 'rate-limiter-flexible'
import type { Config } from '../core/config.js'
import { ExpectedError } from '../core/errors.js'
import type { PrismaClient } from '../generated/prisma/client.js'

// Wrong admin passwords in so many seconds: of an address, of an IPv6 network that a provider gives to one customer or a few
// (/48), and of all addresses from which the right one has not come lately.
const ADMIN_TRIES = { points: 10, duration: 15 * 60 }
const ADMIN_TRIES_OF_NETWORK = { points: 30, duration: 15 * 60 }
const ADMIN_TRIES_OF_STRANGERS = { points: 20, duration: 10 * 60 }
const ADMIN_KNOWN_FOR = 30 * 24 * 3600 // s

export interface RateLimit {
  /**
   * Counts one request of a key, or so many points.
   * @throws ExpectedError `too-many` where the limit is reached, with the time of the next allowed request
   */
  count(key: string, points?: number): Promise<void>
  /** Takes one counted request back. */
  forgive(key: string): Promise<void>
}

/** Where a try at the admin password comes from. */
export interface Origin {
  address: string
  /** The wider network of an IPv6 address. */
  network?: string
}

export interface AdminTries {
  /**
   * Counts a try. It comes before the password is looked at: otherwise a burst is looked at before any of it is counted.
   * @throws ExpectedError `too-many`
   */
  count(origin: Origin): Promise<void>
  /** The password was right: the try does not count, and what strangers try does not close the page to this address. */
  forgive(origin: Origin): Promise<void>
}

export interface RateLimits {
  /** Requests that compute something. */
  predictions: RateLimit
  /** Requests that read what is stored: pages of people, downloads. */
  pages: RateLimit
  /** Requests that add users. */
  additions: RateLimit
  /** Kilobytes that are added from files. */
  imported: RateLimit
  /** Wrong admin passwords. */
  adminTries: AdminTries
}

export function createRateLimits(prisma: PrismaClient, { PREDICTIONS_PER_MINUTE, PAGES_PER_MINUTE, ADDITIONS_PER_HOUR, IMPORTED_MB_PER_DAY }: Config): RateLimits {
  const limit = (keyPrefix: string, points: number, duration: number, words: string): RateLimit => {
    if (points === 0) return UNLIMITED
    const limiter = new RateLimiterPrisma({ storeClient: prisma, tableName: 'limit', keyPrefix, points, duration })
    return {
      async count(key, counted) {
        await limiter.consume(key, counted).catch((refused: unknown) => refuse(refused, words))
      },
      async forgive(key) {
        await limiter.reward(key)
      }
    }
  }
  return {
    predictions: limit('predictions', PREDICTIONS_PER_MINUTE, 60, 'That was a lot in one minute.'),
    pages: limit('pages', PAGES_PER_MINUTE, 60, 'Those were a lot of pages in one minute.'),
    additions: limit('additions', ADDITIONS_PER_HOUR, 3600, 'Many users have been added from your address in the last hour.'),
    imported: limit('imported', Math.ceil(IMPORTED_MB_PER_DAY * 1024), 24 * 3600, `More than ${IMPORTED_MB_PER_DAY} MB were added from your address within a day.`),
    adminTries: createAdminTries(prisma, limit)
  }
}

function createAdminTries(prisma: PrismaClient, limit: (name: string, points: number, duration: number, words: string) => RateLimit): AdminTries {
  const of = (name: string, { points, duration }: typeof ADMIN_TRIES): RateLimit => limit(name, points, duration, 'Too many wrong passwords.')
  const [own, wider, strangers] = [of('admin', ADMIN_TRIES), of('admin48', ADMIN_TRIES_OF_NETWORK), of('admin-all', ADMIN_TRIES_OF_STRANGERS)]
  const known = new RateLimiterPrisma({ storeClient: prisma, tableName: 'limit', keyPrefix: 'admin-known', points: 1, duration: ADMIN_KNOWN_FOR })
  const forgiveNear = async ({ address, network }: Origin): Promise<void> => {
    await own.forgive(address)
    if (network) await wider.forgive(network)
  }
  return {
    async count(origin) {
      await own.count(origin.address)
      if (origin.network) await wider.count(origin.network)
      if (await known.get(origin.address)) return
      await strangers.count('').catch(async (refusal: unknown) => {
        await forgiveNear(origin) // nobody has looked at the password
        throw refusal
      })
    },
    async forgive(origin) {
      await forgiveNear(origin)
      if (await known.get(origin.address)) return
      await strangers.forgive('')
      await known.set(origin.address, 1, ADMIN_KNOWN_FOR)
    }
  }
}

const UNLIMITED: RateLimit = { count: async () => {}, forgive: async () => {} }

/** @param refused the limiter's result, or the error of its query */
function refuse(refused: unknown, words: string): never {
  if (refused instanceof Error) throw refused
  const seconds = Math.max(1, Math.ceil((refused as RateLimiterRes).msBeforeNext / 1000))
  const wait = seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`
  throw new ExpectedError('too-many', `${words} Please try again in ${wait}.`, { at: new Date(Date.now() + seconds * 1000) })
}
