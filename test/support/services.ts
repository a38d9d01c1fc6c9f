import type { AddressInfo } from 'node:net'
import { createApp, createHttpServer } from '../../src/web/app.js'
import { connect } from '../../src/storage/database.js'
import { readConfig } from '../../src/core/config.js'
import { createCache } from '../../src/services/cache.js'
import { CORPORA_MEMORY, MODELS_MEMORY, type Services } from '../../src/services/services.js'
import { addSamples } from '../../src/collecting/sample-users.js'
import { createCollectJobs, type Lease } from '../../src/storage/collect-jobs.js'
import { startWorker } from '../../src/collecting/collect-worker.js'
import { openQueue } from '../../src/storage/queue.js'
import { createRateLimits } from '../../src/storage/rate-limits.js'
import { createLog } from '../../src/core/log.js'
import { createMetrics } from '../../src/services/metrics.js'
import { createXBudget } from '../../src/storage/x-budget.js'
import { openThreads, type Threads } from '../../src/threads/pool.js'
import { createXApi } from '../../src/sources/x/x-api.js'
import { openEmbeddedDatabase, type TestDatabase } from './databases.js'
import { createTweetStore } from '../../src/storage/tweets.js'
import { createUserStore } from '../../src/storage/users.js'

export type TestServices = Services & { prisma: ReturnType<typeof connect> }

/** The app's real services on a test's database and X API; `close` leaves the database to whoever opened it. */
export function openTestServices(database: TestDatabase, settings: Record<string, string> = {}, threads?: Threads, lease?: Lease): TestServices {
  const config = readConfig({ DATABASE_URL: database.url, PREDICTIONS_PER_MINUTE: '0', ADDITIONS_PER_HOUR: '0', LOG_LEVEL: 'silent', ...settings })
  const prisma = connect(database.url)
  const log = createLog(config.LOG_LEVEL)
  const queue = openQueue(database.url, log)
  const collectJobs = createCollectJobs(prisma, lease)
  const xBudget = createXBudget(prisma)
  const [corpora, models] = [createCache(CORPORA_MEMORY), createCache(MODELS_MEMORY)]
  const metrics = createMetrics({ corpora, models, collectJobs, xBudget })
  const used = threads ?? openThreads(config.EMBEDDING_MODEL)
  return {
    config,
    prisma,
    userStore: createUserStore(prisma),
    tweetStore: createTweetStore(prisma),
    collectJobs,
    xBudget,
    queue,
    xApi: createXApi({ token: config.X_BEARER_TOKEN, url: config.X_API_URL, timeoutMs: 1000 }),
    threads: metrics.timed(used),
    corpora,
    models,
    rateLimits: createRateLimits(prisma, config),
    metrics,
    log,
    async close() {
      await queue.close()
      if (!threads) await used.close()
      await prisma.$disconnect()
    }
  }
}

/** The web app on a free loopback port, working the queue where it has a token, as the server does. */
export async function serve(services: Services): Promise<{ url: string; close(): Promise<void> }> {
  const worker = services.config.WORK_QUEUE && services.config.X_BEARER_TOKEN ? await startWorker(services) : undefined
  const server = createHttpServer(createApp(services)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await Promise.all([closed, worker?.stop()])
    }
  }
}

/** The web app with the sample users, on a database and threads of its own. */
export async function openSampleApp(settings: Record<string, string> = {}): Promise<{ url: string; services: TestServices; close(): Promise<void> }> {
  const database = await openEmbeddedDatabase()
  const services = openTestServices(database, settings)
  await addSamples(services)
  const app = await serve(services)
  return {
    url: app.url,
    services,
    async close() {
      await app.close()
      await services.close()
      await database.close()
    }
  }
}
