import type { AddressInfo } from 'node:net'
import { createApp, createHttpServer } from '../../src/app.js'
import { connect } from '../../src/database.js'
import { readEnv } from '../../src/env.js'
import { createCache } from '../../src/cache.js'
import { CORPORA_MEMORY, MODELS_MEMORY, type Parts } from '../../src/parts.js'
import { addSamples } from '../../src/samples.js'
import { createCollections, type Lease } from '../../src/collections.js'
import { startWorker } from '../../src/jobs.js'
import { openQueue } from '../../src/queue.js'
import { createLimits } from '../../src/safety.js'
import { createLog } from '../../src/log.js'
import { createMetrics } from '../../src/metrics.js'
import { createSpending } from '../../src/spending.js'
import { createStore } from '../../src/store.js'
import { openThreads, type Threads } from '../../src/threads.js'
import { createXApi } from '../../src/x-api.js'
import { openEmbeddedDatabase, type TestDatabase } from './databases.js'

export type TestParts = Parts & { prisma: ReturnType<typeof connect> }

/** The app's real parts on a test's database and X API; `close` leaves the database to whoever opened it. */
export function openTestParts(database: TestDatabase, settings: Record<string, string> = {}, threads?: Threads, lease?: Lease): TestParts {
  const env = readEnv({ DATABASE_URL: database.url, PREDICTIONS_PER_MINUTE: '0', ADDITIONS_PER_HOUR: '0', LOG_LEVEL: 'silent', ...settings })
  const prisma = connect(database.url)
  const log = createLog(env.LOG_LEVEL)
  const queue = openQueue(database.url, log)
  const collections = createCollections(prisma, lease)
  const spending = createSpending(prisma)
  const [corpora, models] = [createCache(CORPORA_MEMORY), createCache(MODELS_MEMORY)]
  const metrics = createMetrics({ corpora, models, collections, spending })
  const used = threads ?? openThreads(env.EMBEDDING_MODEL)
  return {
    env,
    prisma,
    store: createStore(prisma),
    collections,
    spending,
    queue,
    xApi: createXApi({ token: env.X_BEARER_TOKEN, url: env.X_API_URL, timeoutMs: 1000 }),
    threads: metrics.timed(used),
    corpora,
    models,
    limits: createLimits(prisma, env),
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
export async function serve(parts: Parts): Promise<{ url: string; close(): Promise<void> }> {
  const worker = parts.env.WORK_QUEUE && parts.env.X_BEARER_TOKEN ? await startWorker(parts) : undefined
  const server = createHttpServer(createApp(parts)).listen(0, '127.0.0.1')
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
export async function openSampleApp(settings: Record<string, string> = {}): Promise<{ url: string; parts: TestParts; close(): Promise<void> }> {
  const database = await openEmbeddedDatabase()
  const parts = openTestParts(database, settings)
  await addSamples(parts)
  const app = await serve(parts)
  return {
    url: app.url,
    parts,
    async close() {
      await app.close()
      await parts.close()
      await database.close()
    }
  }
}
