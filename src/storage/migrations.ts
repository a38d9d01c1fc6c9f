// Applies prisma/migrations at start-up, in the way of Prisma Migrate, whose engine is not needed for it. Not compared: the
// checksums of applied migrations. They are stored for Prisma's CLI, and line ends alone (git on Windows) make them differ.

import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { PATHS } from '../core/paths.js'
import { connectionOf, PATIENT, SureClient } from './database.js'

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
 * @throws Error where an earlier migration has failed half-way, where a newer version of the app has made the database
 * its own, and where the database's user lacks rights: only a person can repair these
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new SureClient(connectionOf(url, PATIENT))
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    const applied = await applyMissing(client)
    await checkQueueSchema(client)
    await client.query('COMMIT')
    return applied
  } catch (error) {
    throw worded(error)
  } finally {
    await client.end()
  }
}

async function applyMissing(client: pg.Client): Promise<string[]> {
  await client.query(HISTORY_TABLE)
  const applied = await readApplied(client)
  const known = await listMigrations()
  const unknown = [...applied].filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(newerThanThis(unknown))
  const missing = known.filter((name) => !applied.has(name))
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

/** pg-boss makes its schema when the queue is first used; a user without the right to it would fail only then. */
async function checkQueueSchema(client: pg.Client): Promise<void> {
  const { rows: [{ allowed }] } = await client.query<{ allowed: boolean }>(
    `SELECT to_regnamespace('pgboss') IS NOT NULL OR has_database_privilege(current_database(), 'CREATE') AS "allowed"`
  )
  if (!allowed) throw Object.assign(new Error('permission denied to create the schema pgboss'), { code: INSUFFICIENT_PRIVILEGE })
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** Says what to grant where the user may not create tables; any other error as it is. */
function worded(error: unknown): unknown {
  if ((error as { code?: unknown }).code !== INSUFFICIENT_PRIVILEGE) return error
  return new Error(
    `The database's user may not create or change the app's tables: ${(error as Error).message}. The user needs to own them, ` +
    'and in a new database: GRANT CREATE ON DATABASE name TO user; GRANT CREATE ON SCHEMA public TO user;', { cause: error })
}

const newerThanThis = (names: string[]): string =>
  `A newer version of the app has changed the database: this version does not know ${names.join(', ')}. Start the newer version, ` +
  'or go back with a backup of before: see "Upgrades" in docs/operating.md.'

const failureOf = (name: string): string =>
  `The database migration ${name} was started and did not finish: its row in the table _prisma_migrations has no finished_at. ` +
  `Compare the tables with prisma/migrations/${name}/migration.sql. Then either undo what it has changed and run ` +
  `"npx prisma migrate resolve --rolled-back ${name}", or delete that row: it is applied again at the next start. Or complete ` +
  `what it has not done yet and run "npx prisma migrate resolve --applied ${name}", or set finished_at in that row.`
