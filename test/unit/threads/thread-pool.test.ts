import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openThreads, type Threads } from '../../../src/threads/pool.js'
import { ThreadLost } from '../../../src/threads/thread-pool.js'

const workers: Worker[] = []
const remember = (worker: Worker): void => void workers.push(worker)
let threads: Threads

beforeEach(async () => {
  process.on('worker', remember)
  threads = openThreads()
  await Promise.all([threads.encoderName(), threads.readTexts(['Now they are up.'])])
})
afterEach(async () => {
  process.off('worker', remember)
  workers.length = 0
  await threads.close()
})

const MANY = Array.from({ length: 20_000 }, (_, i) => `Tweet number ${i} of many, which takes a thread a while to read.`)

test('a task whose thread ends rejects with ThreadLost, and another thread takes the next task', async () => {
  const [, ...fitting] = workers
  const lost = threads.readTexts(MANY)
  const outcome = expect(lost).rejects.toThrow(ThreadLost)
  await Promise.all(fitting.map((worker) => worker.terminate()))
  await outcome
  await expect(lost).rejects.toMatchObject({ reason: 'unavailable', cause: expect.any(Error) })
  expect((await threads.readTexts(['One more.'])).templates).toHaveLength(1)
})

test('an embedding that is asked for while the threads are closed rejects with ThreadLost', async () => {
  const closed = threads.close()
  await expect(threads.embed(['too late'])).rejects.toThrow(ThreadLost)
  await closed
})
