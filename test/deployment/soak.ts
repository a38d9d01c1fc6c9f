// npx tsx test/deployment/soak.ts [MINUTES]  (after npm run build; needs Debian's postgresql)
//
// Asks the built server, started as the Procfile does, for 20 answers a second while users are collected from a stand-in
// for X. At two fifths of the time Postgres is stopped for three seconds, then all floods of floods.ts come, at four fifths
// the server is restarted. Says how it was answered, and fails where an answer to others than the floods was another than
// 2xx, 3xx, 4xx or a 503 in words, where a post is missing or twice there, or where the process ended.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { tweetsOf } from '../../support/synthetic-tweets.js'
import { dropDuplicates } from '../../src/text/normalize.js'
import { startXApi } from '../../support/x-api-stand-in.js'
import { FLOODS, PASSWORD, PLAIN, target } from './floods.js'

const MINUTES = Number(process.argv[2] ?? 10)
const PER_SECOND = 20
const DATABASE_PORT = '54331'
const PORT = '54332'
const SITE = `http://127.0.0.1:${PORT}`
const STARTERS = PLAIN.length
const STARTER_POSTS = 150
const ADDRESSES = 250 // that the answers are asked for from
const ADD_EVERY = 6_000 // ms
const LONGEST_RESTART = 20_000 // ms for which a router would hold a request

const folder = mkdtempSync(join(tmpdir(), 'hypotweet-soak-'))
const bin = `/usr/lib/postgresql/${readdirSync('/usr/lib/postgresql').at(-1)}/bin`
const api = await startXApi()
const expected = new Map<string, number>()
const answers = new Map<string, number>()
const wrong: string[] = []

/** Postgres's own programs do not run as root. */
function postgres(...command: string[]): void {
  const [file, ...rest] = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', ...command] : command
  execFileSync(file, rest, { stdio: 'ignore' })
}

const control = (...what: string[]): void => postgres(`${bin}/pg_ctl`, '-D', join(folder, 'pg'), '-w', ...what)
const startPostgres = (): void => control('-l', join(folder, 'pg', 'log'), '-o', `-p ${DATABASE_PORT} -k ${join(folder, 'pg')} -c listen_addresses=127.0.0.1 -c max_connections=20`, 'start')

/** The Procfile's line, without which its bounds of memory would not be tried. */
async function startWeb(): Promise<ChildProcess> {
  const [, line] = /^web: (.*)$/m.exec(readFileSync('Procfile', 'utf8'))!
  const env = {
    ...process.env, NODE_ENV: 'production', HOST: '127.0.0.1', PORT, DATABASE_URL: `postgres://postgres@127.0.0.1:${DATABASE_PORT}/postgres`, LOG_LEVEL: 'warn',
    X_API_URL: api.url, X_BEARER_TOKEN: 'soak', X_POSTS_PER_USER: '400', X_DAILY_SPEND_LIMIT: '5000', TRUST_PROXY: '1', ADMIN_PASSWORD: PASSWORD, STORAGE_LIMIT_MB: '2000'
  }
  const web = spawn('bash', ['-c', `exec env ${line}`], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  while (!(await fetch(`${SITE}/health`).then(({ ok }) => ok, () => false))) await pause(100)
  return web
}

/** The status; a refused connection is tried again, as a router would while a process starts. */
async function ask(path: string, init: RequestInit = {}): Promise<number> {
  const until = Date.now() + LONGEST_RESTART
  for (;;) {
    try {
      const answer = await fetch(SITE + path, { ...init, headers: { accept: 'application/json', 'x-forwarded-for': someAddress() }, redirect: 'manual', signal: AbortSignal.timeout(30_000) })
      const body = await answer.text()
      const { status } = answer
      answers.set(String(status), (answers.get(String(status)) ?? 0) + 1)
      if (status >= 500 && !(status === 503 && /^\{"(error":"[A-Z].{10}|ready":false)/.test(body))) wrong.push(`${path}: ${status} ${body.slice(0, 200)}`)
      return status
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
      if (code !== 'ECONNREFUSED' || Date.now() > until) {
        wrong.push(`${path}: ${(error as Error).message} ${code ?? ''}`)
        return 0
      }
      await pause(100)
    }
  }
}

const someAddress = (): string => `10.200.0.${Math.floor(Math.random() * ADDRESSES)}`

let added = 0
/** Has a new user collected; asked again where the answer is a 503. */
async function add(posts: number): Promise<void> {
  const name = PLAIN[added] ?? `Soak_${added}`
  added++
  const texts = tweetsOf(added, posts)
  api.addUser(name)
  api.addPosts(name, texts)
  expected.set(name, dropDuplicates(texts, (text) => text).length)
  while ((await ask('/users', { method: 'POST', body: new URLSearchParams({ username: name }) })) >= 500) await pause(1_000)
}

async function storedOf(name: string): Promise<string[]> {
  const answer = await fetch(`${SITE}/users/${name}/tweets.jsonl`, { headers: { 'x-forwarded-for': someAddress() } })
  return answer.ok ? (await answer.text()).split('\n').filter(Boolean).map((line) => (JSON.parse(line) as { id: string }).id) : []
}

async function settled(name: string): Promise<string[]> {
  let ids: string[] = []
  for (let tries = 0; tries < 600 && ids.length < expected.get(name)!; tries++) {
    ids = await storedOf(name).catch(() => [])
    await pause(100)
  }
  return ids
}

const tally = (answers: Map<string, number>): string => [...answers].sort().map(([answer, n]) => `${n} × ${answer}`).join(', ')
const anyOf = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)]
function somePath(): string {
  const users = Array.from({ length: 2 + Math.floor(Math.random() * 3) }, () => anyOf(PLAIN))
  const text = encodeURIComponent(Array.from({ length: 9 }, () => anyOf('rain tea again work late so here we are ok'.split(' '))).join(' '))
  const four = PLAIN.slice(0, 4).map((name) => `users=${name}`).join('&')
  return anyOf([
    `/predictions?${four}&text=${text}`, `/predictions?${four}&text=${text}`, `/predictions?users=${users.join('&users=')}&text=${text}`,
    '/users', `/users/${users[0]}`, '/users/nobody_at_all', '/health', `/play?${four}&seed=${text.slice(0, 5)}&round=1`, `/predictions?users=${PLAIN[1]}`, `/users/${users[0]}/tweets.csv`
  ])
}

