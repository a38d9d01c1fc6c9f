// npx tsx test/deployment/attacks.ts [WORD]  (after npm run build; needs a Postgres: TEST_DATABASE_URL, or on 127.0.0.1:5432)
//
// Attacks the built server, on loopback only and with bounded effort, each attack alone, while a visitor goes on asking. It
// prints the table of docs/reliability.md, and fails where the process ended, the visitor waited for more than two seconds,
// the memory was not back within a minute, or money was spent that was not meant.

import { setTimeout as pause } from 'node:timers/promises'
import { startAttackedApp, type AttackedApp } from './attacked-app.js'
import { FLOODS, type Flood } from './floods.js'

interface Attack extends Omit<Flood, 'run'> {
  /** Whether the visitor's pages may fail meanwhile: nothing answers without a database. */
  isOutage?: boolean
  run(app: AttackedApp): Promise<string[]>
}

const LONGEST_WAIT = 2_000 // ms for a visitor's page
const MEMORY_BACK = 60_000 // ms
const MORE_MEMORY = 60 // MB above what it was before that count as back: caches fill

const ATTACKS: Attack[] = [
  ...FLOODS,
  {
    name: 'a database that falls silent for 20 s',
    isOutage: true,
    run: async (app) => {
      app.door.silence()
      const during = await Promise.all([0, 1, 2, 3, 4].map(async (i) => (await pause(4_000 * i), app.ask('/health', { from: '10.32.0.0' }))))
      app.door.heal()
      for (let second = 0; second < 60; second++) {
        if ((await app.ask('/health', { from: '10.32.0.0' })) === '200') return [...during.map((status) => `/health ${status}`), `ready ${second} s after it came back`]
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
