import { expect, test } from 'vitest'
import { createCache } from '../../../src/services/cache.js'
import { createMetrics } from '../../../src/services/metrics.js'
import type { CollectJobs } from '../../../src/storage/collect-jobs.js'
import type { XBudget } from '../../../src/storage/x-budget.js'

test('what was spent at X is read once for all metrics of it, and again when they are read again', async () => {
  let posts = 0
  const spentToday = async () => ({ day: '2026-11-24', posts: ++posts, users: 2, dollars: 0.025 })
  const metrics = createMetrics({
    models: createCache(1),
    corpora: createCache(1),
    collectJobs: { countOpen: async () => 0 } as unknown as CollectJobs,
    xBudget: { limit: 1, spentToday } as unknown as XBudget
  })
  for (const read of [1, 2]) {
    const { text } = await metrics.read()
    for (const line of [`x_posts_today ${read}`, 'x_users_today 2', 'x_dollars_today 0.025', 'x_dollars_limit 1']) expect(text).toContain(`hypotweet_${line}\n`)
  }
})
