import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFairQueue } from '../../../src/threads/fair-queue.js'
import { expectPicture } from '../../support/png.js'
import { openSampleApp, serve } from '../../support/services.js'

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

describe('pictures', () => {
  let drawn: number
  let goOn: () => void
  let own: Awaited<ReturnType<typeof serve>>

  beforeEach(async () => {
    drawn = 0
    const open = new Promise<void>((resolve) => (goOn = resolve))
    const draw = async (svg: string) => (drawn++, await open, app.services.threads.draw(svg))
    own = await serve({ ...app.services, threads: { ...app.services.threads, draw }, drawing: createFairQueue({ running: 1, waiting: 3, waitingPerClient: 2 }) })
    return () => own.close()
  })

  const ask = async (text: string, signal?: AbortSignal): Promise<number> =>
    (await fetch(`${own.url}/predictions/card.png?users=ruth_demo&users=ivo_demo&text=${text}`, { signal })).status
  const settle = () => new Promise((resolve) => setTimeout(resolve, 300))

  test('that are asked for again are not drawn again', async () => {
    goOn()
    expect(await Promise.all([ask('same+one'), ask('same+one')])).toEqual([200, 200])
    expect(await ask('same+one')).toBe(200)
    expect(drawn).toBe(1)
  })

  test('are refused at once where too many wait, and not drawn where nobody waits any more', async () => {
    const first = ask('first+one')
    await settle()
    const leaving = new AbortController()
    const left = ['second', 'third'].map((text) => ask(text, leaving.signal).catch(() => 'gone'))
    await settle()
    expect(await ask('fourth')).toBe(503)
    leaving.abort()
    expect(await Promise.all(left)).toEqual(['gone', 'gone'])
    await settle()
    goOn()
    expect([await first, await ask('fifth')]).toEqual([200, 200])
    expect(drawn).toBe(2)
  })
})