const floods = new Map<string, number>() // answers
async function flood(): Promise<void> {
  const app = target(Number(PORT))
  for (const { run } of FLOODS) for (const answer of await run(app)) floods.set(answer, (floods.get(answer) ?? 0) + 1)
  app.close()
}

let web: ChildProcess | undefined
try {
  chmodSync(folder, 0o777)
  postgres(`${bin}/initdb`, '-D', join(folder, 'pg'), '-A', 'trust', '-U', 'postgres')
  startPostgres()
  web = await startWeb()
  web.once('exit', (code, signal) => signal === 'SIGTERM' || code === 0 || wrong.push(`the process ended: ${code} ${signal}`))
  for (let i = 0; i < STARTERS; i++) await add(STARTER_POSTS)
  for (const name of expected.keys()) await settled(name)

  const length = MINUTES * 60_000
  const start = Date.now()
  const due = [
    { at: 0.4, what: async () => { control('-m', 'fast', 'stop'); await pause(3_000); startPostgres() } },
    { at: 0.5, what: flood },
    { at: 0.8, what: async () => { const ended = once(web!, 'exit'); web!.kill('SIGTERM'); await ended; web = await startWeb() } }
  ]
  const asked: Promise<unknown>[] = []
  for (let n = 0; Date.now() < start + length; n++) {
    asked.push(ask(somePath()))
    if (n % ((PER_SECOND * ADD_EVERY) / 1000) === 0) asked.push(add(100 + Math.floor(Math.random() * 250)))
    if (due.length > 0 && Date.now() > start + due[0].at * length) asked.push(due.shift()!.what())
    await pause(Math.max(0, start + ((n + 1) * 1000) / PER_SECOND - Date.now()))
  }
  await Promise.all(asked)

  for (const [name, count] of expected) {
    const ids = await settled(name)
    if (ids.length !== count || new Set(ids).size !== count) wrong.push(`@${name}: ${ids.length} tweets, ${new Set(ids).size} of them different, where ${count} are expected`)
  }
  console.log(`${MINUTES} min, ${[...answers.values()].reduce((sum, n) => sum + n, 0)} answers: ${tally(answers)}`)
  console.log(`Answers to the floods: ${tally(floods)}`)
  console.log(`${expected.size} users collected, ${[...expected.values()].reduce((sum, n) => sum + n, 0)} tweets stored; posts served by X: ${api.served.length}, of them twice: ${api.served.length - new Set(api.served).size}`)
} finally {
  if (web) {
    const ended = once(web, 'exit')
    web.kill('SIGTERM')
    await ended
  }
  await api.close()
  control('-m', 'immediate', 'stop')
  rmSync(folder, { recursive: true, force: true })
}
console.log(wrong.length ? `WRONG (${wrong.length}):\n${wrong.slice(0, 20).join('\n')}` : 'Nothing was lost, and nothing else was answered.')
process.exitCode = wrong.length ? 1 : 0
