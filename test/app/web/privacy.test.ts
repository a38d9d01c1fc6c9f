import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

const MARKER = 'quincemarmalade'
const PASSWORD = 'a long password'
const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`

let database: TestDatabase
let services: TestServices
let app: Awaited<ReturnType<typeof serve>>
let broken: Awaited<ReturnType<typeof serve>>
let log = ''

beforeAll(async () => {
  database = await databases.at(-1)!.open()
  services = await openTestServices(database, { ADMIN_PASSWORD: PASSWORD })
  await addSamples(services)
  const written = new Writable({ write: (chunk, _encoding, done) => ((log += chunk), done()) })
  const logged = { ...services, log: pino({ base: undefined, level: 'debug' }, written) }
  app = await serve(logged)
  broken = await serve({ ...logged, threads: { ...services.threads, embed: () => Promise.reject(new Error('the encoder is broken')) } })
})
afterAll(async () => {
  await broken?.close()
  await app?.close()
  await services?.close()
  await database?.close()
})

test('the text that was asked about stands in no log line, no header and no metric', async () => {
  const asked = `users=ruth_demo&users=milo_demo&text=the+${MARKER}+is+on`
  const ask = async (url: string, init: RequestInit = {}): Promise<number> => {
    // As a browser sends it from the result's page.
    const referer = `${app.url}/predictions?${asked}`
    const answer = await fetch(url, { redirect: 'manual', ...init, headers: { accept: 'text/html', referer, ...init.headers } })
    await answer.arrayBuffer()
    expect(answer.headers.get('referrer-policy')).toBe('same-origin')
    expect(JSON.stringify([...answer.headers])).not.toContain(MARKER)
    return answer.status
  }
  const json = { headers: { accept: 'application/json' } }
  expect(await ask(`${app.url}/predictions?${asked}`)).toBe(200)
  expect(await ask(`${app.url}/predictions?${asked}`, json)).toBe(200)
  expect(await ask(`${app.url}/predictions/card.png?${asked}`)).toBe(200)
  expect(await ask(`${app.url}/predictions?${asked}${'x'.repeat(4000)}`)).toBe(400)
  expect(await ask(`${app.url}/predictions?${asked}%E0%A4%A${'x'.repeat(40_000)}`, json)).toBe(400)
  expect(await ask(`${app.url}/predictions?users=nobody_here&${asked}`)).toBe(404)
  expect(await ask(`${app.url}/predictions?users=ruth_demo&text=${MARKER}`)).toBe(400)
  expect(await ask(`${app.url}/play?${asked}`)).toBe(303)
  expect(await ask(`${app.url}/users?${asked}`)).toBe(302)
  expect(await ask(`${app.url}/?${asked}`)).toBe(200)
  expect(await ask(`${app.url}/nowhere?${asked}`)).toBe(404)
  expect(await ask(`${app.url}/assets/style.css?${asked}`)).toBe(200)
  for (const folder of ['/assets', '/assets/pico']) expect(await ask(`${app.url}${folder}?${asked}`)).toBe(404)
  const form = { method: 'POST', body: new URLSearchParams(asked) }
  expect(await ask(`${app.url}/users`, form)).toBe(400)
  expect(await ask(`${app.url}/predictions`, form)).toBe(404)
  const notJson = { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"text": "${MARKER}` }
  expect(await ask(`${app.url}/users`, notJson)).toBe(400)
  for (const path of ['/predictions', '/predictions/card.png']) expect(await ask(`${broken.url}${path}?${asked}`)).toBe(500)

  const metrics = await fetch(`${app.url}/metrics`, { headers: { authorization } })
  const figures = await metrics.text()
  expect(figures).toContain('route="/predictions",status="200"') // the questions were counted
  expect(figures).not.toContain(MARKER)
  expect(log).toContain('"path":"/predictions/card.png"') // and logged
  expect(log).toContain('the encoder is broken')
  expect(log).not.toContain(MARKER)
})
