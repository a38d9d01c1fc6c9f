import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../../src/core/log.js'
import { connect, connectionOf } from '../../../src/storage/database.js'
import { migrate } from '../../../src/storage/migrations.js'
import { openQueue } from '../../../src/storage/queue.js'
import { DatabaseAway } from '../../../src/storage/storage-errors.js'
import { query } from '../../../support/databases.js'
import { databases, openRealDatabase, type TestDatabase } from '../../support/databases.js'
import { openDoor, type Door } from '../../support/door.js'

const real = process.env.TEST_DATABASE_URL
const SHORT = '?connect_timeout=1&statement_timeout=700&query_timeout=800&idle_in_transaction_session_timeout=1500'

const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => expect.fail('resolved'), (error: unknown) => error)

describe.runIf(real)('a network that falls silent', () => {
  let database: TestDatabase
  let door: Door

  beforeEach(async () => {
    database = await openRealDatabase(real!)
    door = await openDoor(database.url)
  })
  afterEach(async () => {
    await door.shut()
    await database.close()
  })

  test('fails the queries of the stores with DatabaseAway, all of their connections, and they work again once it heals', async () => {
    const prisma = connect(door.url + SHORT)
    await Promise.all(Array.from({ length: 6 }, () => prisma.$queryRaw`SELECT pg_sleep(0.1)::text`)) // six connections
    door.silence()
    const errors = await Promise.all(Array.from({ length: 6 }, () => failure(prisma.user.count())))
    for (const error of errors) expect(error).toBeInstanceOf(DatabaseAway)
    expect(await failure(prisma.user.count())).toBeInstanceOf(DatabaseAway) // a new connection, silent too
    door.heal()
    expect(await prisma.user.count()).toBe(0)
    await prisma.$disconnect()
  })

  test('fails a transaction, whose connection is not used again and whose locks the server lets go', async () => {
    const prisma = connect(door.url + SHORT)
    const lost = prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(1)`
      door.silence()
      await tx.user.count()
    }, { timeout: 10_000 })
    expect(await failure(lost)).toBeInstanceOf(DatabaseAway)
    door.heal()
    for (let i = 0; i < 8; i++) expect(await prisma.user.count()).toBe(0)
    await expect.poll(() => prisma.$queryRaw`SELECT pg_try_advisory_lock(1) AS "free"`, { timeout: 10_000 }).toEqual([{ free: true }])
    await prisma.$disconnect()
  })

  test('fails the queue with DatabaseAway, which works again once it heals', async () => {
    const queue = openQueue(door.url + SHORT, createLog('silent'))
    const send = () => queue.send('ann').then(() => 'sent', (error: unknown) => error)
    await expect.poll(send).toBe('sent') // its tables may take longer than these limits to make
    door.silence()
    expect(await send()).toBeInstanceOf(DatabaseAway)
    door.heal()
    await expect.poll(send, { timeout: 10_000 }).toBe('sent') // each of the two connections is found out once
    await queue.close()
  })

  test('ends a migration, which goes well once it heals', async () => {
    door.silence()
    await expect(migrate(door.url + SHORT)).rejects.toThrow(/timeout/)
    door.heal()
    expect(await migrate(door.url + SHORT)).toEqual([])
  })

  test('is told from a statement that takes long, which the server ends', async () => {
    const prisma = connect(database.url + SHORT)
    expect(await failure(prisma.$queryRaw`SELECT pg_sleep(5)::text`)).toBeInstanceOf(DatabaseAway)
    await pause(100)
    expect(await query(database.url, `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(5)%' AND state = 'active'`)).toEqual([])
    await prisma.$disconnect()
  })
})

test('every wait for the database has a limit, which its address can change or lift', () => {
  const standard = connectionOf('postgres://a:b%20c@host/db?sslmode=disable')
  for (const name of ['connectionTimeoutMillis', 'statement_timeout', 'query_timeout', 'idle_in_transaction_session_timeout'] as const) {
    expect(standard[name], name).toBeGreaterThan(0)
  }
  expect(standard).toMatchObject({ connectionString: 'postgres://a:b%20c@host/db?sslmode=disable', keepAlive: true })
  expect(Number(standard.query_timeout)).toBeGreaterThan(Number(standard.statement_timeout)) // the server's word comes first
  expect(connectionOf('postgres://a:b%20c@host/db?sslmode=disable&statement_timeout=0&connect_timeout=2')).toMatchObject({
    connectionString: 'postgres://a:b%20c@host/db?sslmode=disable', statement_timeout: 0, connectionTimeoutMillis: 2000
  })
})

test('transactions on the embedded Postgres wait for each other for as long as they take', async () => {
  const database = await databases[0].open()
  expect(connectionOf(database.url)).toMatchObject({ statement_timeout: 0, query_timeout: 600_000 })
  await database.close()
})
