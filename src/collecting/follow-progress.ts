// Following how far collecting has come: one look at the database serves all who follow, however many they are.

import { setTimeout as pause } from 'node:timers/promises'
import type { CollectJob, CollectJobs } from '../storage/collect-jobs.js'

const INTERVAL = 500 // ms between two looks at the progress

export interface ProgressWatch {
  /**
   * The jobs of these users, at each look (twice a second), until the signal is aborted. A look that fails is left out.
   * @throws what the first look throws
   */
  follow(usernames: string[], signal: AbortSignal): AsyncGenerator<CollectJob[]>
}

/** A watch that looks only while somebody follows, and never twice at the same time. */
export function watchProgress(collectJobs: Pick<CollectJobs, 'find'>, interval = INTERVAL): ProgressWatch {
  const followers = new Set<string[]>() // each one's keys
  let next: Promise<Map<string, CollectJob>> | undefined // the look that has not begun
  let current: Promise<unknown> = Promise.resolve() // the one that has

  const look = async (wait: number): Promise<Map<string, CollectJob>> => {
    await Promise.allSettled([pause(wait), current])
    next = undefined
    const looking = collectJobs.find([...new Set([...followers].flat())])
    current = looking
    return new Map((await looking).map((job) => [job.usernameKey, job]))
  }
  return {
    async *follow(usernames, signal) {
      const keys = usernames.map((name) => name.toLowerCase()).sort()
      followers.add(keys)
      try {
        for (let looks = 0; !signal.aborted; looks++) {
          next ??= look(looks && interval)
          const found = looks === 0 ? await next : await next.catch(() => undefined)
          if (found && !signal.aborted) yield keys.flatMap((key) => found.get(key) ?? [])
        }
      } finally {
        followers.delete(keys)
      }
    }
  }
}
