// Attacks within what the app lets anybody do: floods of requests from few addresses, with bounded effort. What they need
// there is the people of PLAIN, who can be asked about.

import { Agent, request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { archivePart, zip } from '../support/archive.js'

export const PASSWORD = 'correct horse battery' // the admin's
export const PLAIN = Array.from({ length: 12 }, (_, i) => `plain_${i}`) // people with some 200 tweets each

export interface Asking {
  method?: string
  /** The address that the request comes from. */
  from: string
  headers?: Record<string, string>
  body?: string | Buffer | FormData
  /** ms after which the asker hangs up. */
  hangUp?: number
}

/** The app on loopback, for those who attack it. */
export interface Target {
  port: number
  /** The status of an answer that is read to its end, or why there was none. */
  ask(path: string, how: Asking): Promise<string>
  /** Ends the connections that are kept. */
  close(): void
}

export interface Flood {
  name: string
  /** Dollars that it may spend at X. */
  mayCost?: number
  /** @returns the answers that the attackers got */
  run(app: Target): Promise<string[]>
}

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const address = (attacker: number, i = 0): string => `10.${attacker}.${i >> 8}.${i & 255}`
const LONG_POST = '\u6f22\u5b57'.repeat(12_450) // 24,900 characters
/** Four people: another four for each number, as far as there are others. */
const four = (i: number): string => times(4, (n) => `users=${PLAIN[(i + n * (1 + (Math.floor(i / 12) % 3))) % PLAIN.length]}`).join('&')

export const FLOODS: Flood[] = [
  {
    name: 'a zip of 1 MB with 290 MB of posts of 24,900 characters',
    run: async (app) => {
      const posts = times(3900, (i) => ({ id_str: String(i + 1), full_text: i + LONG_POST, created_at: 'Wed Oct 10 20:19:24 +0000 2018' }))
      return [await importFile(app, 'bomb', zip([{ name: 'data/tweets.js', data: archivePart(posts) }]), 'archive.zip', address(20))]
    }
  },
  {
    name: 'three uploads of 49 MB at once',
    run: (app) => {
      const lines = Buffer.from(times(650, (i) => `${JSON.stringify({ text: i + LONG_POST })}\n`).join(''))
      return Promise.all(times(3, (i) => importFile(app, `heavy_${i}`, lines, 'tweets.jsonl', address(21, i))))
    }
  },
  {
    name: 'a question about four people with 500 posts of 24,900 characters each',
    run: async (app) => {
      for (let i = 0; i < 4; i++) await importTexts(app, `long_${i}`, times(500, (n) => `${i} ${n} ${LONG_POST}`), address(22, i))
      return [await app.ask(`/predictions?${times(4, (i) => `users=long_${i}`).join('&')}&text=hello+there`, { from: address(22, 9) })]
    }
  },
  {
    name: '40 downloads that are never read',
    run: async ({ port }) => {
      const sockets = times(40, (i) => {
        const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {})
        socket.write(`GET /users/long_${i % 4}/tweets.jsonl HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: ${address(23, i)}\r\n\r\n`)
        return socket.pause()
      })
      await pause(45_000)
      const closed = sockets.filter(({ closed, destroyed }) => closed || destroyed).length
      for (const socket of sockets) socket.destroy()
      return [`${closed || 'none'} seen closed`]
    }
  },
  {
    name: '60 preview pictures of letters with three marks each, hung up after 2 s',
    run: (app) => Promise.all(times(60, (i) => app.ask(`/predictions/card.png?users=${PLAIN[2]}&users=${PLAIN[3]}&text=${encodeURIComponent(i + 'a\u0315\u0300\u05ae'.repeat(1900))}`, { from: address(24), hangUp: 2_000 })))
  },
  {
    name: '60 questions of one address, hung up after 1 s',
    run: (app) => Promise.all(times(60, (i) => app.ask(`/predictions?${four(i)}&text=hello+${i}`, { from: address(25), hangUp: 1_000 })))
  },
  {
    name: '60 questions of each of five addresses',
    run: (app) => Promise.all(times(300, (i) => app.ask(`/predictions?${four(i)}&text=hello+${i}`, { from: address(26, i % 5) })))
  },
  {
    name: 'names that nobody has, 100 from each of two addresses',
    mayCost: 0.6,
    run: (app) => Promise.all(times(200, (i) => app.ask('/users', { method: 'POST', body: new URLSearchParams({ username: `nobody_${i}` }).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' }, from: address(27, i % 2) })))
  },
  {
    name: '1,500 admin passwords at once, the right one at place 500',
    run: (app) => Promise.all(times(1500, (i) => app.ask('/admin', { from: address(28), headers: { authorization: `Basic ${btoa(`x:${i === 500 ? PASSWORD : `wrong ${i}`}`)}` } })))
  },
  {
    name: '1,000 progress streams of one address',
    run: async (app) => {
      const streams = times(1000, () => app.ask('/progress?users=waiter', { from: address(29), hangUp: 15_000 }))
      return Promise.all(streams)
    }
  },
  {
    name: 'the pages of people, 300 from one address',
    run: (app) => Promise.all(times(300, (i) => app.ask(`/users/${PLAIN[i % PLAIN.length]}?page=${i}`, { from: address(30) })))
  },
  {
    name: '40 imports of 3,200 posts of 1,000 characters by one address',
    run: async (app) => {
      const statuses: string[] = []
      for (let i = 0; i < 40; i++) statuses.push(await importTexts(app, `many_${i}`, times(3200, (n) => `${i} ${n} ${'word '.repeat(198)}`), address(31)))
      return statuses
    }
  }
]

/** Asks the app on this port of loopback. */
export function target(port: number): Target {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const ask: Target['ask'] = async (path: string, { method = 'GET', from, headers = {}, body, hangUp }) => {
    const sent = body === undefined ? undefined : new Response(body)
    const type = sent?.headers.get('content-type')
    const bytes = sent && Buffer.from(await sent.arrayBuffer())
    const all = { accept: 'application/json', 'x-forwarded-for': from, ...(type && { 'content-type': type }), ...headers }
    return new Promise((resolve) => {
      const asking = request({ port, host: '127.0.0.1', agent, path, method, headers: all })
      asking.once('response', (answer: IncomingMessage) => {
        answer.resume()
        answer.once('end', () => resolve(String(answer.statusCode)))
        answer.once('error', () => resolve('cut'))
      })
      asking.once('error', (error: NodeJS.ErrnoException) => resolve(hangUp ? 'hung up' : error.code ?? error.message))
      if (hangUp) setTimeout(() => asking.destroy(), hangUp)
      asking.end(bytes)
    })
  }
  return { port, ask, close: () => agent.destroy() }
}

/** Uploads texts as a file for a person of this name. */
export function importTexts(app: Pick<Target, 'ask'>, name: string, texts: string[], from: string): Promise<string> {
  return importFile(app, name, Buffer.from(texts.map((text) => `${JSON.stringify({ text })}\n`).join('')), 'tweets.jsonl', from)
}

export function importFile(app: Pick<Target, 'ask'>, name: string, file: Buffer, fileName: string, from: string): Promise<string> {
  const form = new FormData()
  form.set('username', name)
  form.set('file', new Blob([new Uint8Array(file)]), fileName)
  return app.ask('/users/import', { method: 'POST', body: form, from })
}
