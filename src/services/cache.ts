// What was loaded and fitted is kept, so that the next question about the same users need not wait. The key names the
// users' tweets as they are stored, so nothing answers for tweets that have changed since, whichever process changed them.

/** What is kept says how much memory it takes, in bytes. */
export interface Cached {
  bytes: number
}

export interface Cache {
  /** How many things are kept or being made. */
  readonly size: number
  /** What is kept under the key, or made anew; callers at the same time share one making, a failure is forgotten. */
  get<T extends Cached>(key: string, make: () => Promise<T>): Promise<T>
}

/** Keeps what was used last, as long as it takes no more than mostBytes together. */
export function createCache(mostBytes: number): Cache {
  const kept = new Map<string, { value: Promise<Cached>; bytes: number }>() // in the order of use
  const forgetOldest = (): void => {
    let bytes = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0)
    for (const [key, entry] of kept) {
      if (bytes <= mostBytes) return
      if (entry.bytes === 0) continue // still being made: its callers share it
      kept.delete(key)
      bytes -= entry.bytes
    }
  }
  const start = (key: string, make: () => Promise<Cached>): { value: Promise<Cached>; bytes: number } => {
    const entry = { value: make(), bytes: 0 }
    entry.value.then(
      ({ bytes }) => {
        entry.bytes = bytes
        forgetOldest()
      },
      () => kept.delete(key)
    )
    return entry
  }
  return {
    get size() {
      return kept.size
    },
    get<T extends Cached>(key: string, make: () => Promise<T>) {
      const entry = kept.get(key) ?? start(key, make)
      kept.delete(key)
      kept.set(key, entry)
      return entry.value as Promise<T>
    }
  }
}
