import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type ClientRequest } from 'node:http'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { removeLeftUploads } from '../../../src/web/uploads.js'
import { openEmbeddedDatabase, type TestDatabase } from '../../support/databases.js'
import { end, startProcess } from '../../support/processes.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

const MEGABYTE = 2 ** 20
const temporary = process.env.TMPDIR
let folder: string

beforeEach(async () => {
  process.env.TMPDIR = folder = await mkdtemp(join(tmpdir(), 'hypotweet-uploads-'))
})
afterEach(async () => {
  if (temporary === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = temporary
  await rm(folder, { recursive: true, force: true })
})

const uploadsOf = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('hypotweet-upload-'))

const HEAD = '--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nwren\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
const LINES = Array.from({ length: 30 }, (_, i) => `the wren was here ${i} times\n`).join('')

/** Begins an upload that says it has so many bytes, and sends its first lines. */
function begin(url: string, address: string, bytes: number): { upload: ClientRequest; answer: Promise<{ status: number; retryAfter?: string; body: string }> } {
  const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-length': bytes, accept: 'application/json', 'x-forwarded-for': address }
  const upload = httpRequest(`${url}/users/import`, { method: 'POST', headers, agent: false })
  const answer = new Promise<{ status: number; retryAfter?: string; body: string }>((resolve, reject) => {
    upload.on('error', reject).on('response', (response) => {
      let body = ''
      response.on('data', (data) => (body += data)).on('end', () => resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], body })).on('error', reject)
    })
  })
  answer.catch(() => {})
  upload.write(HEAD + LINES)
  return { upload, answer }
}

describe('uploads', () => {
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    database = await openEmbeddedDatabase()
    services = await openTestServices(database, { TRUST_PROXY: '1' })
  })
  beforeEach(async () => {
    app = await serve(services)
    return () => app.close()
  })
  afterAll(async () => {
    await services?.close()
    await database?.close()
  })

  test('of one address are three at a time: the fourth is refused at once, and another address is not', async () => {
    const own = Array.from({ length: 3 }, () => begin(app.url, '10.0.0.1', 1000_000))
    await expect.poll(uploadsOf).toHaveLength(3)
    const refused = await begin(app.url, '10.0.0.1', 1000_000).answer
    expect(refused).toMatchObject({ status: 429, retryAfter: expect.stringMatching(/^[1-9]/), body: expect.stringContaining('3 files from your address') })
    const form = `${HEAD}${LINES}\r\n--b--\r\n`
    const other = begin(app.url, '10.0.0.2', form.length)
    other.upload.end(form.slice(HEAD.length + LINES.length))
    expect(await other.answer).toMatchObject({ status: 200 })
    own[0].upload.destroy()
    await expect.poll(uploadsOf).toHaveLength(2)
    const next = begin(app.url, '10.0.0.1', form.length)
    next.upload.end(form.slice(HEAD.length + LINES.length))
    expect(await next.answer).toMatchObject({ status: 200 })
    for (const { upload } of own) upload.destroy()
    await expect.poll(uploadsOf).toEqual([])
  })

  test('may be so many bytes on the disk: beyond them they are refused before they are received, with a time to come back', async () => {
    const open = Array.from({ length: 10 }, (_, i) => begin(app.url, `10.0.1.${i}`, 50 * MEGABYTE))
    await expect.poll(uploadsOf).toHaveLength(10)
    expect(await begin(app.url, '10.0.2.1', 50 * MEGABYTE).answer)
      .toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]/), body: expect.stringContaining('Too many others') })
    expect(await uploadsOf()).toHaveLength(10)
    for (const { upload } of open) upload.destroy()
    await expect.poll(uploadsOf).toEqual([])
  })

  test('whose sender has gone while they wait for their turn are not imported', async () => {
    let goOn = (): void => {}
    const held = Array.from({ length: 2 }, () => services.imports.run({ client: 'first' }, () => new Promise<void>((resolve) => (goOn = ((before) => () => (before(), resolve()))(goOn)))))
    const form = `${HEAD.replace('wren', 'gone')}${LINES}\r\n--b--\r\n`
    const { upload } = begin(app.url, '10.0.3.1', form.length)
    upload.end(form.slice(HEAD.length + LINES.length))
    await expect.poll(() => services.imports.waiting).toBe(1)
    upload.destroy()
    await expect.poll(() => services.imports.waiting).toBe(0)
    goOn()
    await Promise.all(held)
    await expect.poll(uploadsOf).toEqual([])
    expect(await services.userStore.findUser('gone')).toBeNull()
  })
})

test('what a killed process has left behind is removed, and nothing of a living one or of another host', async () => {
  const make = async (name: string): Promise<string> => {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'file'), 'tea')
    return join(folder, name)
  }
  const dead = 2 ** 22 + 1 // more than Linux numbers processes
  const gone = [await make(`hypotweet-upload-${hostname()}-${dead}-abc`), await make(`hypotweet-upload-${hostname()}-${process.pid}-abc`)]
  const kept = [await make(`hypotweet-upload-${hostname()}-${process.ppid}-abc`), await make(`hypotweet-upload-elsewhere-${dead}-abc`), await make('hypotweet-upload-note'), await make('another')]
  await removeLeftUploads()
  expect(gone.filter((path) => existsSync(path))).toEqual([])
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
})

test('an upload of a server that is killed lies there until the next start', async () => {
  const start = (): ReturnType<typeof startProcess> => startProcess('server', { DATA_DIR: join(folder, 'data'), TMPDIR: folder }, /HypoTweet is on (http:\S+\d)/)
  const first = await start()
  const { upload } = begin(first.said[1], '', MEGABYTE)
  await expect.poll(uploadsOf).toHaveLength(1)
  await end(first.child, 'SIGKILL')
  upload.destroy()
  expect(await uploadsOf()).toHaveLength(1)
  const second = await start()
  expect(await uploadsOf()).toEqual([])
  await end(second.child, 'SIGTERM')
}, 120_000)
