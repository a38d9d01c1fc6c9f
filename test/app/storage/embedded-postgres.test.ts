import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/storage/embedded-postgres.js'
import { SessionQueue } from '../../../src/storage/pglite-session.js'
import { openEmbeddedDatabase, type TestDatabase } from '../../support/databases.js'
import { query } from '../../../support/databases.js'

describe('the embedded Postgres', () => {
  let folder: string
  let postgres: EmbeddedPostgres | undefined

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
    await cp(inject('template'), folder, { recursive: true })
  })
  afterEach(async () => {
    await postgres?.close()
    postgres = undefined
    await rm(folder, { recursive: true, force: true })
  })

  async function open(): Promise<string> {
    postgres = await openEmbeddedPostgres(folder)
    return postgres.url
  }

  async function openClients(n: number): Promise<pg.Client[]> {
    const url = await open()
    const clients = Array.from({ length: n }, () => new pg.Client({ connectionString: url }))
    await Promise.all(clients.map((client) => client.connect()))
    await clients[0].query('CREATE TABLE counter (n INT); INSERT INTO counter VALUES (0)')
    return clients
  }

  const endAll = (clients: pg.Client[]) => Promise.all(clients.map((client) => client.end()))

  test('serves several connections with transactions that do not mix', async () => {
    const clients = await openClients(8)
    await Promise.all(clients.map(async (client, i) => {
      for (let round = 0; round < 4; round++) {
        await client.query('BEGIN')
        await client.query('UPDATE counter SET n = n + 1')
        await client.query(i % 2 ? 'COMMIT' : 'ROLLBACK')
      }
    }))
    expect((await clients[0].query('SELECT n FROM counter')).rows).toEqual([{ n: 16 }])
    await endAll(clients)
  })

  test('shows what a transaction did to others only when it is committed', async () => {
    const clients = await openClients(2)
    const [writer, reader] = clients
    await writer.query('BEGIN')
    await writer.query('UPDATE counter SET n = 1')
    const seen = reader.query('SELECT n FROM counter')
    await writer.query('UPDATE counter SET n = 2')
    await writer.query('COMMIT')
    expect([0, 2]).toContain((await seen).rows[0].n)
    expect((await reader.query('SELECT n FROM counter')).rows).toEqual([{ n: 2 }])
    await endAll(clients)
  })

  test('rolls back the transaction of a connection that breaks off, and serves the others', async () => {
    const clients = await openClients(2)
    const [broken, other] = clients
    broken.on('error', () => {})
    await broken.query('BEGIN')
    await broken.query('UPDATE counter SET n = 1')
    const ended = new Promise<void>((resolve) => broken.once('end', resolve))
    ;(broken as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    await ended
    expect((await other.query('SELECT n FROM counter')).rows).toEqual([{ n: 0 }])
    await other.end()
  })

  test('closes without errors while connections end in the middle of a transaction', async () => {
    for (let i = 0; i < 5; i++) {
      const folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
      await cp(inject('template'), folder, { recursive: true })
      const postgres = await openEmbeddedPostgres(folder)
      const one = new pg.Client({ connectionString: postgres.url })
      one.on('error', () => {})
      await one.connect()
      await one.query('BEGIN')
      ;(one as unknown as { connection: { stream: Socket } }).connection.stream.destroy()
      await pause(i) // the end is heard before, while and after it closes
      await postgres.close()
      expect(existsSync(join(folder, 'lock'))).toBe(false)
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('sends nothing to a connection that has ended when it rolls back its transaction', async () => {
    const db = await PGlite.create(join(folder, 'postgres'))
    const turns = new SessionQueue(db)
    const begin = Buffer.from('Q\0\0\0\x0aBEGIN\0')
    let said = 0
    await turns.enqueue(1, begin, ({ length }) => (said += length))
    const before = said
    await turns.clearTransactionIfNeeded(1)
    expect(said).toBe(before)
    expect((await db.query('SELECT pg_current_xact_id_if_assigned() AS id')).rows).toEqual([{ id: null }])
    await db.close()
  })

  test('goes on after a statement that fails', async () => {
    const clients = await openClients(2)
    await clients[0].query('BEGIN')
    await expect(clients[0].query('SELECT nonsense')).rejects.toThrow(/nonsense/)
    await clients[0].query('ROLLBACK')
    await expect(clients[1].query('SELECT 1/0')).rejects.toThrow(/division by zero/)
    expect((await clients[1].query('SELECT n FROM counter')).rows).toEqual([{ n: 0 }])
    await endAll(clients)
  })

  test('has its data after closing and opening again', async () => {
    await query(await open(), 'CREATE TABLE kept AS SELECT 42 AS n')
    await postgres!.close()
    postgres = undefined
    expect(existsSync(join(folder, 'lock'))).toBe(false)
    expect(await query(await open(), 'SELECT n FROM kept')).toEqual([{ n: 42 }])
  })

  test('makes a data folder that is not there yet', async () => {
    const outer = folder
    folder = join(outer, 'deeper', 'down')
    try {
      expect(await query(await open(), 'SELECT 1 AS n')).toEqual([{ n: 1 }])
    } finally {
      await postgres?.close()
      postgres = undefined
      folder = outer
    }
  })

  test('refuses a second process on its data folder and says why, and keeps working itself', async () => {
    const url = await open()
    const second = openElsewhere(folder)
    expect((await once(second, 'exit'))[0]).toBe(1)
    const words = await second.words
    expect(words).toContain(`The data folder ${folder} is in use by process ${process.pid}.`)
    expect(words).toMatch(/DATA_DIR.*DATABASE_URL/)
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(String(process.pid))
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
  })

  test('opens after a holder that was killed, with what that one had committed', async () => {
    const holder = openElsewhere(folder, 'CREATE TABLE kept AS SELECT 42 AS n')
    await once(holder.stdout!, 'data')
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(String(holder.pid))
    await expect(openEmbeddedPostgres(folder)).rejects.toThrow(`is in use by process ${holder.pid}.`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(await query(await open(), 'SELECT n FROM kept')).toEqual([{ n: 42 }])
  })

  test('ignores a lock that names no process', async () => {
    await writeFile(join(folder, 'lock'), '')
    expect(await query(await open(), 'SELECT 1 AS n')).toEqual([{ n: 1 }])
  })
})

/** Another process that opens the folder, does as told, says so, and stays until it is killed. */
function openElsewhere(folder: string, sql = 'SELECT 1'): ChildProcess & { words: Promise<string> } {
  const source = new URL('../../../src/storage/embedded-postgres.ts', import.meta.url).href
  const script = `
    import pg from 'pg'
    import { openEmbeddedPostgres } from ${JSON.stringify(source)}
    try {
      const { url } = await openEmbeddedPostgres(${JSON.stringify(folder)})
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query(${JSON.stringify(sql)})
      console.log('ready')
    } catch (error) {
      console.error(error.message)
      process.exit(1)
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  return Object.assign(child, { words: text(child.stderr) })
}

describe('the embedded Postgres with many connections', () => {
  let database: TestDatabase
  const pools: pg.Pool[] = []

  beforeEach(async () => {
    database = await openEmbeddedDatabase()
  })
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()))
    await database.close()
  })

  const pool = (max: number): pg.Pool => {
    const made = new pg.Pool({ connectionString: database.url, max })
    made.on('error', () => {})
    pools.push(made)
    return made
  }

  test('sends each its own answer when several have waited for the end of a transaction', async () => {
    const connections = pool(8)
    await Promise.all(Array.from({ length: 8 }, () => connections.query('SELECT pg_sleep(0.01)'))) // opens them all
    const one = await connections.connect()
    await one.query('BEGIN')
    const asked = Array.from({ length: 40 }, async (_, i) => {
      const [sql, value] = i % 2 ? ['SELECT $1::date::text AS it', `2026-11-${10 + (i % 20)}`] : ['SELECT $1::bigint::text AS it', String(i)]
      return [value, (await connections.query<{ it: string }>(sql, [value])).rows[0].it]
    })
    await pause(100)
    await one.query('COMMIT')
    one.release()
    for (const [value, answer] of await Promise.all(asked)) expect(answer).toBe(value)
  })

  test('keeps the transaction of one connection from the others', async () => {
    const connections = pool(3)
    const [one, other] = await Promise.all([connections.connect(), connections.connect()])
    await one.query('CREATE TABLE "Note" ("text" TEXT)')
    await one.query('BEGIN')
    await one.query('INSERT INTO "Note" VALUES ($1)', ['half'])
    const seen = other.query('SELECT * FROM "Note"')
    await one.query('ROLLBACK')
    expect((await seen).rows).toEqual([])
    one.release()
    other.release()
  })

  test('rolls back the transaction of a connection that dies, for a pool too', async () => {
    const connections = pool(2)
    const [one, other] = await Promise.all([connections.connect(), connections.connect()])
    one.on('error', () => {})
    await one.query('CREATE TABLE "Note" ("text" TEXT)')
    await one.query('BEGIN')
    await one.query('INSERT INTO "Note" VALUES ($1)', ['half'])
    const seen = other.query('SELECT * FROM "Note"')
    ;(one as unknown as { connection: { stream: Socket } }).connection.stream.destroy()
    expect((await seen).rows).toEqual([])
    one.release(true)
    other.release()
  })

  test('goes on after a statement that fails', async () => {
    const connections = pool(4)
    const asked = Array.from({ length: 40 }, (_, i) => connections.query('SELECT 6 / $1::int AS it', [i % 2]).then(({ rows }) => rows[0].it, (error) => error.message))
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 40 }, (_, i) => (i % 2 ? 6 : 'division by zero')))
  })
})
