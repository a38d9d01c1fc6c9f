// npx tsx test/deployment/attacks.ts [WORD]  (after npm run build; needs a Postgres: TEST_DATABASE_URL, or on 127.0.0.1:5432)
//
// Attacks the built server, on loopback only and with bounded effort, each attack alone, while a visitor goes on asking. It
// prints the table of docs/reliability.md, and fails where the process ended, the visitor waited for more than two seconds,
// the memory was not back within a minute, or money was spent that was not meant.

import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { importFile, importTexts, PASSWORD, PLAIN, startAttackedApp, type AttackedApp } from './attacked-app.js'
import { archivePart, zip } from '../support/archive.js'

interface Attack {
  name: string
  /** Dollars that it may spend at X. */
  mayCost?: number
  /** Whether the visitor's pages may fail meanwhile: nothing answers without a database. */
  isOutage?: boolean
  /** @returns the answers that the attackers got */
  run(app: AttackedApp): Promise<string[]>
}

const LONGEST_WAIT = 2_000 // ms for a visitor's page
const MEMORY_BACK = 60_000 // ms
const MORE_MEMORY = 60 // MB above what it was before that count as back: caches fill

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const address = (attacker: number, i = 0): string => `10.${attacker}.${i >> 8}.${i & 255}`
const LONG_POST = '\u6f22\u5b57'.repeat(12_450) // 24,900 characters
/** Four people: another four for each number, as far as there are others. */
const four = (i: number): string => times(4, (n) => `users=${PLAIN[(i + n * (1 + (Math.floor(i / 12) % 3))) % PLAIN.length]}`).join('&')

const ATTACKS: Attack[] = [
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
  },
  {
    name: 'a database that falls silent for 20 s',
    isOutage: true,
    run: async (app) => {
      app.door.silence()
      const during = await Promise.all(times(5, async (i) => (await pause(4_000 * i), app.ask('/health', { from: address(32) }))))
      app.door.heal()
      for (let second = 0; second < 60; second++) {
        if ((await app.ask('/health', { from: address(32) })) === '200') return [...during.map((status) => `/health ${status}`), `ready ${second} s after it came back`]
        await pause(1_000)
      }
      return [...during, 'not ready a minute later']
    }
  }
]

const word = (process.argv[2] ?? '').toLowerCase()
const app = await startAttackedApp()
console.log('| attack | answers | slowest page of a visitor | memory before, at the most, afterwards | spent at X | |\n| --- | --- | --- | --- | --- | --- |')
try {
  for (const attack of ATTACKS.filter(({ name }) => name.toLowerCase().includes(word))) {
    const { row, isWithstood } = await withstand(app, attack)
    console.log(row)
    if (!isWithstood) process.exitCode = 1
    if (app.memory() === null) break
  }
} finally {
  await app.close()
}

async function withstand(app: AttackedApp, { name, mayCost = 0, isOutage = false, run }: Attack): Promise<{ row: string; isWithstood: boolean }> {
  const [before, spent] = [app.memory()!, app.dollars()]
  let most = before
  const looks = setInterval(() => (most = Math.max(most, app.memory() ?? 0)), 100)
  const visits = app.visits()
  const answers = await run(app)
  const { slowest, failed } = await visits.stop()
  const after = await memoryAfter(app, before)
  clearInterval(looks)
  const cost = app.dollars() - spent
  const faults = [
    after === null && 'the process ended',
    after !== null && after > before + MORE_MEMORY && 'memory is not back',
    !isOutage && slowest > LONGEST_WAIT && 'visitors waited',
    !isOutage && failed.length > 0 && `visitors got ${[...new Set(failed)].join(', ')}`,
    cost > mayCost && 'money was spent'
  ].filter(Boolean)
  const cells = [
    name, tally(answers), `${(slowest / 1000).toFixed(1)} s`, `${before}, ${most}, ${after ?? '–'} MB`, `$${cost.toFixed(2)}`,
    faults.length === 0 ? 'withstood' : `**${faults.join('; ')}**`
  ]
  return { row: `| ${cells.join(' | ')} |`, isWithstood: faults.length === 0 }
}

/** The memory once it is back, or after a minute. */
async function memoryAfter(app: AttackedApp, before: number): Promise<number | null> {
  const until = Date.now() + MEMORY_BACK
  for (;;) {
    const now = app.memory()
    if (now === null || now <= before + MORE_MEMORY || Date.now() > until) return now
    await pause(1_000)
  }
}

function tally(answers: string[]): string {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  return [...counts].map(([answer, count]) => (count > 1 ? `${count} × ${answer}` : answer)).join(', ')
}
