// The built server in a process and on a database of its own, asked over HTTP.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { PATHS } from '../src/core/paths.js'
import { openRealDatabase, type TestDatabase } from '../support/databases.js'

const SERVER = join(PATHS.root, 'dist', 'server.js')
const PROCFILE = join(PATHS.root, 'Procfile')
const GAUGE = new URL('./gauge.mjs', import.meta.url).href
const POSTGRES = process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'

const Gauge = z.object({ delayP99: z.number(), rss: z.number(), peakRss: z.number() })

export const NO_POSTGRES = 'skipped: no Postgres here (BENCH_DATABASE_URL can name one)'

/** A new database on a real Postgres; undefined where there is none. */
export async function openPostgres(): Promise<TestDatabase | undefined> {
  try {
    return await openRealDatabase(POSTGRES)
  } catch (error) {
    if (process.env.BENCH_DATABASE_URL) throw error
    return undefined
  }
}

/** The flags of Node with which the Procfile starts the server. */
function deployedFlags(): string[] {
  const [, flags] = /^web: node (.*) dist\/server\.js$/m.exec(readFileSync(PROCFILE, 'utf8'))!
  return flags.split(' ')
}

/**
 * How long a request takes, from asking to the last byte, in ms.
 * @throws Error for any other answer than 200
 */
export async function askPage(url: string, agent: Agent, client: string): Promise<number> {
  const start = performance.now()
  await new Promise<void>((resolve, reject) => {
    get(url, { agent, headers: { accept: 'text/html', 'x-forwarded-for': client } }, (response) => {
      response.resume()
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}`))))
      response.once('error', reject)
    }).once('error', reject)
  })
  return performance.now() - start
}

export class Served {
  private readonly agent = new Agent({ keepAlive: true })

  private constructor(
    readonly url: string,
    /** From the start of the process to the first answered request, in ms. */
    readonly coldStart: number,
    private readonly child: ChildProcess,
    private readonly folder: string
  ) {}

  static async start(settings: Record<string, string>): Promise<Served> {
    if (!existsSync(SERVER)) throw new Error('The server is not built: npm run build')
    const folder = await mkdtemp(join(tmpdir(), 'hypotweet-bench-'))
    const env = { PATH: process.env.PATH, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', DATA_DIR: folder, ...settings }
    const start = performance.now()
    const child = fork(SERVER, { env, execArgv: [...deployedFlags(), '--import', GAUGE], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    const url = await new Promise<string>((resolve, reject) => {
      let output = ''
      child.stdout!.on('data', (data) => {
        const [found] = /http:\/\/localhost:\d+/.exec((output += data)) ?? []
        if (found) resolve(found.replace('localhost', '127.0.0.1'))
      })
      child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)))
    })
    const answer = await fetch(url)
    await answer.text()
    return new Served(url, performance.now() - start, child, folder)
  }

  /**
   * How long a request takes, in ms.
   * @param client each number has an address of its own: the server takes turns between addresses
   * @throws Error for any other answer than 200
   */
  async ask(path: string, client = 0): Promise<number> {
    return askPage(`${this.url}${path}`, this.agent, `10.0.0.${client}`)
  }

  /** Memory and the event loop's delay, from inside the process. @param reset starts measuring the delay anew */
  async gauge(reset = false): Promise<z.infer<typeof Gauge>> {
    const answer = once(this.child, 'message')
    this.child.send(reset ? 'reset' : 'read')
    return Gauge.parse((await answer)[0])
  }

  async stop(): Promise<void> {
    this.agent.destroy()
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await ended
    await rm(this.folder, { recursive: true, force: true })
  }
}
