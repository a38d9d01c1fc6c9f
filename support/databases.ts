// A database of one's own on a real Postgres, for tests and benchmarks.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../src/storage/migrations.js'

export interface TestDatabase {
  url: string
  /** Refuses where there is no room for more; only an embedded database has it. */
  checkRoom?: () => Promise<void>
  close(): Promise<void>
}

/** A new database on the Postgres at this address, with the migrations applied; `close` drops it. */
export async function openRealDatabase(address: string, migrated = true): Promise<TestDatabase> {
  const name = `hypotweet_test_${randomBytes(6).toString('hex')}`
  await query(address, `CREATE DATABASE ${name}`)
  const url = new URL(address)
  url.pathname = `/${name}`
  if (migrated) await migrate(url.href)
  return { url: url.href, close: async () => void (await query(address, `DROP DATABASE ${name} WITH (FORCE)`)) }
}

/** Runs SQL on a connection of its own; the rows of a single statement. */
export async function query(url: string, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows
  } finally {
    await client.end()
  }
}
