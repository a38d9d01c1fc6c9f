// npm run seed              stores the sample users
// npm run seed -- --remove  removes them

import { SingleBar } from 'cli-progress'
import { addSamples } from '../collecting/sample-users.js'
import { readConfig } from '../core/config.js'
import { startOrExit } from '../core/process.js'
import { openServices } from '../services/services.js'

const services = await startOrExit(async () => openServices(readConfig(process.env)))
try {
  if (process.argv.includes('--remove')) console.log(`Removed ${await services.userStore.removeSamples()} sample users.`)
  else console.log(`The sample users are there: ${(await seed()).join(', ')}.`)
} finally {
  await services.close()
}

/** Stores the sample users, with a progress bar where there is a terminal. */
async function seed(): Promise<string[]> {
  const bar = new SingleBar({ format: 'Embedding {bar} {value} of {total} users' })
  const names = await addSamples(services, (done, of) => (done === 1 ? bar.start(of, done) : bar.update(done)))
  bar.stop()
  return names
}
