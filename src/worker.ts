// A process that only works the queue: any number of them, and of web processes, share one Postgres.

import { readConfig } from './core/config.js'
import { startWorker } from './collecting/collect-worker.js'
import { openServices } from './services/services.js'

const services = await start()
const worker = await startWorker(services)
services.log.info('HypoTweet works the queue.')
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shutDown())

async function start() {
  try {
    return await openServices(readConfig(process.env))
  } catch (error) {
    console.error(`The worker can't start. ${(error as Error).message}`)
    process.exit(1)
  }
}

async function shutDown(): Promise<void> {
  await worker.stop()
  await services.close()
  process.exit()
}
