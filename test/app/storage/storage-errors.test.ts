import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from '../../../src/core/config.js'
import { ExpectedError } from '../../../src/core/errors.js'
import { createLog } from '../../../src/core/log.js'
import { createCollectJobs } from '../../../src/storage/collect-jobs.js'
import { connect } from '../../../src/storage/database.js'
import { openQueue } from '../../../src/storage/queue.js'
import { createRateLimits } from '../../../src/storage/rate-limits.js'
import { DatabaseAway, StorageFull, toStorageError } from '../../../src/storage/storage-errors.js'
import { createTweetStore } from '../../../src/storage/tweets.js'
import { createUserStore } from '../../../src/storage/users.js'
import { createXBudget } from '../../../src/storage/x-budget.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { query } from '../../../support/databases.js'
import { openDoor, type Door } from '../../support/door.js'
import { profile, tweetsOf } from '../../support/stored-users.js'

const AWAY = { name: 'DatabaseAway', reason: 'unavailable', message: expect.stringMatching(/^The database does not answer at the moment\. .* in a minute\.$/), retry: {} }
const FULL = { name: 'StorageFull', reason: 'unavailable', message: expect.stringMatching(/^There is no room left to store anything here/), retry: {} }

/** What a promise rejects with. */
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => expect.fail('resolved'), (error: unknown) => error)

/** Everything that asks the database, each by a query of its own kind. */
function openStores(url: string) {
  const prisma = connect(url)
  const queue = openQueue(url, createLog('silent'))
  const queries: Record<string, () => Promise<unknown>> = {
    'a raw query': () => createUserStore(prisma).findUsers(['Ann']),
    'a query by model': () => createUserStore(prisma).listUsers(),
    'a transaction': () => createTweetStore(prisma).saveTweets(profile('Ann'), null, tweetsOf('Ann', 2), 'encoder@1'),
    'a collect job': () => createCollectJobs(prisma).request('Ann', 200),
    'the budget': () => createXBudget(prisma, 10).reservePosts(100),
    'a rate limit': () => createRateLimits(prisma, readConfig({})).predictions.count('an address'),
    'the queue': () => queue.send('ann')
  }
  return { prisma, queries, close: async () => void (await Promise.all([queue.close(), prisma.$disconnect()])) }
}

const KINDS = Object.keys(openStores('postgres://nobody@127.0.0.1:1/none').queries) // which connects to nothing

describe.each(databases)('a query while the $name is away', ({ open }) => {
  let database: TestDatabase
  let door: Door
  let stores: ReturnType<typeof openStores>

  beforeAll(async () => {
    database = await open()
  })
  beforeEach(async () => {
    door = await openDoor(database.url)
    stores = openStores(door.url)
  })
  afterEach(async () => {
    await stores.close()
    await door.shut()
  })
  afterAll(() => database.close())

  test.each(KINDS)('rejects with DatabaseAway, and goes well once it is back (%s)', async (kind) => {
    await stores.queries[kind]()
    await door.shut()
    const error = await failure(stores.queries[kind]())
    expect(error).toBeInstanceOf(DatabaseAway)
    expect(error).toMatchObject({ ...AWAY, cause: expect.any(Error) })
    await door.open()
    await stores.queries[kind]()
  })

  test.each(KINDS)('rejects with DatabaseAway where it was never there before, and goes well once it is (%s)', async (kind) => {
    await door.shut()
    expect(await failure(stores.queries[kind]())).toBeInstanceOf(DatabaseAway)
    await door.open()
    await stores.queries[kind]()
  })

  test('rejects with DatabaseAway when its connection ends under it', async () => {
    const { prisma } = stores
    const asleep = failure(prisma.$queryRaw`SELECT pg_sleep(0.5)::text`)
    await pause(250)
    door.cut()
    expect(await asleep).toBeInstanceOf(DatabaseAway)
    const withinTransaction = prisma.$transaction(async (tx) => {
      await tx.user.count()
      door.cut()
      await pause(100) // the connection's end is known before the next query
      await tx.user.count()
    })
    expect(await failure(withinTransaction)).toBeInstanceOf(DatabaseAway)
    const beforeCommit = prisma.$transaction(async (tx) => {
      await tx.user.count()
      door.cut()
      await pause(100)
    })
    expect(await failure(beforeCommit)).toBeInstanceOf(DatabaseAway)
  })

  test('within a transaction rejects with it there, for the caller to see', async () => {
    let seen: unknown
    await failure(stores.prisma.$transaction(async (tx) => {
      await tx.user.count()
      door.cut()
      seen = await failure(tx.user.count())
    }))
    expect(seen).toBeInstanceOf(DatabaseAway)
  })
})

