import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCollectJobs, LeaseLost, type CollectJobs } from '../../../src/storage/collect-jobs.js'
import { connect } from '../../../src/storage/database.js'
import { databases, type TestDatabase } from '../../support/databases.js'

const SILENCE = 200 // ms

describe.each(databases)('collectings in the $name', ({ open }) => {
  let database: TestDatabase
  let prisma: ReturnType<typeof connect>
  let collectJobs: CollectJobs

  beforeAll(async () => {
    database = await open()
    prisma = connect(database.url)
    collectJobs = createCollectJobs(prisma, { beat: 50, silence: SILENCE })
  })
  beforeEach(() => collectJobs.reset())
  afterAll(async () => {
    await prisma.$disconnect()
    await database.close()
  })

  const find = async (username: string) => (await collectJobs.find([username]))[0]

  test('of one user are one, whoever asks at the same time and in whatever case', async () => {
    const asked = await Promise.all(Array.from({ length: 12 }, (_, i) => collectJobs.request(i % 2 ? 'Ann' : 'ANN', 200)))
    expect(asked.filter(Boolean)).toHaveLength(1)
    expect(await find('aNN')).toMatchObject({ usernameKey: 'ann', state: 'queued', toRead: 200, read: 0 })
  })

  test('are each held by one worker', async () => {
    await collectJobs.request('Ann', 200)
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => collectJobs.claim('ann', `worker ${i}`)))
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await collectJobs.request('Ann', 200)).toBe(false)
  })

  test('are held by nobody before they are due', async () => {
    await collectJobs.request('Ann', 200, new Date(Date.now() + 60_000))
    expect(await collectJobs.claim('ann', 'early')).toBeNull()
    expect(await collectJobs.listForgotten()).toEqual([])
  })

  test('pass on from a worker that has died, whose steps count no more', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'first')
    await collectJobs.step('ann', 'first', { read: 100, oldestId: '7' })
    expect(await collectJobs.claim('ann', 'second')).toBeNull()
    await pause(SILENCE + 50)
    expect(await collectJobs.listForgotten()).toEqual(['ann'])
    expect(await collectJobs.claim('ann', 'second')).toMatchObject({ read: 100, oldestId: '7' })
    await expect(collectJobs.step('ann', 'first', { read: 200 })).rejects.toThrow(LeaseLost)
    expect(await find('ann')).toMatchObject({ worker: 'second', read: 100 })
  })

  test('stay with a worker that lives, however long it takes', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'slow')
    for (let i = 0; i < 6; i++) {
      await pause(SILENCE / 4)
      await collectJobs.beat('slow')
    }
    expect(await collectJobs.claim('ann', 'other')).toBeNull()
    expect(await collectJobs.listForgotten()).toEqual([])
  })

  test('are handed back by a worker that stops', async () => {
    for (const username of ['Ann', 'Bob']) await collectJobs.request(username, 200)
    await collectJobs.claim('ann', 'stopping')
    await collectJobs.claim('bob', 'going on')
    expect(await collectJobs.handBack('stopping')).toEqual(['ann'])
    expect(await find('bob')).toMatchObject({ state: 'working' })
    expect(await collectJobs.claim('ann', 'next')).toMatchObject({ username: 'Ann' })
  })

  test('that nobody came for are found', async () => {
    await collectJobs.request('Ann', 200, new Date(Date.now() - SILENCE - 1))
    expect(await collectJobs.listForgotten()).toEqual(['ann'])
  })

  test('that have failed half-way go on there when they are asked for again', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'w')
    await collectJobs.saveProfile('ann', 'w', { id: '1', username: 'Ann', name: 'A', pictureUrl: null, posts: 3 }, null)
    await collectJobs.step('ann', 'w', { state: 'failed', reason: 'unavailable', message: 'No.', read: 100, kept: 90, newestId: '9', oldestId: '7' })
    expect(await collectJobs.request('Ann', 300)).toBe(true)
    expect(await find('ann')).toMatchObject({
      state: 'queued', message: null, status: null, toRead: 300, read: 100, kept: 90, newestId: '9', oldestId: '7', profile: { id: '1' }
    })
  })

  test('that are done begin with a new look', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'w')
    await collectJobs.step('ann', 'w', { state: 'done', read: 100, kept: 90, removed: 2, embedded: 90, newestId: '9', oldestId: '7', sinceId: '3' })
    expect(await collectJobs.request('Ann', 200)).toBe(true)
    expect(await find('ann')).toMatchObject({
      state: 'queued', read: 0, kept: 0, removed: 0, embedded: 0, newestId: null, oldestId: null, sinceId: null, profile: null
    })
  })

  test('that failed a day ago are forgotten, but for those that can go on', async () => {
    for (const username of ['Old', 'Half', 'New']) {
      await collectJobs.request(username, 200)
      await collectJobs.claim(username.toLowerCase(), 'w')
      await collectJobs.step(username.toLowerCase(), 'w', { state: 'failed', message: 'No.', oldestId: username === 'Half' ? '7' : null })
    }
    await prisma.collectJob.updateMany({ where: { usernameKey: { not: 'new' } }, data: { updatedAt: new Date(Date.now() - 25 * 3_600_000) } })
    await collectJobs.forgetOld()
    expect((await collectJobs.find(['Old', 'Half', 'New'])).map(({ usernameKey }) => usernameKey)).toEqual(['half', 'new'])
  })
})
