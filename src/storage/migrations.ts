// Applies prisma/migrations at start-up, in the way of Prisma Migrate, whose engine is not needed for it. Not compared: the
// checksums of applied migrations. They are stored for Prisma's CLI, and line ends alone (git on Windows) make them differ.

import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { PATHS } from '../core/paths.js'

const LOCK = 72707369 // Prisma's own advisory lock for migrations: its CLI and this function wait for each other

// The table as Prisma Migrate creates it, so that its CLI can be used on the same database.
const HISTORY_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

/**
 * Applies the migrations that are not applied yet, all or none of them. Processes that start at the same time wait for
 * each other.
 * @returns the names of the migrations applied now
 * @throws Error where an earlier migration has failed half-way, which only a person can repair
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
  await client.query(HISTORY_TABLE)
  const applied = await readApplied(client)
  const missing = (await listMigrations()).filter((name) => !applied.has(name))
  for (const name of missing) await applyMigration(client, name)
  return missing
}

/** The names of the applied migrations. A row that was rolled back does not count; one that never finished is a failure. */
async function readApplied(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string; finished: boolean }>(
    `SELECT migration_name AS "name", finished_at IS NOT NULL AS "finished"
    FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at`
  )
  const failed = rows.find(({ finished }) => !finished)
  if (failed) throw new Error(failureOf(failed.name))
  return new Set(rows.map(({ name }) => name))
}

async function applyMigration(client: pg.Client, name: string): Promise<void> {
  const sql = await readFile(join(PATHS.migrations, name, 'migration.sql'), 'utf8')
  await client.query(sql)
  await client.query(
    `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)`,
    [randomUUID(), createHash('sha256').update(sql).digest('hex'), name]
  )
}

async function listMigrations(): Promise<string[]> {
  const entries = await readdir(PATHS.migrations, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
}

const failureOf = (name: string): string =>
  `The database migration ${name} was started and did not finish: its row in the table _prisma_migrations has no finished_at. ` +
  `Compare the tables with prisma/migrations/${name}/migration.sql. Then either undo what it has changed and run ` +
  `"npx prisma migrate resolve --rolled-back ${name}", or delete that row: it is applied again at the next start. Or complete ` +
  `what it has not done yet and run "npx prisma migrate resolve --applied ${name}", or set finished_at in that row.`