describe.each(databases)('an error of the $name', ({ open }) => {
  let database: TestDatabase
  let stores: ReturnType<typeof openStores>

  beforeAll(async () => {
    database = await open()
    stores = openStores(database.url)
    await query(database.url, `
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''failed'' USING ERRCODE = NEW."name"; END';
      CREATE TRIGGER fail BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION fail()`)
  })
  afterAll(async () => {
    await stores.close()
    await database.close()
  })

  /** What a query by model, a raw query and a transaction reject with where Postgres raises an error of this code. */
  async function raise(code: string): Promise<unknown[]> {
    const { prisma } = stores
    const user = profile('Ann', { name: code })
    return [
      await failure(prisma.user.create({ data: { ...user, usernameKey: 'ann', collectedAt: new Date() } })),
      await failure(prisma.$executeRawUnsafe(`DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '${code}'; END $$`)),
      await failure(createTweetStore(prisma).saveTweets(user, null, [], 'encoder@1'))
    ]
  }

  test('that says the disk is full is a StorageFull', async () => {
    for (const error of await raise('53100')) {
      expect(error).toBeInstanceOf(StorageFull)
      expect(error).toMatchObject({ ...FULL, cause: expect.any(Error) })
    }
  })

  test.each(['57P01', '57P02', '57P03', '53300', '08006'])('that says the server is stopped, starting or overrun (%s) is a DatabaseAway', async (code) => {
    for (const error of await raise(code)) expect(error).toBeInstanceOf(DatabaseAway)
  })

  test.each(['22012', '42601', '40P01'])('of another kind stays as it is (%s)', async (code) => {
    for (const error of await raise(code)) expect(error).not.toBeInstanceOf(ExpectedError)
  })

  test('that a transaction throws itself stays as it is', async () => {
    const own = new RangeError('Not this one.')
    expect(await failure(stores.prisma.$transaction(() => Promise.reject(own)))).toBe(own)
    const worded = new ExpectedError('unusable', 'Nor this one.')
    expect(await failure(stores.prisma.$transaction(() => Promise.reject(worded)))).toBe(worded)
  })

  test('that no transaction could be started in time is a DatabaseAway', async () => {
    const { prisma } = stores
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    const all = Array.from({ length: 6 }, () => prisma.$transaction(async (tx) => (await tx.$queryRaw`SELECT 1`, await ended), { maxWait: 60_000, timeout: 60_000 }))
    await pause(200)
    expect(await failure(prisma.$transaction((tx) => tx.user.count(), { maxWait: 100 }))).toBeInstanceOf(DatabaseAway)
    end()
    await Promise.all(all)
  })
})

describe('a pool of pg', () => {
  test('that gets no answer in time has a DatabaseAway', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const pool = new pg.Pool({ connectionString: `postgres://postgres@127.0.0.1:${(silent.address() as AddressInfo).port}/x`, connectionTimeoutMillis: 100 })
    expect(toStorageError(await failure(pool.query('SELECT 1')))).toBeInstanceOf(DatabaseAway)
    await pool.end()
    silent.close()
  })

  test('whose connections are all in use has a DatabaseAway', async () => {
    const database = await databases.at(-1)!.open()
    const pool = new pg.Pool({ connectionString: database.url, max: 1, connectionTimeoutMillis: 200 })
    const client = await pool.connect()
    expect(toStorageError(await failure(pool.query('SELECT 1')))).toBeInstanceOf(DatabaseAway)
    client.release()
    await pool.end()
    await database.close()
  })

  test('that cannot find the host has a DatabaseAway', async () => {
    const pool = new pg.Pool({ connectionString: 'postgres://postgres@no-such-host.invalid/x' })
    expect(toStorageError(await failure(pool.query('SELECT 1')))).toBeInstanceOf(DatabaseAway)
    await pool.end()
  })
})
