import type { AddressInfo } from 'node:net'
import { startWorker } from '../../src/collecting/collect-worker.js'
import { addSamples } from '../../src/collecting/sample-users.js'
import { readConfig } from '../../src/core/config.js'
import { openServices, type Services } from '../../src/services/services.js'
import type { Lease } from '../../src/storage/collect-jobs.js'
import { connect } from '../../src/storage/database.js'
import type { Threads } from '../../src/threads/pool.js'
import { createApp, createHttpServer } from '../../src/web/app.js'
import { openEmbeddedDatabase, type TestDatabase } from './databases.js'
import { sharedThreads } from './threads.js'

export type TestServices = Services & { prisma: ReturnType<typeof connect> }

const SETTINGS = { PREDICTIONS_PER_MINUTE: '0', PAGES_PER_MINUTE: '0', ADDITIONS_PER_HOUR: '0', IMPORTED_MB_PER_DAY: '0', LOG_LEVEL: 'silent' }

/**
 * The app's services as openServices wires them, on a test's database, and a Prisma client for the test to look into it.
 * `close` closes neither the
 * database nor threads that are shared; with an encoder of its own the app has its own threads.
 */
export async function openTestServices(
  { url, checkRoom }: Pick<TestDatabase, 'url' | 'checkRoom'>,
  settings: Record<string, string> = {},
  threads: Threads | undefined = settings.EMBEDDING_MODEL ? undefined : sharedThreads(),
  lease?: Lease
): Promise<TestServices> {
  const config = readConfig({ DATABASE_URL: url, ...SETTINGS, ...settings })
  const services = await openServices(config, { threads, checkRoom, lease, xTimeoutMs: 1000 })
  const prisma = connect(url)
  return {
    ...services,
    prisma,
    async close() {
      await prisma.$disconnect()
      await services.close()
    }
  }
}

/** The web app on a free loopback port; with a token it also works the queue, as the server does. */
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

/** The web app with the sample users, on a database of its own. */
export async function openSampleApp(settings: Record<string, string> = {}, threads = sharedThreads()): Promise<{ url: string; services: TestServices; close(): Promise<void> }> {
  const database = await openEmbeddedDatabase()
  const services = await openTestServices(database, settings, threads)
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
