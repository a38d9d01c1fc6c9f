import type { AddressInfo } from 'node:net'
import { createApp, createHttpServer } from './app.js'
import { readEnv } from './env.js'
import { openParts } from './parts.js'
import { addSamples } from './samples.js'

const parts = await start()
const server = createHttpServer(createApp(parts))
server.once('error', stop)
server.listen(parts.env.PORT, parts.env.HOST, () => {
  const { port } = server.address() as AddressInfo
  console.log(`HypoTweet is on http://localhost:${port}`)
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => server.close(() => void parts.close()))

async function start() {
  try {
    const parts = await openParts(readEnv(process.env))
    if (!parts.env.X_BEARER_TOKEN && (await parts.store.listUsers()).length === 0) {
      console.log(`Added the sample users ${(await addSamples(parts)).join(', ')}.`)
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
