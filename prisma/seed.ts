// npm run seed              stores the sample users
// npm run seed -- --remove  removes them

import { SingleBar } from 'cli-progress'
import { readEnv } from '../src/env.js'
import { openParts } from '../src/parts.js'
import { addSamples } from '../src/samples.js'

const parts = await openParts(readEnv(process.env))
try {
  if (process.argv.includes('--remove')) console.log(`Removed ${await parts.store.removeSamples()} sample users.`)
  else console.log(`The sample users are there: ${(await seed()).join(', ')}.`)
} finally {
  await parts.close()
}

async function seed(): Promise<string[]> {
  const bar = new SingleBar({ format: 'Embedding {bar} {value} of {total} users' })
  const names = await addSamples(parts, (done, of) => (done === 1 ? bar.start(of, done) : bar.update(done)))
  bar.stop()
  return names
}
