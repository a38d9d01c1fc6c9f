// What a deployment runs before the new processes start: the migrations.

import { migrate } from './database.js'
import { readEnv } from './env.js'
import { createLog } from './log.js'

const { DATABASE_URL, LOG_LEVEL } = readEnv(process.env)
if (!DATABASE_URL) throw new Error('A release needs DATABASE_URL.')
createLog(LOG_LEVEL).info({ migrations: await migrate(DATABASE_URL) }, 'released')
