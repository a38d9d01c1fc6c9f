import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PATHS } from '../../src/core/paths.js'
import { query } from '../../support/databases.js'

/** The names of all migrations, in their order. Each of them ends a released schema. */
export async function migrationNames(): Promise<string[]> {
  const entries = await readdir(PATHS.migrations, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()
}

/** Makes an empty database one of a release: the tables of the first migrations, recorded as applied. */
export async function buildRelease(url: string, migrations: string[]): Promise<void> {
  await query(url, `CREATE TABLE "_prisma_migrations" (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`)
  for (const name of migrations) {
    const sql = await readFile(join(PATHS.migrations, name, 'migration.sql'), 'utf8')
    await query(url, sql)
    const values = [randomUUID(), createHash('sha256').update(sql).digest('hex'), name]
    await query(url, 'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)', values)
  }
}
