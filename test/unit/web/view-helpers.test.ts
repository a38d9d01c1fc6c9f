import { describe, expect, test } from 'vitest'
import type { CollectJob } from '../../../src/storage/collect-jobs.js'
import type { StoredUser } from '../../../src/storage/users.js'
import { inHundred, isUnderWay, postUrl, progressInWords, sourceName } from '../../../src/web/view-helpers.js'

test('every source of tweets has its own name', () => {
  const names = (['x', 'archive', 'sample'] as const).map(sourceName)
  expect(names).toEqual(['from X', 'from a file', 'sample'])
})

test.each([[0, 0], [0.824, 82], [0.825, 83], [0.25, 25], [1, 100]])('%d is %d times in 100', (share, times) => {
  expect(inHundred(share)).toBe(times)
})

describe('the URL of a post on X', () => {
  const user = (source: StoredUser['source']): StoredUser => ({
    id: '1', username: 'Fell_Example', name: 'Fell', pictureUrl: null, source, newestTweetId: null, postsOnX: null,
    askedAt: new Date(0), collectedAt: new Date(0), version: 1n, tweets: 20
  })

  test.each(['x', 'archive'] as const)('exists for a post of a user from %s', (source) => {
    expect(postUrl(user(source), '1800000000000000001')).toBe('https://x.com/Fell_Example/status/1800000000000000001')
  })

  test('does not exist for an invented user', () => {
    expect(postUrl(user('sample'), '1800000000000000001')).toBeUndefined()
  })

  test.each(['', 'row:17', '12a', '1/../../x', '-1'])('does not exist for an id that is not one of X: %j', (id) => {
    expect(postUrl(user('archive'), id)).toBeUndefined()
  })
})

describe('the progress of collecting in words', () => {
  const job = (about: Partial<CollectJob>): CollectJob => ({ message: null, read: 0, toRead: 200, kept: 0, removed: 0, embedded: 0, ...about }) as CollectJob

  test.each([
    [{ state: 'queued' }, 'Waiting for its turn…'],
    [{ state: 'working', read: 100 }, 'Reading posts… 100 of 200'],
    [{ state: 'working', read: 1500, toRead: 3200, kept: 1200, embedded: 1100 }, 'Reading posts… 1,500 of 3,200, 1,100 of 1,200 embedded'],
    [{ state: 'waiting', message: 'X asks us to wait.' }, 'X asks us to wait; this goes on by itself.'],
    [{ state: 'done', read: 1, kept: 1 }, '1 post read, 1 new tweet kept.'],
    [{ state: 'done', read: 3200, kept: 2, removed: 1000 }, '3,200 posts read, 2 new tweets kept, 1,000 removed that X no longer shows.'],
    [{ state: 'failed', message: 'There is no X user @nobody.' }, 'There is no X user @nobody.']
  ] as [Partial<CollectJob>, string][])('of %o is "%s"', (about, words) => {
    expect(progressInWords(job(about))).toBe(words)
  })

  test('is under way until it is done or has failed', () => {
    const states = ['queued', 'working', 'waiting', 'done', 'failed'] as const
    expect(states.filter((state) => isUnderWay(job({ state })))).toEqual(['queued', 'working', 'waiting'])
  })
})
