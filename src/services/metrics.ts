// Metrics for the operator, in Prometheus's text format.

import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Cache } from './cache.js'
import type { CollectJobs } from '../storage/collect-jobs.js'
import type { XBudget } from '../storage/x-budget.js'
import type { Threads } from '../threads/pool.js'

export interface Metrics {
  /** Seconds that answers took. */
  requests: Histogram<'method' | 'route' | 'status'>
  /** The same threads, with each fit timed. */
  timed(threads: Threads): Threads
  /** All metrics as text, and its content type. */
  read(): Promise<{ text: string; type: string }>
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] // seconds

export function createMetrics({ models, corpora, collectJobs, xBudget }: {
  models: Cache
  corpora: Cache
  collectJobs: CollectJobs
  xBudget: XBudget
}): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register }) // of Node.js: memory, event loop, garbage collection
  const registers = [register]
  const requests = new Histogram({
    name: 'hypotweet_request_seconds', help: 'How long answers took, by route', labelNames: ['method', 'route', 'status'] as const, buckets: BUCKETS, registers
  })
  const fits = new Histogram({ name: 'hypotweet_fit_seconds', help: 'How long fits took', labelNames: ['outcome'], buckets: BUCKETS, registers })
  const gauge = (name: string, help: string, value: () => number | Promise<number>): Gauge =>
    new Gauge({ name: `hypotweet_${name}`, help, registers, collect: async function () { this.set(await value()) } })
  gauge('kept_models', 'Fitted models that are kept', () => models.size)
  gauge('kept_users', 'Users whose tweets are kept in memory', () => corpora.size)
  gauge('collections_open', 'Users who are being collected or wait for it', () => collectJobs.countOpen())
  gauge('x_posts_today', 'Posts read from X today (UTC)', async () => (await xBudget.spentToday()).posts)
  gauge('x_users_today', 'Users looked up on X today (UTC)', async () => (await xBudget.spentToday()).users)
  return {
    requests,
    timed(threads) {
      return {
        ...threads,
        async fit(set) {
          const stop = fits.startTimer()
          try {
            const attribution = await threads.fit(set)
            stop({ outcome: 'fitted' })
            return attribution
          } catch (error) {
            stop({ outcome: 'failed' })
            throw error
          }
        }
      }
    },
    read: async () => ({ text: await register.metrics(), type: register.contentType })
  }
}
