import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createApp, createHttpServer } from './app.js'
import { readEnv } from './env.js'
import { startWorker } from './jobs.js'
import { openParts } from './parts.js'
import { addSamples } from './samples.js'

const ON_ITS_WAY = 500 // ms
const LAST_ANSWERS = 5_000 // ms

const parts = await start()
const worker = parts.env.WORK_QUEUE && parts.env.X_BEARER_TOKEN ? await startWorker(parts) : undefined
const server = createHttpServer(createApp(parts))
server.once('error', (error) => void parts.close().finally(() => stop(error)))
server.listen(parts.env.PORT, parts.env.HOST, () => {
  const { port } = server.address() as AddressInfo
  parts.log.info(`HypoTweet is on http://localhost:${port}`)
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
  await parts.close()
  process.exit()
}

async function start() {
  try {
    const parts = await openParts(readEnv(process.env))
    if (!parts.env.X_BEARER_TOKEN && (await parts.store.listUsers()).length === 0) {
      parts.log.info(`Added the sample users ${(await addSamples(parts)).join(', ')}.`)
    }
    return parts
  } catch (error) {
    return stop(error as Error)
  }
}

function stop(error: Error): never {
  console.error(`HypoTweet can't start. ${error.message}`)
  process.exit(1)
}
