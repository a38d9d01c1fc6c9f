import { describe, expect, test } from 'vitest'
import { candidateBars, heatMap, mapChart, mapDots, marker, shadedRuns } from '../../../src/pictures/prediction-charts.js'
import type { PredictionMap } from '../../../src/prediction/predict-author.js'
import { LINK } from '../../../src/text/normalize.js'

describe('the bars of the candidates', () => {
  test('are as wide as the candidates are likely, of 100', () => {
    const bars = candidateBars([{ probability: 0.98765, ngrams: 1, encoder: 1 }, { probability: 0.01244, ngrams: -1, encoder: -1 }])
    expect(bars.map(({ width }) => width)).toEqual(['98.77', '1.24'])
  })

  test('of what a model adds go from the middle to either side, in proportion to the largest of all', () => {
    const [first, second] = candidateBars([{ probability: 0.5, ngrams: 4, encoder: -1 }, { probability: 0.5, ngrams: -2, encoder: 0.5 }])
    expect(first.parts).toEqual({ ngrams: { side: 'for', x: '50.00', width: '50.00' }, encoder: { side: 'against', x: '37.50', width: '12.50' } })
    expect(second.parts).toEqual({ ngrams: { side: 'against', x: '25.00', width: '25.00' }, encoder: { side: 'for', x: '50.00', width: '6.25' } })
  })

  test('can be seen where a model adds nothing', () => {
    const [{ parts }] = candidateBars([{ probability: 0.5, ngrams: 0, encoder: 0 }])
    expect(parts).toEqual({ ngrams: { side: 'for', x: '50.00', width: '0.50' }, encoder: { side: 'for', x: '50.00', width: '0.50' } })
  })
})

describe('a shaded text', () => {
  test('is cut where the shade changes', () => {
    expect(shadedRuns([...'abcdef'], [1, 1, -1, -1, 0, 1])).toEqual([
      { text: 'ab', shade: 'for-4' },
      { text: 'cd', shade: 'against-4' },
      { text: 'e', shade: 'none' },
      { text: 'f', shade: 'for-4' }
    ])
  })

  test('has shades in proportion to the strongest weight, for and against', () => {
    const runs = shadedRuns([...'abcdefgh'], [8, 6, 4, 2, 0.5, -2, -4, -8])
    expect(runs.map(({ shade }) => shade)).toEqual([
      'for-4', 'for-3', 'for-2', 'for-1', 'none', 'against-1', 'against-2', 'against-4'
    ])
  })

  test('keeps every character, and shows a link as a symbol', () => {
    const split = ['👩🏽‍🚀', ' ', LINK, 'e\u0301', '\n', '<']
    const runs = shadedRuns(split, [1, -1, 0.5, 0.3, 0.1, -0.6])
    expect(runs.map(({ text }) => text).join('')).toBe('👩🏽‍🚀 🔗e\u0301\n<')
  })

  test('has no shades where nothing has a weight', () => {
    expect(shadedRuns([...'abc'], [0, 0, 0])).toEqual([{ text: 'abc', shade: 'none' }])
  })

  test('has no runs where there is no text', () => {
    expect(shadedRuns([], [])).toEqual([])
  })
})

describe('the dots of the map', () => {
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

  test('have one scale for both coordinates, and the second grows upwards', () => {
    const { dots, cross } = mapDots({ text: [0, 0], tweets: [tweetAt([10, 0]), tweetAt([0, 10]), tweetAt([-10, -10])] })
    const [right, up] = dots
    expect(right.y).toBe(cross.y)
    expect(up.x).toBe(cross.x)
    expect(Math.abs(right.x - cross.x - (cross.y - up.y))).toBeLessThanOrEqual(1)
    expect(right.x).toBeGreaterThan(cross.x)
    expect(up.y).toBeLessThan(cross.y)
  })

  test('are in the middle when all are in one place', () => {
    const points = picture({ text: [3, 4], tweets: [tweetAt([3, 4]), tweetAt([3, 4])] })
    for (const point of points) expect(point).toMatchObject({ x: 320, y: 210 })
  })

  test('have their usernames and texts', () => {
    const { dots } = mapDots({ text: [0, 0], tweets: [tweetAt([1, 2], 'one'), tweetAt([2, 1], 'two')] })
    expect(dots).toMatchObject([{ username: 'one', text: 'at 1,2' }, { username: 'two', text: 'at 2,1' }])
  })

  test('are none where there are no tweets', () => {
    expect(mapDots({ text: [7, 7], tweets: [] })).toEqual({ dots: [], cross: { x: 320, y: 210 } })
  })
})

describe('the map', () => {
  const candidates = ['ann', 'bob'].map((username) => ({ user: { username } }))
  const tweets = [
    { username: 'bob', text: 'far', place: [0, 0] as [number, number] },
    { username: 'ann', text: 'near', place: [9, 9] as [number, number] },
    { username: 'bob', text: 'far too', place: [0, 10] as [number, number] }
  ]

  test('has a marker for each tweet by the rank of its user, a cross for the text, and says whose dot is nearest', () => {
    const map = { text: [10, 10] as [number, number], tweets }
    const { dots, cross, nearest } = mapChart({ candidates, map })
    expect(dots.map(({ username, text, rank }) => [username, text, rank])).toEqual([['bob', 'far', 1], ['ann', 'near', 0], ['bob', 'far too', 1]])
    expect(dots.map(({ marker }) => /^<\w+/.exec(marker)![0])).toEqual(['<rect', '<circle', '<rect'])
    const placed = mapDots(map)
    expect(dots.map(({ marker }) => marker)).toEqual(placed.dots.map((dot, i) => marker(dots[i].rank, dot)))
    expect(cross).toBe(`M${placed.cross.x - 10} ${placed.cross.y}h20M${placed.cross.x} ${placed.cross.y - 10}v20`)
    expect(nearest).toBe('ann')
  })

  test('has another shape for each rank, around the same point', () => {
    expect([0, 1, 2, 3].map((rank) => marker(rank, { x: 7, y: 7 }))).toEqual([
      '<circle cx="7" cy="7" r="5" />', '<rect x="2.5" y="2.5" width="9" height="9" />', '<path d="M7 1l5.5 10h-11z" />', '<path d="M7 1l6 6l-6 6l-6-6z" />'
    ])
  })
})

describe('the heat map of a confusion matrix', () => {
  test('says of 100 tweets by each user how many are given to whom, with ten shades', () => {
    expect(heatMap([[95, 5], [1, 2]])).toEqual([
      [{ times: 95, shade: 10 }, { times: 5, shade: 1 }],
      [{ times: 33, shade: 3 }, { times: 67, shade: 7 }]
    ])
  })

  test('is 0 for a user of whom no tweet was judged', () => {
    expect(heatMap([[0, 0], [0, 4]])).toEqual([[{ times: 0, shade: 0 }, { times: 0, shade: 0 }], [{ times: 0, shade: 0 }, { times: 100, shade: 10 }]])
  })
})
