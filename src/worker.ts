// A process that only works the queue. Any number of them share one Postgres with the web processes.

import { startWorker } from './collecting/collect-worker.js'
import { readConfig } from './core/config.js'
import { onTermination, startOrExit } from './core/process.js'
import { openServices } from './services/services.js'

const services = await startOrExit(async () => openServices(readConfig(process.env)))
const worker = await startOrExit(() => startWorker(services))
services.log.info('HypoTweet works the queue.')
onTermination(async () => {
  await worker.stop()
  await services.close()
})
