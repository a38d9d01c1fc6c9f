// Drives a slug: release, web under a memory limit, two users from a stand-in for X, a prediction, a restart while a third
// user is being collected, and a SIGTERM with requests in flight. Called by test/deployment/slug.sh.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { register } from 'tsx/esm/api'

register()
const { startXApi } = await import('../../support/x-api-stand-in.ts')

const slug = process.argv[2]
const memory = Number(process.env.SLUG_MEMORY_MB ?? 512)
const procfile = Object.fromEntries(readFileSync(`${slug}/Procfile`, 'utf8').trim().split('\n').map((line) => line.split(/: (.*)/)))
const api = await startXApi()
api.latency = 50
const settings = { ...process.env, X_API_URL: api.url, X_BEARER_TOKEN: 'good', X_POSTS_PER_USER: '200', PORT: '54330' }
const url = 'http://127.0.0.1:54330'
const say = (line) => console.log(line)

function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`)
  say(`ok: ${what}`)
}

/** Runs a line of the Procfile; the web process may take no more than the dyno's memory. */
function run(name) {
  return spawn('bash', ['-c', `exec env ${procfile[name]}`], { cwd: slug, env: settings, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function startWeb() {
  const web = run('web')
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer?.ok) return web
    await pause(100)
  }
  throw new Error('web does not come up')
}

async function add(username) {
  const answer = await fetch(`${url}/users`, { method: 'POST', body: new URLSearchParams({ username }), redirect: 'manual' })
  check(answer.status === 303, `@${username} is asked for`)
}

async function tweetsOf(username) {
  const answer = await fetch(`${url}/users/${username}`, { headers: { accept: 'application/json' } })
  return answer.ok ? (await answer.json()) : {}
}

async function settled(username) {
  for (let tries = 0; tries < 300; tries++) {
    const { collecting, user } = await tweetsOf(username)
    if (user && (!collecting || collecting.ended)) return user.tweets
    await pause(100)
  }
  throw new Error(`@${username} is not collected`)
}

const predict = () => fetch(`${url}/predictions?users=Fell_Example&users=Bangs_Example&text=GO+GO+GO`)
const peakMb = (child) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024

const [code] = await once(run('release'), 'exit')
check(code === 0, 'release applies the migrations')

for (const what of ['seed', 'seed -- --remove']) {
  const [code] = await once(spawn('bash', ['-c', `npm run ${what}`], { cwd: slug, env: settings, stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')
  check(code === 0, `npm run ${what} works without the development tools`)
}

let web = await startWeb()
for (const name of ['Fell_Example', 'Bangs_Example']) await add(name)
for (const name of ['Fell_Example', 'Bangs_Example']) check((await settled(name)) > 20, `@${name} is collected`)
check((await predict()).status === 200, 'a prediction is answered')

api.latency = 300
await add('Tansy_Example')
await pause(700)
let ended = once(web, 'exit')
web.kill('SIGTERM')
await ended
web = await startWeb()
const stored = await settled('Tansy_Example')
check(stored > 100, `a restart in the middle loses nothing of @Tansy_Example (${stored} tweets)`)
check(new Set(api.served).size === api.served.length, 'and no post is asked for twice')

const answers = Promise.all(Array.from({ length: 8 }, () => predict().then(({ status }) => status)))
await pause(20)
const peak = peakMb(web)
ended = once(web, 'exit')
const start = Date.now()
web.kill('SIGTERM')
const [exit, signal] = await ended
check((await answers).every((status) => status === 200), 'requests in flight are answered')
check(exit === 0 && signal === null && Date.now() - start < 10_000, `SIGTERM ends it by itself in ${Date.now() - start} ms`)
check(peak < memory, `it took ${peak.toFixed(0)} MB at the most, of ${memory}`)
await api.close()
