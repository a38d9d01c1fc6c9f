import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSampleApp, serve } from '../../support/services.js'

let sample: Awaited<ReturnType<typeof openSampleApp>>
beforeAll(async () => {
  sample = await openSampleApp({ ADMIN_PASSWORD: 'a long password' })
})
afterAll(() => sample?.close())

test('a database that fails after an update gives a 500 page and no unhandled rejection', async () => {
  const { services } = sample
  let calls = 0
  const listUsers = (): ReturnType<typeof services.userStore.listUsers> =>
    ++calls === 2 ? Promise.reject(new Error('connection lost')) : services.userStore.listUsers()
  const app = await serve({ ...services, userStore: { ...services.userStore, listUsers } })
  const authorization = `Basic ${Buffer.from('admin:a long password').toString('base64')}`
  const answer = await fetch(`${app.url}/admin/update`, { method: 'POST', headers: { authorization, accept: 'text/html' } })
  await app.close()
  expect(calls).toBeGreaterThanOrEqual(2)
  expect(answer.status).toBe(500)
  expect(await answer.text()).not.toContain('connection lost')
})
