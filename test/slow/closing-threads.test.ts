import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// In a process of its own: a thread that is stopped within onnxruntime takes the whole process along.
const SCRIPT = `
  import { setTimeout as pause } from 'node:timers/promises'
  const { openThreads } = await import(process.argv[1])
  const texts = Array.from({ length: 300 }, (_, i) => 'It rains, and rains, ' + i + ' times.')

  let closed = 0

  async function closeAfter(ms, { loaded }) {
    const threads = openThreads()
    if (loaded) await threads.encoderName()
    const outcome = threads.embed(texts).catch((error) => error)
    await pause(ms)
    await threads.close()
    await outcome
    closed++
  }

  for (let ms = 0; ms < 48; ms += 4) await closeAfter(ms, { loaded: true })
  for (let ms = 100; ms <= 850; ms += 250) await closeAfter(ms, { loaded: false })
  console.log('closed', closed, 'times')`

test('a process goes on after its threads are closed while they load the encoder and while they embed', { timeout: 120_000 }, async () => {
  const code = new URL('../../dist/threads/pool.js', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT, code])
  expect(stdout).toBe('closed 16 times\n')
})
