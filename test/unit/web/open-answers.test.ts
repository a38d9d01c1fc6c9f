import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import express from 'express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAtMost } from '../../../src/web/rate-limits.js'
import { cutStuckReaders } from '../../../src/web/stuck-readers.js'

let server: Server
let port: number

async function listen(app: express.Express, stuckFor?: number): Promise<void> {
  server = createServer(app)
  cutStuckReaders(server, stuckFor)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const ask = (address = '10.0.0.1', path = '/'): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => get({ port, host: '127.0.0.1', path, agent: false, headers: { 'x-forwarded-for': address } }, resolve).on('error', reject))

describe('answers that stay open', () => {
  const open = new Set<express.Response>()

  beforeEach(async () => {
    const app = express().set('trust proxy', 1)
    app.use(openAtMost({ perAddress: 2, all: 3 }), (_request, response) => {
      open.add(response)
      response.once('close', () => open.delete(response)).flushHeaders()
    })
    app.use(((error: { reason: string }, _request, response, _next) => void response.status(error.reason === 'too-many' ? 429 : 503).end()) as express.ErrorRequestHandler)
    await listen(app)
  })

  test('are bounded for each address and for all together, and one that has ended makes room', async () => {
    const [first, second] = [await ask(), await ask()]
    expect([first, second, await ask()].map(({ statusCode }) => statusCode)).toEqual([200, 200, 429])
    expect((await ask('10.0.0.2')).statusCode).toBe(200)
    expect((await ask('10.0.0.3')).statusCode).toBe(503)
    first.destroy()
    await expect.poll(() => open.size).toBe(2)
    expect((await ask('10.0.0.3')).statusCode).toBe(200)
    expect((await ask('10.0.0.1')).statusCode).toBe(503)
  })
})

describe('a reader', () => {
  const CHUNK = Buffer.alloc(2 ** 16)
  const CHUNKS = 512 // more than the system's buffers take
  let ended: Promise<void>

  beforeEach(async () => {
    const app = express()
    ended = new Promise((resolve) => {
      app.use((request, response) => {
        response.once('close', resolve)
        if (request.path === '/late') setTimeout(() => response.end('at last'), 3000)
        else Readable.from(Array<Buffer>(CHUNKS).fill(CHUNK)).pipe(response)
      })
    })
    await listen(app, 1000)
  })

  /** How many bytes of an answer arrive. */
  async function bytesOf(answer: IncomingMessage): Promise<number> {
    let bytes = 0
    answer.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('error', () => {})
    await new Promise((resolve) => answer.once('close', resolve))
    return bytes
  }

  test('who takes nothing is cut off', async () => {
    const answer = await ask('', '/unread')
    await ended
    expect(await bytesOf(answer)).toBeLessThan(CHUNKS * CHUNK.length)
  })

  test('who waits long for an answer, or reads a long one, gets it whole', async () => {
    expect(await bytesOf(await ask('', '/late'))).toBe('at last'.length)
    expect(await bytesOf(await ask('', '/read'))).toBe(CHUNKS * CHUNK.length)
  })
})
