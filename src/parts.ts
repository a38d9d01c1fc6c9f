import { createCache, type Cache } from './cache.js'
import { createCollections, type Collections } from './collections.js'
import { connect, migrate } from './database.js'
import { openEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js'
import type { Env } from './env.js'
import { createLog, type Log } from './log.js'
import { createMetrics, type Metrics } from './metrics.js'
import { openQueue, type Queue } from './queue.js'
import { createLimits, type Limits } from './safety.js'
import { createSpending, type Spending } from './spending.js'
import { createStore, type Store } from './store.js'
import { openThreads, type Threads } from './threads.js'
import { createXApi, type XApi } from './x-api.js'

export const CORPORA_MEMORY = 48 * 2 ** 20 // bytes of users' tweets that are kept: some 80 users with 200 tweets
export const MODELS_MEMORY = 16 * 2 ** 20 // bytes of fitted models that are kept, beside their tweets: some seven of 4 × 200

/** All that is outside the web app's own code, so that a test can hand in another. */
export interface Parts {
  env: Env
  store: Store
  collections: Collections
  spending: Spending
  queue: Queue
  xApi: XApi
  threads: Threads
  corpora: Cache
  models: Cache
  limits: Limits
  metrics: Metrics
  log: Log
  close(): Promise<void>
}

/**
 * Opens the database (with its migrations), the X client and the threads.
 * @throws Error where the database or the encoder can't be opened; what was open is closed by then
 */
export async function openParts(env: Env): Promise<Parts> {
  const opened = openThreads(env.EMBEDDING_MODEL)
  const [database, encoder] = await Promise.allSettled([openDatabase(env), opened.encoderName()])
  if (database.status === 'rejected' || encoder.status === 'rejected') {
    await opened.close()
    if (database.status === 'fulfilled') await database.value.embedded?.close()
    throw [database, encoder].find((part) => part.status === 'rejected')!.reason
  }
  const { url, embedded } = database.value
  const prisma = connect(url)
  const log = createLog(env.LOG_LEVEL)
  const queue = openQueue(url, log)
  const collections = createCollections(prisma)
  const spending = createSpending(prisma)
  const [corpora, models] = [createCache(CORPORA_MEMORY), createCache(MODELS_MEMORY)]
  const metrics = createMetrics({ corpora, models, collections, spending })
  const threads = metrics.timed(opened)
  return {
    env,
    store: createStore(prisma, embedded?.checkRoom),
    collections,
    spending,
    queue,
    xApi: createXApi({ token: env.X_BEARER_TOKEN, url: env.X_API_URL }),
    threads,
    corpora,
    models,
    limits: createLimits(prisma, env),
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

async function openDatabase({ DATABASE_URL, DATA_DIR }: Env): Promise<{ url: string; embedded?: EmbeddedPostgres }> {
  const embedded = DATABASE_URL ? undefined : await openEmbeddedPostgres(DATA_DIR)
  const url = DATABASE_URL ?? embedded!.url
  await migrate(url)
  return { url, embedded }
}
