import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PATHS } from '../core/paths.js'
import { PrismaClient } from '../generated/prisma/client.js'

const CONNECTIONS = 6 // with the queue's 2, two processes stay below the 20 of Heroku's smallest Postgres
const LOCK = 72707369 // Prisma's own advisory lock for migrations, so that its CLI and this wait for each other

// The table as Prisma Migrate makes it, so that its CLI can take over.
const HISTORY = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

/** A Prisma client on a Postgres. It connects when first used; `$disconnect` closes it. */
export function connect(url: string): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: 10_000 }) })
}

/**
 * Applies the migrations that are not applied yet, all or none; processes that start together wait for each other.
 * @returns the names of those applied now
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    const applied = await applyMissing(client)
    await client.query('COMMIT')
    return applied
  } finally {
    await client.end()
  }
}

async function applyMissing(client: pg.Client): Promise<string[]> {
  await client.query(HISTORY)
  const { rows } = await client.query('SELECT migration_name FROM "_prisma_migrations" WHERE rolled_back_at IS NULL')
  const done = new Set(rows.map((row) => row.migration_name as string))
  const missing = (await migrationNames()).filter((name) => !done.has(name))
  for (const name of missing) {
    const sql = await readFile(join(PATHS.migrations, name, 'migration.sql'), 'utf8')
    await client.query(sql)
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)`,
      [randomUUID(), createHash('sha256').update(sql).digest('hex'), name]
    )
  }
  return missing
}

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(PATHS.migrations, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
}
