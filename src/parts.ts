import { createCollections, type Collections } from './collections.js'
import { connect, migrate } from './database.js'
import { openEmbeddedPostgres } from './embedded-postgres.js'
import type { Env } from './env.js'
import { createFittedModels, type FittedModels } from './fitted-models.js'
import { openQueue, type Queue } from './queue.js'
import { createSpending, type Spending } from './spending.js'
import { createStore, type Store } from './store.js'
import { openThreads, type Threads } from './threads.js'
import { createXApi, type XApi } from './x-api.js'

export const MODEL_MEMORY = 64 * 2 ** 20 // bytes of fitted models that are kept: some ten of 4 × 200 tweets

/** All that is outside the web app's own code, so that a test can hand in another. */
export interface Parts {
  env: Env
  store: Store
  collections: Collections
  spending: Spending
  queue: Queue
  xApi: XApi
  threads: Threads
  models: FittedModels
  close(): Promise<void>
}

/** Opens the database (with its migrations), the X client and the threads. */
export async function openParts(env: Env): Promise<Parts> {
  const embedded = env.DATABASE_URL ? undefined : await openEmbeddedPostgres(env.DATA_DIR)
  const url = env.DATABASE_URL ?? embedded!.url
  await migrate(url)
  const prisma = connect(url)
  const queue = openQueue(url)
  const threads = openThreads(env.EMBEDDING_MODEL)
  return {
    env,
    store: createStore(prisma),
    collections: createCollections(prisma),
    spending: createSpending(prisma),
    queue,
    xApi: createXApi({ token: env.X_BEARER_TOKEN, url: env.X_API_URL }),
    threads,
    models: createFittedModels(MODEL_MEMORY),
    async close() {
      await queue.close()
      await threads.close()
      await prisma.$disconnect()
      await embedded?.close()
    }
  }
}
