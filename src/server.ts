import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createApp, createHttpServer } from './web/app.js'
import { readConfig } from './core/config.js'
import { startWorker } from './collecting/collect-worker.js'
import { openServices } from './services/services.js'
import { addSamples } from './collecting/sample-users.js'

const ON_ITS_WAY = 500 // ms
const LAST_ANSWERS = 5_000 // ms

const services = await start()
const worker = services.config.WORK_QUEUE && services.config.X_BEARER_TOKEN ? await startWorker(services) : undefined
const server = createHttpServer(createApp(services))
server.once('error', (error) => void services.close().finally(() => stop(error)))
server.listen(services.config.PORT, services.config.HOST, () => {
  const { port } = server.address() as AddressInfo
  services.log.info(`HypoTweet is on http://localhost:${port}`)
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shutDown())

/** Answers what has been asked or is on its way, hands back what the worker holds, and ends. */
async function shutDown(): Promise<void> {
  server.prependListener('request', (_request, response) => (response.shouldKeepAlive = false))
  await pause(ON_ITS_WAY) // a connection that seems idle may have a request under way, which closing it would lose
  const answered = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), LAST_ANSWERS) // a page that shows progress would stay for minutes
  await Promise.all([answered, worker?.stop()])
  await services.close()
  process.exit()
}

async function start() {
  try {
    const services = await openServices(readConfig(process.env))
    if (!services.config.X_BEARER_TOKEN && (await services.userStore.listUsers()).length === 0) {
      services.log.info(`Added the sample users ${(await addSamples(services)).join(', ')}.`)
    }
    return services
  } catch (error) {
    return stop(error as Error)
  }
}

function stop(error: Error): never {
  console.error(`HypoTweet can't start. ${error.message}`)
  process.exit(1)
}
