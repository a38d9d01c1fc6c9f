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
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> =>
    new Histogram({ name: `hypotweet_${name}`, help, labelNames, buckets: BUCKETS, registers })
  const fits = histogram('fit_seconds', 'How long fits took', ['outcome'])
  const gauge = (name: string, help: string, value: () => number | Promise<number>): Gauge =>
    new Gauge({ name: `hypotweet_${name}`, help, registers, collect: async function () { this.set(await value()) } })
  let reading: ReturnType<XBudget['spentToday']> | undefined // one query for all three, which are asked for at once
  const spentToday = () => (reading ??= xBudget.spentToday().finally(() => (reading = undefined)))
  gauge('kept_models', 'Fitted models in the cache', () => models.size)
  gauge('kept_users', 'Users whose tweets are in the cache', () => corpora.size)
  gauge('collections_open', 'Users who are being collected or wait for it', () => collectJobs.countOpen())
  gauge('x_dollars_today', 'Dollars spent at X today (UTC)', async () => (await spentToday()).dollars)
  gauge('x_dollars_limit', 'Dollars that may be spent at X in a day', () => xBudget.limit)
  gauge('x_posts_today', 'Posts read from X today (UTC)', async () => (await spentToday()).posts)
  gauge('x_users_today', 'Users looked up on X today (UTC)', async () => (await spentToday()).users)
  return {
    requests: histogram('request_seconds', 'How long answers took, by route', ['method', 'route', 'status']),
    timed: (threads) => ({ ...threads, fit: (set) => timing(fits, threads.fit(set)) }),
    read: async () => ({ text: await register.metrics(), type: register.contentType })
  }
}

async function timing<T>(fits: Histogram<'outcome'>, fit: Promise<T>): Promise<T> {
  const stop = fits.startTimer()
  try {
    const result = await fit
    stop({ outcome: 'fitted' })
    return result
  } catch (error) {
    stop({ outcome: 'failed' })
    throw error
  }
}
