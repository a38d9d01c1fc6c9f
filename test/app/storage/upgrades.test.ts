import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PATHS } from '../../../src/core/paths.js'
import { connect } from '../../../src/storage/database.js'
import { migrate } from '../../../src/storage/migrations.js'
import { createTweetStore, type Corpus } from '../../../src/storage/tweets.js'
import { createUserStore } from '../../../src/storage/users.js'
import { query } from '../../../support/databases.js'
import { openRealDatabase, type TestDatabase } from '../../support/databases.js'
import { buildRelease, migrationNames } from '../../support/releases.js'

const real = process.env.TEST_DATABASE_URL
const NAMES = await migrationNames()
const LIMITS = { tweets: 100, characters: 10_000, charactersEach: 100 }

/** What `node dist/release.js` says it has applied, or why it could not. */
async function release(url: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(PATHS.root, 'dist', 'release.js')], { env: { PATH: process.env.PATH, DATABASE_URL: url } })
  return (JSON.parse(stdout) as { migrations: string[] }).migrations
}

describe.runIf(real)('an upgrade', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await openRealDatabase(real!, false)
  })
  afterEach(() => database.close())

  test.each(NAMES.map((name, i) => [name, i + 1]))('from the release of %s by two processes at once keeps what is stored', async (_, applied) => {
    await buildRelease(database.url, NAMES.slice(0, Number(applied)))
    await query(database.url, `
      INSERT INTO "User" ("id", "username", "usernameKey", "name", "source", "newestTweetId", "collectedAt")
        VALUES ('1', 'Ann', 'ann', 'Ann A.', 'x', '20', '2026-01-01'), ('archive:bob', 'Bob', 'bob', 'Bob', 'archive', NULL, '2026-01-02');
      INSERT INTO "Tweet" ("id", "userId", "text", "createdAt", "position", "embedding", "encoder")
        SELECT i::text, person, 'says ' || i, NULL, i, '\\x0000803f', 'encoder@1' FROM generate_series(1, 30) AS i, (VALUES ('1'), ('archive:bob')) AS p (person)`)
    if (Number(applied) > 1) await query(database.url, `INSERT INTO "Collection" ("usernameKey", "username", "state", "dueAt", "updatedAt") VALUES ('ann', 'Ann', 'failed', now(), now())`)
    const done = await Promise.all([release(database.url), release(database.url)])
    expect(done.flat()).toEqual(NAMES.slice(Number(applied)))
    const prisma = connect(database.url)
    const users = await createUserStore(prisma).findUsers(['ann', 'bob'])
    expect(users).toMatchObject([{ username: 'Ann', name: 'Ann A.', newestTweetId: '20', tweets: 30 }, { username: 'Bob', source: 'archive', tweets: 30 }])
    const corpus = (await createTweetStore(prisma).loadCorpus('1', 'encoder@1', LIMITS)) as Corpus
    expect([corpus.texts.length, corpus.texts[0], corpus.version]).toEqual([30, 'says 30', users[0]!.version])
    expect(users[0]!.version).not.toBe(users[1]!.version)
    expect(await prisma.collectJob.count()).toBe(Number(applied) > 1 ? 1 : 0)
    await prisma.$disconnect()
  })

  test('is refused by a version that is older than the database, which says what to do and changes nothing', async () => {
    await migrate(database.url)
    await query(database.url, `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at) VALUES ('x', '', '29990101000000_later', now())`)
    await expect(release(database.url)).rejects.toMatchObject({
      code: 1, stderr: expect.stringMatching(/^HypoTweet can't start\. A newer version of the app has changed the database: .* 29990101000000_later\. .*docs\/operating\.md\.\n$/)
    })
  })

  test('as a user without the right to create tables or a schema says what to grant, with no stack trace', async () => {
    const role = `hypotweet_${Math.random().toString(36).slice(2)}`
    const { pathname } = new URL(database.url)
    const url = new URL(database.url)
    url.username = role
    url.password = 'secret'
    await query(database.url, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`)
    const refused = { code: 1, stderr: expect.stringMatching(/^HypoTweet can't start\. The database's user may not .*GRANT CREATE ON DATABASE .*GRANT CREATE ON SCHEMA public.*\n$/) }
    try {
      await expect(release(url.href)).rejects.toMatchObject(refused)
      await query(database.url, `GRANT CREATE ON SCHEMA public TO ${role}`)
      await expect(release(url.href)).rejects.toMatchObject(refused) // the schema of the queue
      expect(await query(database.url, `SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'`)).toEqual([])
      await query(database.url, `GRANT CREATE ON DATABASE ${pathname.slice(1)} TO ${role}`)
      expect(await release(url.href)).toEqual(NAMES)
    } finally {
      await query(database.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })
})
