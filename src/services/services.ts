import type { Config } from '../core/config.js'
import { createLog, type Log } from '../core/log.js'
import { createXApi, type XApi } from '../sources/x/x-api.js'
import { createCollectJobs, type CollectJobs, type Lease } from '../storage/collect-jobs.js'
import { connect } from '../storage/database.js'
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../storage/embedded-postgres.js'
import { migrate } from '../storage/migrations.js'
import { openQueue, type Queue } from '../storage/queue.js'
import { createRateLimits, type RateLimits } from '../storage/rate-limits.js'
import { createTweetStore, type TweetStore } from '../storage/tweets.js'
import { createUserStore, type UserStore } from '../storage/users.js'
import { createXBudget, type XBudget } from '../storage/x-budget.js'
import { createFairQueue, type FairQueue } from '../threads/fair-queue.js'
import { openThreads, type Threads } from '../threads/pool.js'
import { createCache, type Cache } from './cache.js'
import { createMetrics, type Metrics } from './metrics.js'

// Bytes of memory for each cache.
const CORPORA_MEMORY = 48 * 2 ** 20 // about 80 users with 200 tweets each
export const MODELS_MEMORY = 16 * 2 ** 20 // about seven models of 4 × 200 tweets, which lie in the cache of corpora
const PROFILES_MEMORY = 2 ** 20 // about 170 style profiles
const CARDS_MEMORY = 6 * 2 ** 20 // about 100 pictures

// A fit takes some 100 ms on two threads: whoever is let in waits for two seconds at most.
const HEAVY_WORK = { running: 2, waiting: 24, waitingPerClient: 6 }
// A picture takes about as long, on a thread of its own.
const DRAWING = { running: 1, waiting: 16, waitingPerClient: 4 }

// An import takes seconds and up to 100 MB of memory. Uploads are bounded before they are received, so that all may wait.
const IMPORTS = { running: 2, waiting: 100, waitingPerClient: 100 }

/** Services the app depends on; tests can pass fakes. */
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
  profiles: Cache
  cards: Cache
  /** Fits and the like: few at a time, in turns between addresses. */
  heavyWork: FairQueue
  /** The pictures of results, one at a time. */
  drawing: FairQueue
  /** Imports: few at a time, in turns between addresses. */
  imports: FairQueue
  rateLimits: RateLimits
  metrics: Metrics
  log: Log
  close(): Promise<void>
}

/** What tests set instead of the config. */
export interface Overrides {
  /** Threads that several services share; whoever opened them closes them. */
  threads?: Threads
  /** Throws where the disk has no room for more tweets; the embedded Postgres has its own. */
  checkRoom?: () => Promise<void>
  lease?: Lease
  xTimeoutMs?: number
}

/**
 * Opens the database (with its migrations), the X client and the threads.
 * @throws Error where the database or the encoder can't be opened; everything that was opened is closed again
 */
export async function openServices(config: Config, overrides: Overrides = {}): Promise<Services> {
  const { url, checkRoom, threads, close } = await openBackends(config, overrides)
  const prisma = connect(url)
  const log = createLog(config.LOG_LEVEL)
  const queue = openQueue(url, log)
  const collectJobs = createCollectJobs(prisma, overrides.lease)
  const xBudget = createXBudget(prisma, config.X_DAILY_SPEND_LIMIT)
  const [corpora, models, profiles, cards] = [CORPORA_MEMORY, MODELS_MEMORY, PROFILES_MEMORY, CARDS_MEMORY].map(createCache)
  const metrics = createMetrics({ corpora, models, collectJobs, xBudget })
  return {
    config,
    userStore: createUserStore(prisma),
    tweetStore: createTweetStore(prisma, checkRoom, config.STORAGE_LIMIT_MB * 2 ** 20 || Infinity),
    collectJobs,
    xBudget,
    queue,
    xApi: createXApi({ token: config.X_BEARER_TOKEN, url: config.X_API_URL, timeoutMs: overrides.xTimeoutMs }),
    threads: metrics.timed(threads),
    corpora,
    models,
    profiles,
    cards,
    heavyWork: createFairQueue(HEAVY_WORK),
    drawing: createFairQueue(DRAWING),
    imports: createFairQueue(IMPORTS),
    rateLimits: createRateLimits(prisma, config),
    metrics,
    log,
    async close() {
      await queue.close()
      await prisma.$disconnect()
      await close()
    }
  }
}

type Backends = Pick<Overrides, 'checkRoom'> & { url: string; threads: Threads; close(): Promise<void> }

/** The database and the threads, both ready; where one of them can't be opened, the other is closed. */
async function openBackends(config: Config, { threads, checkRoom }: Overrides): Promise<Backends> {
  const opened = threads ?? openThreads(config.EMBEDDING_MODEL)
  const [database, encoder] = await Promise.allSettled([openDatabase(config), opened.encoderName()])
  const close = async (): Promise<void> => {
    if (!threads) await opened.close()
    if (database.status === 'fulfilled') await database.value.embedded?.close()
  }
  if (database.status === 'rejected' || encoder.status === 'rejected') {
    await close()
    throw [database, encoder].find((part) => part.status === 'rejected')!.reason
  }
  const { url, embedded } = database.value
  return { url, checkRoom: checkRoom ?? embedded?.checkRoom, threads: opened, close }
}

/** The config's Postgres, or an embedded one, with the migrations applied. */
async function openDatabase({ DATABASE_URL, DATA_DIR }: Config): Promise<{ url: string; embedded?: EmbeddedPostgres }> {
  const embedded = DATABASE_URL ? undefined : await openEmbeddedPostgres(DATA_DIR)
  const url = DATABASE_URL ?? embedded!.url
  try {
    await migrate(url)
  } catch (error) {
    await embedded?.close()
    throw error
  }
  return { url, embedded }
}
