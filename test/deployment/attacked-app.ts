// The built server under attack: started as the Procfile does, on a database of its own and a stand-in for X, with a visitor
// who goes on asking, and somebody who looks at the process's memory.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openRealDatabase } from '../../support/databases.js'
import { tweetsOf } from '../../support/synthetic-tweets.js'
import { startXApi } from '../../support/x-api-stand-in.js'
import { openDoor, type Door } from '../support/door.js'
import { importTexts, PASSWORD, PLAIN, target, type Target } from './floods.js'

const POSTGRES = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const DOLLARS = { post: 0.005, user: 0.01 }

export interface AttackedApp extends Target {
  /** Between the app and its database. */
  door: Door
  /** MB; null where the process has ended. */
  memory(): number | null
  /** What X has charged for so far. */
  dollars(): number
  /** Visits from now on: the slowest, in ms, and each that did not get its page. */
  visits(): { stop(): Promise<{ slowest: number; failed: string[] }> }
  close(): Promise<void>
}

export async function startAttackedApp(): Promise<AttackedApp> {
  const database = await openRealDatabase(POSTGRES)
  const door = await openDoor(database.url)
  const xApi = await startXApi()
  const folder = mkdtempSync(join(tmpdir(), 'hypotweet-attacked-'))
  const [, flags] = /^web: node (.*)$/m.exec(readFileSync('Procfile', 'utf8'))!
  const env = {
    PATH: process.env.PATH, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', DATABASE_URL: door.url, DATA_DIR: folder, TMPDIR: folder,
    X_API_URL: xApi.url, X_BEARER_TOKEN: 'attacked', TRUST_PROXY: '1', ADMIN_PASSWORD: PASSWORD
  }
  const child = spawn(process.execPath, flags.split(' '), { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await portOf(child)
  const asked = target(port)
  const app: AttackedApp = {
    ...asked, door,
    memory: () => memoryOf(child),
    dollars: () => DOLLARS.post * xApi.calls.posts + DOLLARS.user * xApi.calls.users,
    visits: () => startVisits(port),
    async close() {
      asked.close()
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      await xApi.close()
      await door.shut()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  for (const [i, name] of PLAIN.entries()) await importTexts(app, name, tweetsOf(i, 200), `10.1.0.${i}`)
  return app
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout!.on('data', (data) => { // also what comes later is read, or the pipe would fill up
      const [, port] = /http:\/\/localhost:(\d+)/.exec((output = `${output}${data}`.slice(-10_000))) ?? []
      if (port) resolve(Number(port))
    })
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)))
  })
}

function memoryOf(child: ChildProcess): number | null {
  if (child.exitCode !== null || child.signalCode !== null) return null
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024)
  } catch {
    return null
  }
}

function startVisits(port: number): ReturnType<AttackedApp['visits']> {
  const from = `10.99.0.${Math.floor(Math.random() * 250)}`
  const visitor = new Worker(new URL('./visitor.mjs', import.meta.url), { workerData: { site: `http://127.0.0.1:${port}`, people: PLAIN, from } })
  return {
    async stop() {
      const said = once(visitor, 'message')
      visitor.postMessage('stop')
      return ((await said) as [{ slowest: number; failed: string[] }])[0]
    }
  }
}
