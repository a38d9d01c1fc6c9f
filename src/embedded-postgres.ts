import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

export interface EmbeddedPostgres {
  url: string
  close(): Promise<void>
}

/**
 * A Postgres inside this process, its data in `folder`/postgres, served on a loopback port like any other.
 * @throws Error when another process has the folder open
 */
export async function openEmbeddedPostgres(folder: string): Promise<EmbeddedPostgres> {
  await mkdir(folder, { recursive: true })
  const lock = join(folder, 'lock')
  await takeLock(lock, folder)
  const db = await PGlite.create(join(folder, 'postgres'))
  const port = await freePort()
  const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 100 })
  await server.start()
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    async close() {
      await server.stop()
      await db.close()
      await rm(lock, { force: true })
    }
  }
}

/** Two processes on one data folder would destroy it; the lock names its holder, and a dead holder's lock is void. */
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
