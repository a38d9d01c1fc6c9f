import { describe, expect, test } from 'vitest'
import { mapDots, postUrl, shadedRuns } from '../../../src/pictures/charts.js'
import type { PredictionMap } from '../../../src/prediction/predict-author.js'
import { LINK } from '../../../src/text/normalize.js'
import { signed } from '../../../src/text/format.js'
import type { StoredUser } from '../../../src/storage/users.js'

describe('a signed number', () => {
  test.each([
    [2.345, '+2.3'], [-2.345, '−2.3'], [0, '+0.0'], [-0.02, '−0.0'], [0.05, '+0.1'], [-12, '−12.0'], [123.456, '+123.5']
  ])('%d is %j', (part, shown) => {
    expect(signed(part)).toBe(shown)
  })
})

describe('shaded runs', () => {
  test('are cut where the shade changes', () => {
    expect(shadedRuns([...'abcdef'], [1, 1, -1, -1, 0, 1])).toEqual([
      { text: 'ab', shade: 'for-4' },
      { text: 'cd', shade: 'against-4' },
      { text: 'e', shade: 'none' },
      { text: 'f', shade: 'for-4' }
    ])
  })

  test('are shaded in proportion to the strongest, for and against', () => {
    const runs = shadedRuns([...'abcdefgh'], [8, 6, 4, 2, 0.5, -2, -4, -8])
    expect(runs.map(({ shade }) => shade)).toEqual([
      'for-4', 'for-3', 'for-2', 'for-1', 'none', 'against-1', 'against-2', 'against-4'
    ])
  })

  test('keep the text, character by character, and show a link by a sign', () => {
    const split = ['👩🏽‍🚀', ' ', LINK, 'e\u0301', '\n', '<']
    const runs = shadedRuns(split, [1, -1, 0.5, 0.3, 0.1, -0.6])
    expect(runs.map(({ text }) => text).join('')).toBe('👩🏽‍🚀 🔗e\u0301\n<')
  })

  test('are not shaded where nothing has a weight', () => {
    expect(shadedRuns([...'abc'], [0, 0, 0])).toEqual([{ text: 'abc', shade: 'none' }])
  })

  test('of no text are none', () => {
    expect(shadedRuns([], [])).toEqual([])
  })
})

describe('the dots of a map', () => {
  const tweetAt = (place: [number, number], username = 'somebody') => ({ username, text: `at ${place}`, place })

  const picture = (map: PredictionMap) => {
    const { dots, cross } = mapDots(map)
    return [cross, ...dots]
  }

  test.each([
    ['far apart', [[-900, 4], [800, 700], [3, -2]]],
    ['near each other', [[0.001, 0.002], [0.0012, 0.0021], [0.0011, 0.0025]]],
    ['on a line', [[0, 0], [5, 0], [9, 0]]],
    ['on an upright line', [[1, 0], [1, 5], [1, 9]]]
  ] as [string, [number, number][]][])('lie within the picture and reach its margin: %s', (_, places) => {
    const points = picture({ text: places[0], tweets: places.slice(1).map((place) => tweetAt(place)) })
    for (const { x, y } of points) {
      expect(x).toBeGreaterThanOrEqual(16)
      expect(x).toBeLessThanOrEqual(640 - 16)
      expect(y).toBeGreaterThanOrEqual(16)
      expect(y).toBeLessThanOrEqual(420 - 16)
    }
    const width = Math.max(...points.map(({ x }) => x)) - Math.min(...points.map(({ x }) => x))
    const height = Math.max(...points.map(({ y }) => y)) - Math.min(...points.map(({ y }) => y))
    expect(Math.max(width / (640 - 32), height / (420 - 32))).toBeCloseTo(1, 2)
  })

  test('have one scale for both directions, upwards being up', () => {
    const { dots, cross } = mapDots({ text: [0, 0], tweets: [tweetAt([10, 0]), tweetAt([0, 10]), tweetAt([-10, -10])] })
    const [right, up] = dots
    expect(right.y).toBe(cross.y)
    expect(up.x).toBe(cross.x)
    expect(Math.abs(right.x - cross.x - (cross.y - up.y))).toBeLessThanOrEqual(1)
    expect(right.x).toBeGreaterThan(cross.x)
    expect(up.y).toBeLessThan(cross.y)
  })

  test('are in the middle where all are in one place', () => {
    const points = picture({ text: [3, 4], tweets: [tweetAt([3, 4]), tweetAt([3, 4])] })
    for (const point of points) expect(point).toMatchObject({ x: 320, y: 210 })
  })

  test('keep whose they are and what they say', () => {
    const { dots } = mapDots({ text: [0, 0], tweets: [tweetAt([1, 2], 'one'), tweetAt([2, 1], 'two')] })
    expect(dots).toMatchObject([{ username: 'one', text: 'at 1,2' }, { username: 'two', text: 'at 2,1' }])
  })

  test('are none where there are no tweets', () => {
    expect(mapDots({ text: [7, 7], tweets: [] })).toEqual({ dots: [], cross: { x: 320, y: 210 } })
  })
})

describe('the address of a post on X', () => {
  const user = (source: StoredUser['source']): StoredUser => ({
    id: '1', username: 'Fell_Example', name: 'Fell', pictureUrl: null, source, newestTweetId: null, postsOnX: null,
    collectedAt: new Date(0), tweets: 20
  })

  test.each(['x', 'archive'] as const)('is there for a post of a user from %s', (source) => {
    expect(postUrl(user(source), '1800000000000000001')).toBe('https://x.com/Fell_Example/status/1800000000000000001')
  })

  test('is not there for an invented user', () => {
    expect(postUrl(user('sample'), '1800000000000000001')).toBeUndefined()
  })

  test.each(['', 'row:17', '12a', '1/../../x', '-1'])('is not there for an id that X does not give: %j', (id) => {
    expect(postUrl(user('archive'), id)).toBeUndefined()
  })
})
