// npm run seed              stores the sample users
// npm run seed -- --remove  removes them

import { readEnv } from '../src/env.js'
import { openParts } from '../src/parts.js'
import { addSamples } from '../src/samples.js'

const parts = await openParts(readEnv(process.env))
try {
  if (process.argv.includes('--remove')) console.log(`Removed ${await parts.store.removeSamples()} sample users.`)
  else console.log(`The sample users are there: ${(await addSamples(parts)).join(', ')}.`)
} finally {
  await parts.close()
}
