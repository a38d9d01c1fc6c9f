import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSampleApp, serve } from '../../support/services.js'
import { profile, tweetsOf } from '../../support/stored-users.js'

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

test('the admin page says how full the storage is, and removes whom nobody asks about', async () => {
  const { services, url } = sample
  const headers = { authorization: `Basic ${Buffer.from('admin:a long password').toString('base64')}`, accept: 'text/html' }
  await services.tweetStore.saveTweets(profile('Ann'), null, tweetsOf('Ann', 3), 'e')
  await services.prisma.user.updateMany({ data: { askedAt: new Date('2020-01-01') } })
  const before = await (await fetch(`${url}/admin`, { headers })).text()
  expect(before).toMatch(/\d\.\d MB are stored of 500 MB/)
  expect(before).toContain('Nobody has asked about 1 user for 90 days')
  await fetch(`${url}/users/ruth_demo`)
  expect((await services.userStore.findUser('ruth_demo'))!.askedAt.getTime()).toBeGreaterThan(Date.now() - 60_000)
  const removed = await fetch(`${url}/admin/remove-unasked`, { method: 'POST', headers })
  expect(await removed.text()).toContain('1 user removed')
  expect(await services.userStore.findUser('Ann')).toBeNull()
  expect(await services.userStore.findUser('milo_demo')).not.toBeNull()
})
