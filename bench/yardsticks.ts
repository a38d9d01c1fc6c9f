// What the rows over HTTP are compared with in the same run, so that the machine's speed cancels out: a plain page with one
// query, the same attribution without HTTP and database, and a process that only loads the server's modules.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import pg from 'pg'
import { join } from 'node:path'
import { PATHS } from '../src/core/paths.js'
import { openEncoder, type Encoder } from '../src/encoder/encoder.js'
import { fitAttribution } from '../src/model/attribution.js'
import { explain } from '../src/model/explanation.js'
import { logitsOf, readQuestion, verdictOf } from '../src/model/question.js'
import { sum } from '../src/model/stacking.js'
import { askPage } from './served.js'

export interface PlainPage {
  /** How long a request takes, in ms. */
  ask(): Promise<number>
  close(): Promise<void>
}

/** A plain Express page of this many bytes, for which one user is read from the database. */
export async function openPlainPage(databaseUrl: string, bytes: number): Promise<PlainPage> {
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const page = 'x'.repeat(bytes)
  const app = express().get('/', async (_request, response) => {
    const { rows } = await pool.query<{ name: string }>('SELECT "name" FROM "User" ORDER BY "id" LIMIT 1')
    response.type('html').send(rows[0].name + page)
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    ask: () => askPage(url, agent, '10.0.0.1'),
    async close() {
      agent.destroy()
      server.close()
      await pool.end()
    }
  }
}

export interface BareAttribution {
  /** How long it takes to attribute a text to one of these users' tweets, in ms; their vectors are there already. */
  time(tweets: string[][], text: string): Promise<number>
  close(): Promise<void>
}

/** The attribution in this process, on one thread: the texts are read, both models fitted, the text embedded and explained. */
export async function openBareAttribution(): Promise<BareAttribution> {
  const encoder: Encoder = await openEncoder()
  return {
    async time(tweets, text) {
      const texts = tweets.flat()
      const vectors = await encoder.embed(texts)
      const labels = Int32Array.from(tweets.flatMap((own, label) => own.map(() => label)))
      const start = performance.now()
      const attribution = fitAttribution({ texts, vectors, labels })
      const question = readQuestion(attribution, text, await encoder.embed([text]))
      verdictOf(attribution, question, sum(logitsOf(attribution, question)))
      explain(attribution, question)
      return performance.now() - start
    },
    close: () => encoder.close()
  }
}

const MODULES = ['web/app.js', 'services/services.js', 'collecting/collect-worker.js', 'encoder/encoder.js']

/** How long a process takes that loads the modules of the built server and does nothing, in ms. */
export async function timeOfImports(): Promise<number> {
  const code = MODULES.map((module) => `await import(${JSON.stringify(join(PATHS.root, 'dist', module))})`).join('\n')
  const start = performance.now()
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${code}\nprocess.exit(0)`], { stdio: 'inherit' })
  const [exitCode] = (await once(child, 'exit')) as [number]
  if (exitCode !== 0) throw new Error(`A process that only imports ended with ${exitCode}: npm run build`)
  return performance.now() - start
}
