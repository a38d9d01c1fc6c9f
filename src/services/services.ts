import { createCache, type Cache } from './cache.js'
import { createCollectJobs, type CollectJobs } from '../storage/collect-jobs.js'
import { connect } from '../storage/database.js'
import { migrate } from '../storage/migrations.js'
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../storage/embedded-postgres.js'
import type { Config } from '../core/config.js'
import { createLog, type Log } from '../core/log.js'
import { createMetrics, type Metrics } from './metrics.js'
import { openQueue, type Queue } from '../storage/queue.js'
import { createRateLimits, type RateLimits } from '../storage/rate-limits.js'
import { createXBudget, type XBudget } from '../storage/x-budget.js'
import { openThreads, type Threads } from '../threads/pool.js'
import { createXApi, type XApi } from '../sources/x/x-api.js'
import { createTweetStore, type TweetStore } from '../storage/tweets.js'
import { createUserStore, type UserStore } from '../storage/users.js'

export const CORPORA_MEMORY = 48 * 2 ** 20 // bytes of users' tweets that are kept: some 80 users with 200 tweets
export const MODELS_MEMORY = 16 * 2 ** 20 // bytes of fitted models that are kept, beside their tweets: some seven of 4 × 200

/** All that is outside the web app's own code, so that a test can hand in another. */
export interface Services {
  config: Config
  userStore: UserStore
  tweetStore: TweetStore
  collectJobs: CollectJobs
  xBudget: XBudget
  queue: Queue
  xApi: XApi
  threads: Threads
  corpora: Cache
  models: Cache
  rateLimits: RateLimits
  metrics: Metrics
  log: Log
  close(): Promise<void>
}

/**
 * Opens the database (with its migrations), the X client and the threads.
 * @throws Error where the database or the encoder can't be opened; what was open is closed by then
 */
export async function openServices(config: Config): Promise<Services> {
  const opened = openThreads(config.EMBEDDING_MODEL)
  const [database, encoder] = await Promise.allSettled([openDatabase(config), opened.encoderName()])
  if (database.status === 'rejected' || encoder.status === 'rejected') {
    await opened.close()
    if (database.status === 'fulfilled') await database.value.embedded?.close()
    throw [database, encoder].find((part) => part.status === 'rejected')!.reason
  }
  const { url, embedded } = database.value
  const prisma = connect(url)
  const log = createLog(config.LOG_LEVEL)
  const queue = openQueue(url, log)
  const collectJobs = createCollectJobs(prisma)
  const xBudget = createXBudget(prisma)
  const [corpora, models] = [createCache(CORPORA_MEMORY), createCache(MODELS_MEMORY)]
  const metrics = createMetrics({ corpora, models, collectJobs, xBudget })
  const threads = metrics.timed(opened)
  return {
    config,
    userStore: createUserStore(prisma),
    tweetStore: createTweetStore(prisma, embedded?.checkRoom),
    collectJobs,
    xBudget,
    queue,
    xApi: createXApi({ token: config.X_BEARER_TOKEN, url: config.X_API_URL }),
    threads,
    corpora,
    models,
    rateLimits: createRateLimits(prisma, config),
    metrics,
    log,
    async close() {
      await queue.close()
      await threads.close()
      await prisma.$disconnect()
      await embedded?.close()
    }
  }
}

async function openDatabase({ DATABASE_URL, DATA_DIR }: Config): Promise<{ url: string; embedded?: EmbeddedPostgres }> {
  const embedded = DATABASE_URL ? undefined : await openEmbeddedPostgres(DATA_DIR)
  const url = DATABASE_URL ?? embedded!.url
  await migrate(url)
  return { url, embedded }
}
