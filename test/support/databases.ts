import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, inject } from 'vitest'
import { connect } from '../../src/storage/database.js'
import { openEmbeddedPostgres } from '../../src/storage/embedded-postgres.js'
import { openRealDatabase, type TestDatabase } from '../../support/databases.js'

export { openRealDatabase, type TestDatabase }

const real = process.env.TEST_DATABASE_URL

/** The databases that tests run on: the embedded Postgres, and a real one where TEST_DATABASE_URL names it. */
export const databases: { name: string; open: () => Promise<TestDatabase> }[] = [
  { name: 'embedded Postgres', open: openEmbeddedDatabase },
  ...(real ? [{ name: 'real Postgres', open: () => openRealDatabase(real) }] : [])
]

/** Opens a database for the tests of a block; none of them begins with users in it. `begin` gets its client before the first. */
export function useDatabase(open: () => Promise<TestDatabase>, begin: (prisma: ReturnType<typeof connect>) => void): void {
  let database: TestDatabase
  let prisma: ReturnType<typeof connect>
  beforeAll(async () => {
    database = await open()
    prisma = connect(database.url)
    begin(prisma)
  })
  beforeEach(() => prisma.user.deleteMany())
  afterAll(async () => {
    await prisma.$disconnect()
    await database.close()
  })
}

/** An empty embedded database with the migrations applied. */
export async function openEmbeddedDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
  await cp(inject('template'), folder, { recursive: true })
  const postgres = await openEmbeddedPostgres(folder)
  return {
    url: postgres.url,
    checkRoom: postgres.checkRoom,
    async close() {
      await postgres.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
