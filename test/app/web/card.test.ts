import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectPicture } from '../../support/png.js'
import { openSampleApp } from '../../support/services.js'

let app: Awaited<ReturnType<typeof openSampleApp>>

beforeAll(async () => {
  app = await openSampleApp()
})
afterAll(() => app?.close())

const card = (query: string, accept = 'image/*'): Promise<Response> =>
  fetch(`${app.url}/predictions/card.png?${query}`, { headers: { accept } })

test('the card of the sample users is a picture that may be kept for an hour', async () => {
  const text = encodeURIComponent('One fears the <cat> & I 🌱')
  const response = await card(`users=ruth_demo&users=ivo_demo&text=${text}`)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png'])
  expect(response.headers.get('cache-control')).toBe('public, max-age=3600')
  expectPicture(Buffer.from(await response.arrayBuffer()))
})

test.each([
  ['users=ruth_demo&text=x', 400, /Pick two to four/],
  ['users=ruth_demo&users=ivo_demo', 400, /there is no text/],
  ['users=ruth_demo&users=nobody_here&text=x', 404, /@nobody_here/]
])('what cannot be drawn (%s) is refused in words and not kept', async (query, status, words) => {
  const [page, json] = await Promise.all([card(query), card(query, 'application/json')])
  expect([page.status, json.status]).toEqual([status, status])
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  expect(page.headers.get('cache-control')).toBeNull()
  expect(((await json.json()) as { error: string }).error).toMatch(words)
})
