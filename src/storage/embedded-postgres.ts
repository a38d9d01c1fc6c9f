import { mkdir, open, readFile, rm, statfs } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketHandler, type PGLiteSocketHandlerOptions } from '@electric-sql/pglite-socket'
import { isAlive } from '../core/process.js'
import { SessionQueue } from './pglite-session.js'
import { StorageFull } from './storage-errors.js'

// Bytes: four imports at the same time, and the next 16 MB of the write-ahead log, without which Postgres stops for good.
const MIN_FREE = 64 * 2 ** 20

// Loopback does not fall silent, and connections wait for each other's transactions: there is one session for all. (Not 0, which pg itself
// would take for a limit of 0 ms.)
const NO_LIMITS = 'connect_timeout=10&statement_timeout=0&query_timeout=600000&idle_in_transaction_session_timeout=0'

export interface EmbeddedPostgres {
  url: string
  /** @throws StorageFull where the disk is so full that storing tweets could stop the database */
  checkRoom(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts a Postgres inside this process with its data in `folder`/postgres, and serves it on a loopback port like any other.
 * @throws Error where another process has the folder open
 */
export async function openEmbeddedPostgres(folder: string): Promise<EmbeddedPostgres> {
  await mkdir(folder, { recursive: true })
  const lock = join(folder, 'lock')
  await takeLock(lock, folder)
  const db = await PGlite.create(join(folder, 'postgres')).catch((error: { message?: string }) => {
    throw new Error(`The database in the data folder ${folder} can't be opened: ${error.message ?? 'is the disk full?'}`, { cause: error })
  })
  const server = await serve(db)
  return {
    url: `postgresql://postgres@127.0.0.1:${server.port}/postgres?sslmode=disable&${NO_LIMITS}`,
    async checkRoom() {
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize < MIN_FREE) throw new StorageFull()
    },
    async close() {
      await server.close()
      await db.close()
      await rm(lock, { force: true })
    }
  }
}

/** Serves Postgres's protocol on a free loopback port. */
async function serve(db: PGlite): Promise<{ port: number; close(): Promise<void> }> {
  const queryQueue = new SessionQueue(db) as unknown as PGLiteSocketHandlerOptions['queryQueue']
  const connections = new Map<Socket, PGLiteSocketHandler>()
  const server = createServer((socket) => {
    const handler = new PGLiteSocketHandler({ queryQueue, closeOnDetach: true })
    connections.set(socket, handler)
    // The client may be gone, and the handler detached, while an answer is still being written. The error listener has to
    // stay, but the handler removes all listeners when it detaches.
    const removeListeners = socket.removeAllListeners.bind(socket)
    socket.on('error', () => {}).removeAllListeners = (event) => (event === 'data' ? removeListeners(event) : socket)
    socket.once('close', () => connections.delete(socket))
    void handler.attach(socket)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.all([...connections.values()].map((handler) => handler.detach(true)))
      await closed
    }
  }
}

/** Two processes on one data folder would destroy it. The lock file has the process's id; that of a dead process does not count. */
async function takeLock(lock: string, folder: string): Promise<void> {
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''))
  if (holder && holder !== process.pid && isAlive(holder)) {
    throw new Error(`The data folder ${folder} is in use by process ${holder}. Stop it, set another DATA_DIR, or use a Postgres (DATABASE_URL).`)
  }
  await rm(lock, { force: true })
  const file = await open(lock, 'wx')
  await file.writeFile(String(process.pid))
  await file.close()
}
