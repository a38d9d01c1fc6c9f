import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import { migrate } from '../../src/storage/database.js'
import { openEmbeddedPostgres } from '../../src/storage/embedded-postgres.js'

export interface TestDatabase {
  url: string
  close(): Promise<void>
}

const real = process.env.TEST_DATABASE_URL

/** The databases that tests run on: the embedded Postgres, and a real one where TEST_DATABASE_URL names it. */
export const databases: { name: string; open: () => Promise<TestDatabase> }[] = [
  { name: 'embedded Postgres', open: openEmbeddedDatabase },
  ...(real ? [{ name: 'real Postgres', open: () => openRealDatabase(real) }] : [])
]

/** An empty embedded database with the migrations applied. */
export async function openEmbeddedDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
  await cp(inject('template'), folder, { recursive: true })
  const postgres = await openEmbeddedPostgres(folder)
  return {
    url: postgres.url,
    async close() {
      await postgres.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** A new database on the Postgres that the address names, with the migrations applied; dropped when closed. */
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
