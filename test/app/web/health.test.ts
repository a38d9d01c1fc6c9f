import { execFileSync } from 'node:child_process'
import { cp, link, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PATHS } from '../../../src/core/paths.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

describe('health', () => {
  const threads: Worker[] = []
  const remember = (thread: Worker): void => void threads.push(thread)
  let folder: string
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
    await cp(PATHS.encoder, folder, { recursive: true })
    process.on('worker', remember)
    database = await databases.at(-1)!.open()
    services = await openTestServices(database, { EMBEDDING_MODEL: folder })
    app = await serve(services)
  })
  afterEach(async () => {
    process.off('worker', remember)
    threads.length = 0
    await app.close()
    await services.close()
    await database.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function ask(path = '/health'): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(app.url + path)
    return { status: answer.status, body: await answer.json() }
  }
  const well = () => services.threads.encoderName().then((encoder) => ({ status: 200, body: { ready: true, database: 'ok', encoder } }))
  const ill = { status: 503, body: { ready: false, database: 'ok', encoder: 'not loaded' } }

  async function untilWell(): Promise<void> {
    while ((await ask()).status !== 200) await pause(50)
  }

  test('is a 503 when the embedding thread has died and the next cannot load the encoder, until that can be loaded', async () => {
    expect(await ask()).toEqual(await well())
    await rm(join(folder, 'onnx'), { recursive: true })
    await threads[0].terminate() // the embedding thread is the first that is started
    expect(await ask()).toEqual(ill)
    expect(await ask('/health/alive')).toEqual({ status: 200, body: { alive: true } })
    await cp(PATHS.encoder, folder, { recursive: true })
    await untilWell()
    expect(await ask()).toEqual(await well())
  })

  test.skipIf(process.platform === 'win32')('is a 503 while the embedding thread does not answer', async () => {
    const [tokenizer, pipe] = [join(folder, 'tokenizer.json'), join(folder, 'pipe')]
    execFileSync('mkfifo', [pipe]) // a thread that reads it waits until somebody writes to it
    await rm(tokenizer)
    await link(pipe, tokenizer)
    await threads[0].terminate()
    for (let i = 0; i < 3; i++) expect(await ask()).toEqual(ill)
    await rm(tokenizer)
    await cp(join(PATHS.encoder, 'tokenizer.json'), tokenizer)
    await writeFile(pipe, 'not JSON')
    await untilWell()
    expect(await ask()).toEqual(await well())
  })
})
