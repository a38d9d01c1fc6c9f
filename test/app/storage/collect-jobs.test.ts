import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { createCollectJobs, ENDED, LeaseLost, type CollectJobs } from '../../../src/storage/collect-jobs.js'
import { connect } from '../../../src/storage/database.js'
import { saveUser } from '../../../src/storage/users.js'
import { databases, useDatabase } from '../../support/databases.js'
import { profile } from '../../support/stored-users.js'

const EXPIRY = 200 // ms
const PROFILE = { id: '1', username: 'Ann', name: 'A', pictureUrl: null, posts: 3 }

describe.each(databases)('collect jobs in the $name', ({ open }) => {
  let prisma: ReturnType<typeof connect>
  let collectJobs: CollectJobs

  useDatabase(open, (opened) => {
    prisma = opened
    collectJobs = createCollectJobs(prisma, { heartbeat: 50, expiry: EXPIRY })
  })
  beforeEach(() => collectJobs.reset())

  const overdue = async () => (await collectJobs.listOverdue()).map(({ usernameKey }) => usernameKey)
  const find = async (username: string) => (await collectJobs.find([username]))[0]

  test('are one for each user, however many request it at once and in whatever case', async () => {
    const asked = await Promise.all(Array.from({ length: 12 }, (_, i) => collectJobs.request(i % 2 ? 'Ann' : 'ANN', 200)))
    expect(asked.filter(Boolean)).toHaveLength(1)
    expect(await find('aNN')).toMatchObject({ usernameKey: 'ann', state: 'queued', toRead: 200, read: 0 })
  })

  test('come in turns between those who asked for them', async () => {
    for (let i = 0; i < 5; i++) await collectJobs.request(`a${i}`, 20, { askedBy: '10.0.0.1', pauseMs: -EXPIRY - 100 + i })
    await collectJobs.request('b0', 20, { askedBy: '10.0.0.2', pauseMs: -EXPIRY - 50 })
    expect((await overdue()).slice(0, 3)).toEqual(['a0', 'b0', 'a1'])
    for (const key of ['a0', 'b0', 'a1']) await collectJobs.claim(key, 'w')
    await collectJobs.request('c0', 20, { askedBy: '10.0.0.3', pauseMs: -EXPIRY - 50 })
    expect((await overdue()).indexOf('c0')).toBeLessThan(2)
  })

  test('forget who asked for them when they end', async () => {
    await collectJobs.request('Ann', 20, { askedBy: '10.0.0.1' })
    await collectJobs.claim('ann', 'w')
    await collectJobs.saveProgress({ usernameKey: 'ann', worker: 'w' }, { ...ENDED, state: 'done' })
    expect(await prisma.collectJob.findMany({ select: { askedBy: true } })).toEqual([{ askedBy: null }])
  })

  test.each([['done', null, 'stored', false], ['done', null, 'removed', true], ['failed', 'not-found', 'removed', false], ['failed', 'unavailable', 'removed', true]] as const)(
    'that have just ended as %s (%s), with their user %s: that a visitor may start them again is %s', async (state, reason, user, starts) => {
      if (user === 'stored') await prisma.$transaction((tx) => saveUser(tx, profile('Ann')))
      await collectJobs.request('Ann', 20)
      await collectJobs.claim('ann', 'w')
      await collectJobs.saveProgress({ usernameKey: 'ann', worker: 'w' }, { ...ENDED, state, reason })
      expect((await collectJobs.request('Ann', 20, { restMs: 60_000 })) !== null).toBe(starts)
      if (!starts) expect(await collectJobs.request('Ann', 20)).not.toBeNull() // the operator's refresh
    })

  test('are each held by one worker', async () => {
    await collectJobs.request('Ann', 200)
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => collectJobs.claim('ann', `worker ${i}`)))
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await collectJobs.request('Ann', 200)).toBeNull()
  })

  test('cannot be claimed before they are due', async () => {
    await collectJobs.request('Ann', 200, { pauseMs: 60_000 })
    expect(await collectJobs.claim('ann', 'early')).toBeNull()
    expect(await collectJobs.listOverdue()).toEqual([])
  })

  test('pass from a dead worker to another, and the dead one can save no more progress', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'first')
    await collectJobs.saveProgress({ usernameKey: 'ann', worker: 'first' }, { read: 100, oldestId: '7' })
    expect(await collectJobs.claim('ann', 'second')).toBeNull()
    await pause(EXPIRY + 50)
    expect(await overdue()).toEqual(['ann'])
    expect(await collectJobs.claim('ann', 'second')).toMatchObject({ read: 100, oldestId: '7' })
    await expect(collectJobs.saveProgress({ usernameKey: 'ann', worker: 'first' }, { read: 200 })).rejects.toThrow(LeaseLost)
    expect(await find('ann')).toMatchObject({ worker: 'second', read: 100 })
  })

  test('stay with a worker that renews its lease, however long it takes', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'slow')
    for (let i = 0; i < 6; i++) {
      await pause(EXPIRY / 4)
      await collectJobs.renewLeases('slow', ['ann'])
    }
    expect(await collectJobs.claim('ann', 'other')).toBeNull()
    expect(await collectJobs.listOverdue()).toEqual([])
  })

  test('of which a worker renews one expire for the others', async () => {
    for (const username of ['Ann', 'Bob']) await collectJobs.request(username, 200)
    for (const key of ['ann', 'bob']) await collectJobs.claim(key, 'slow')
    for (let i = 0; i < 6; i++) {
      await pause(EXPIRY / 4)
      await collectJobs.renewLeases('slow', ['bob'])
    }
    expect(await overdue()).toEqual(['ann'])
  })

  test('are released by a worker that stops', async () => {
    for (const username of ['Ann', 'Bob']) await collectJobs.request(username, 200)
    await collectJobs.claim('ann', 'stopping')
    await collectJobs.claim('bob', 'going on')
    expect(await collectJobs.releaseAll('stopping')).toMatchObject([{ usernameKey: 'ann' }])
    expect(await find('bob')).toMatchObject({ state: 'working' })
    expect(await collectJobs.claim('ann', 'next')).toMatchObject({ username: 'Ann' })
  })

  test('that are due and that no worker takes are listed', async () => {
    await collectJobs.request('Ann', 200, { pauseMs: -EXPIRY - 1 })
    expect(await overdue()).toEqual(['ann'])
  })

  test('that failed half-way resume there when they are requested again', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'w')
    await collectJobs.saveProfile({ usernameKey: 'ann', worker: 'w' }, PROFILE, null)
    await collectJobs.saveProgress({ usernameKey: 'ann', worker: 'w' }, { state: 'failed', reason: 'unavailable', message: 'No.', read: 100, kept: 90, newestId: '9', oldestId: '7' })
    expect(await collectJobs.request('Ann', 300)).not.toBeNull()
    expect(await find('ann')).toMatchObject({
      state: 'queued', message: null, reason: null, toRead: 300, read: 100, kept: 90, newestId: '9', oldestId: '7'
    })
    expect(await collectJobs.claim('ann', 'w')).toMatchObject({ profile: PROFILE, oldestId: '7' })
  })

  test.each([
    ['of another shape', { id: 7, username: 'Ann' }],
    ['in which something is missing', { id: '1', username: 'Ann', name: 'A' }],
    ['that is no object', 'Ann'],
    ['that is empty', {}]
  ])('have no profile where the stored one is damaged: one %s', async (_damage, profile) => {
    await collectJobs.request('Ann', 200)
    await prisma.collectJob.updateMany({ data: { profile, oldestId: '7', read: 100 } })
    expect(await collectJobs.claim('ann', 'w')).toMatchObject({ profile: null, oldestId: '7', read: 100 })
  })

  test('that are done start again when they are requested again', async () => {
    await collectJobs.request('Ann', 200)
    await collectJobs.claim('ann', 'w')
    await collectJobs.saveProgress({ usernameKey: 'ann', worker: 'w' }, { state: 'done', read: 100, kept: 90, removed: 2, embedded: 90, newestId: '9', oldestId: '7', sinceId: '3' })
    expect(await collectJobs.request('Ann', 200)).not.toBeNull()
    expect(await find('ann')).toMatchObject({
      state: 'queued', read: 0, kept: 0, removed: 0, embedded: 0, newestId: null, oldestId: null, sinceId: null
    })
    expect(await collectJobs.claim('ann', 'w')).toMatchObject({ profile: null })
  })

  test('that failed a day ago are removed, except those that can resume', async () => {
    for (const username of ['Old', 'Half', 'New']) {
      await collectJobs.request(username, 200)
      await collectJobs.claim(username.toLowerCase(), 'w')
      await collectJobs.saveProgress({ usernameKey: username.toLowerCase(), worker: 'w' }, { state: 'failed', message: 'No.', oldestId: username === 'Half' ? '7' : null })
    }
    await prisma.collectJob.updateMany({ where: { usernameKey: { not: 'new' } }, data: { updatedAt: new Date(Date.now() - 25 * 3_600_000) } })
    await collectJobs.removeOldFailures()
    expect((await collectJobs.find(['Old', 'Half', 'New'])).map(({ usernameKey }) => usernameKey)).toEqual(['half', 'new'])
  })
})
