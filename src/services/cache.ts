// Memory cache for loaded tweets, fitted models, style profiles and pictures. The keys name the stored tweets' version or
// all that a picture shows, so a cached value is never used after the tweets have changed, whichever process changed them.

import { LRUCache } from 'lru-cache'
import { createSharedWork } from './shared-work.js'

/** A value that knows about how much memory it takes, in bytes. */
export interface Cached {
  bytes: number
}

export interface Cache {
  /** How many values are cached or being made. */
  readonly size: number
  /**
   * The cached value of the key, or a new one. Callers at the same time share one call of `make`, whose signal is aborted
   * when the last of them has gone. A failure is not cached.
   * @param signal aborted when the caller no longer waits
   */
  get<T extends Cached>(key: string, make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** A cache of at most maxBytes, which evicts what was used least recently. */
export function createCache(maxBytes: number): Cache {
  const cached = new LRUCache<string, Cached>({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => bytes })
  // lru-cache's fetchMethod would share calls too, but it evicts a value that is still being made when others fill the cache.
  const shared = createSharedWork<Cached>()
  return {
    get size() {
      return cached.size + shared.size
    },
    async get<T extends Cached>(key: string, make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) {
      const start = async (stopped: AbortSignal): Promise<T> => {
        const made = await make(stopped)
        cached.set(key, made)
        return made
      }
      return (cached.get(key) ?? shared.run(key, start, signal)) as T | Promise<T>
    }
  }
}
