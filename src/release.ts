// What a deployment runs before the new processes start: the migrations.

import { readConfig } from './core/config.js'
import { createLog } from './core/log.js'
import { startOrExit } from './core/process.js'
import { migrate } from './storage/migrations.js'

await startOrExit(async () => {
  const { DATABASE_URL, LOG_LEVEL } = readConfig(process.env)
  if (!DATABASE_URL) throw new Error('A release needs DATABASE_URL.')
  createLog(LOG_LEVEL).info({ migrations: await migrate(DATABASE_URL) }, 'released')
})
