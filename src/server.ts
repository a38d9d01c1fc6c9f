// The web process. With a token for X it also works the queue, unless WORK_QUEUE=false leaves that to worker processes.

import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { startWorker } from './collecting/collect-worker.js'
import { addSamples } from './collecting/sample-users.js'
import { readConfig } from './core/config.js'
import { cannotStart, onTermination, startOrExit } from './core/process.js'
import { openServices, type Services } from './services/services.js'
import { createApp, createHttpServer } from './web/app.js'
import { removeLeftUploads } from './web/uploads.js'

// Milliseconds of a shutdown.
const REQUESTS_ON_THEIR_WAY = 500
const LAST_ANSWERS = 5_000

const services = await startOrExit(open)
const { config, log } = services
const worker = config.WORK_QUEUE && config.X_BEARER_TOKEN ? await startOrExit(() => startWorker(services)) : undefined
const server = createHttpServer(createApp(services))
server.once('error', (error) => void services.close().finally(() => cannotStart(error)))
server.listen(config.PORT, config.HOST, () => log.info(`HypoTweet is on http://localhost:${(server.address() as AddressInfo).port}`))
onTermination(shutDown)

/** The services. Where nobody is stored and X cannot be asked, the sample users are added. */
async function open(): Promise<Services> {
  await removeLeftUploads()
  const services = await openServices(readConfig(process.env))
  if (!services.config.X_BEARER_TOKEN && (await services.userStore.listUsers()).length === 0) {
    services.log.info(`Added the sample users ${(await addSamples(services)).join(', ')}.`)
  }
  return services
}

/** Answers the requests that have come or are on their way, hands the worker's users back to the queue, and closes. */
async function shutDown(): Promise<void> {
  server.prependListener('request', (_request, response) => (response.shouldKeepAlive = false))
  await pause(REQUESTS_ON_THEIR_WAY) // closing a connection that seems idle would lose a request that is under way
  const answered = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), LAST_ANSWERS) // a page that follows the progress would stay for minutes
  await Promise.all([answered, worker?.stop()])
  await services.close()
}
