import { expect, test } from 'vitest'
import { createHealthCheck } from '../../../src/services/health.js'
import type { Services } from '../../../src/services/services.js'

test('a database that is silent is asked once, however often its health is, and again when it has answered', async () => {
  let pings = 0
  let answer = (): void => {}
  const ping = (): Promise<void> => (pings++, new Promise((resolve) => (answer = resolve)))
  const check = createHealthCheck({ userStore: { ping }, threads: { checkEncoder: async () => 'e' } } as unknown as Services)
  const ill = { ready: false, database: 'unreachable', encoder: 'e' }
  expect(await Promise.all(Array.from({ length: 50 }, check))).toEqual(Array(50).fill(ill))
  expect(await check()).toEqual(ill)
  expect(pings).toBe(1)
  answer()
  await new Promise(setImmediate)
  const again = check()
  answer()
  expect(await again).toEqual({ ready: true, database: 'ok', encoder: 'e' })
  expect(pings).toBe(2)
})
