// npm run bench [-- --json] [--only WORD] [--load MINUTES] [--profile]
//
// Measures what docs/performance.md says of speed and memory, beside what it is compared with, and prints a table, or
// with --json JSON: [{name, value, unit, rival, ratio, target, ok}]. --only measures only the rows whose name has the word.
// --load puts the server under load for some minutes instead, and says whether its memory stays flat. --profile
// prints where the time of a prediction goes instead. It needs neither X nor any network. BENCH_DATABASE_URL names a Postgres, on which a database is created and dropped again, and
// BENCH_PYTHON a Python that has scikit-learn.

import { parseArgs } from 'node:util'
import { z } from 'zod'
import { embeddingSteps } from './embedding.js'
import { fitSteps } from './fits.js'
import { httpSteps } from './http.js'
import { loadStep } from './load.js'
import { printProfile } from './profile.js'
import { tableOf } from './report.js'
import { runSteps } from './steps.js'

const Options = z.object({
  json: z.boolean().default(false),
  only: z.string().default(''),
  load: z.coerce.number().positive().optional(),
  profile: z.boolean().default(false)
})

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string' }, load: { type: 'string' }, profile: { type: 'boolean' } }
})
const { json, only, load, profile } = Options.parse(values)

if (profile) await printProfile()
else {
  const steps = load ? [loadStep(load)] : [...fitSteps, ...embeddingSteps, ...httpSteps]
  const rows = await runSteps(steps, only)
  console.log(json ? JSON.stringify(rows, undefined, 2) : tableOf(rows))
  if (rows.some(({ ok }) => ok === false)) process.exitCode = 1
}
