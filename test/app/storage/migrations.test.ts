import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { migrate } from '../../../src/storage/migrations.js'
import { databases, openEmbeddedDatabase, openRealDatabase, type TestDatabase } from '../../support/databases.js'
import { query } from '../../../support/databases.js'
import { startProcess } from '../../support/processes.js'
import { buildRelease, migrationNames } from '../../support/releases.js'

const real = process.env.TEST_DATABASE_URL
const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url)
const HISTORY = 'SELECT * FROM "_prisma_migrations" ORDER BY migration_name'
const TABLES = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`

const emptyDatabases = [
  { name: 'embedded Postgres', open: openEmptyEmbedded },
  ...(real ? [{ name: 'real Postgres', open: () => openRealDatabase(real, false) }] : [])
]

async function openEmptyEmbedded(): Promise<TestDatabase> {
  const database = await openEmbeddedDatabase()
  await query(database.url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  return database
}

describe.each(emptyDatabases)('migrations on the $name', ({ open }) => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await open()
  })
  afterEach(() => database.close())

  test('make an empty database one that the app can use, and are not applied again', async () => {
    expect(await migrate(database.url)).toEqual(await migrationNames())
    expect(await migrate(database.url)).toEqual([])
    const prisma = connect(database.url)
    expect(await prisma.user.count()).toBe(0)
    await prisma.$disconnect()
  })

  test('are applied once by five processes that start together', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url)))
    expect(applied.flat()).toEqual(await migrationNames())
    expect(await query(database.url, HISTORY)).toHaveLength((await migrationNames()).length)
  })

  test('are recorded as Prisma records them', async () => {
    await migrate(database.url)
    for (const row of await query(database.url, HISTORY)) {
      const sql = await readFile(new URL(`${row.migration_name}/migration.sql`, MIGRATIONS))
      expect(row).toMatchObject({
        checksum: createHash('sha256').update(sql).digest('hex'),
        finished_at: expect.any(Date),
        rolled_back_at: null,
        applied_steps_count: 1
      })
    }
  })

  test('leave nothing behind when one fails half-way, and can be applied once the cause is gone', async () => {
    await query(database.url, 'CREATE TABLE "Tweet" ("inTheWay" INT)')
    await expect(migrate(database.url)).rejects.toThrow(/"Tweet" already exists/)
    expect(await query(database.url, TABLES)).toEqual([{ table_name: 'Tweet' }])
    expect(await query(database.url, `SELECT 1 FROM pg_type WHERE typname = 'Source'`)).toEqual([])
    await query(database.url, 'DROP TABLE "Tweet"')
    expect(await migrate(database.url)).toEqual(await migrationNames())
  })

  describe('of which an earlier one has failed', () => {
    let failed: string
    let later: string[]
    const WORDS = /^The database migration (\S+) was started and did not finish.*migrate resolve --rolled-back \1".*migrate resolve --applied \1"/

    /** The second of all migrations has failed half-way, as Prisma's CLI leaves it: not in a transaction. */
    beforeEach(async () => {
      const names = await migrationNames()
      ;[, failed, ...later] = names
      await buildRelease(database.url, names.slice(0, 2))
      await query(database.url, 'DROP TABLE "Spend"')
      await query(database.url, 'UPDATE "_prisma_migrations" SET finished_at = NULL WHERE migration_name = $1', [failed])
    })

    const refusal = async (): Promise<string> => migrate(database.url).then(() => expect.fail('migrated'), (error: Error) => error.message)

    test('are refused: the failed one is named, and how to repair it, and none is applied', async () => {
      const before = [await query(database.url, HISTORY), await query(database.url, TABLES)]
      expect(WORDS.exec(await refusal())?.[1]).toBe(failed)
      expect([await query(database.url, HISTORY), await query(database.url, TABLES)]).toEqual(before)
    })

    test('are applied, that one again, once it is undone and marked as rolled back', async () => {
      await query(database.url, 'DROP TABLE "Collection"; DROP TYPE "CollectionState"; ALTER TABLE "User" DROP COLUMN "postsOnX"')
      await query(database.url, 'UPDATE "_prisma_migrations" SET rolled_back_at = now() WHERE finished_at IS NULL')
      expect(await migrate(database.url)).toEqual([failed, ...later])
    })

    test('are applied, that one not again, once it is completed and marked as applied', async () => {
      await query(database.url, 'CREATE TABLE "Spend" ("day" DATE PRIMARY KEY, "posts" INTEGER, "users" INTEGER)')
      await query(database.url, 'UPDATE "_prisma_migrations" SET finished_at = now() WHERE finished_at IS NULL')
      expect(await migrate(database.url)).toEqual(later)
      expect(await migrate(database.url)).toEqual([])
    })
  })
})

test('migrations on a database that is not there are refused', async () => {
  await expect(migrate('postgres://postgres@127.0.0.1:1/postgres')).rejects.toThrow(/ECONNREFUSED/)
})

test('a failed migration keeps the server from starting, which says why', async () => {
  const database = await databases.at(-1)!.open()
  await query(database.url, 'UPDATE "_prisma_migrations" SET finished_at = NULL')
  const started = startProcess('server', { DATABASE_URL: database.url }, /HypoTweet is on/)
  await expect(started).rejects.toThrow(`server ended with 1: HypoTweet can't start. The database migration ${(await migrationNames())[0]}`)
  await database.close()
})
