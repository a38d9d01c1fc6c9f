// Memory cache for loaded tweets, fitted models and style profiles. The keys name the stored tweets' version, so a cached
// value is never used after the tweets have changed, whichever process changed them.

import { LRUCache } from 'lru-cache'

/** A value that knows about how much memory it takes, in bytes. */
export interface Cached {
  bytes: number
}

export interface Cache {
  /** How many values are cached or being made. */
  readonly size: number
  /** The cached value of the key, or a new one. Callers at the same time share one call of `make`; a failure is not cached. */
  get<T extends Cached>(key: string, make: () => Promise<T>): Promise<T>
}

/** A cache of at most maxBytes, which evicts what was used least recently. */
export function createCache(maxBytes: number): Cache {
  const cached = new LRUCache<string, Cached>({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => bytes })
  // lru-cache's fetchMethod would share calls too, but it evicts a value that is still being made when others fill the cache.
  const making = new Map<string, Promise<Cached>>()
  const start = (key: string, make: () => Promise<Cached>): Promise<Cached> => {
    const value = make().then((made) => (cached.set(key, made), made)).finally(() => making.delete(key))
    making.set(key, value)
    return value
  }
  return {
    get size() {
      return cached.size + making.size
    },
    async get<T extends Cached>(key: string, make: () => Promise<T>) {
      return (cached.get(key) ?? making.get(key) ?? start(key, make)) as T | Promise<T>
    }
  }
}
