// A database of one's own on a real Postgres, for tests and benchmarks.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../src/storage/database.js'

export interface TestDatabase {
  url: string
  close(): Promise<void>
}

/** A new database on the Postgres at this address, with the migrations applied; `close` drops it. */
export async function openRealDatabase(address: string, migrated = true): Promise<TestDatabase> {
  const name = `hypotweet_test_${randomBytes(6).toString('hex')}`
  await administer(address, `CREATE DATABASE ${name}`)
  const url = new URL(address)
  url.pathname = `/${name}`
  if (migrated) await migrate(url.href)
  return { url: url.href, close: () => administer(address, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function administer(address: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
