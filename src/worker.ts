// A process that only works the queue: any number of them, and of web processes, share one Postgres.

import { readEnv } from './env.js'
import { startWorker } from './jobs.js'
import { openParts } from './parts.js'

const parts = await start()
const worker = await startWorker(parts)
parts.log.info('HypoTweet works the queue.')
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shutDown())

async function start() {
  try {
    return await openParts(readEnv(process.env))
  } catch (error) {
    console.error(`The worker can't start. ${(error as Error).message}`)
    process.exit(1)
  }
}

async function shutDown(): Promise<void> {
  await worker.stop()
  await parts.close()
  process.exit()
}
