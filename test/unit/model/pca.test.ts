import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { principalPlane, project } from '../../../src/model/pca.js'

const random = randomNumbers(5)

/** n rows of d numbers that spread differently along different directions. */
function spreadRows(n: number, d: number): number[][] {
  const mix = Array.from({ length: d }, (_, j) => Array.from({ length: d }, () => (random() - 0.5) * (j + 1)))
  return Array.from({ length: n }, () => {
    const sources = Array.from({ length: d }, (_, j) => (random() - 0.5) * 2 ** -j * 10)
    return mix.map((weights) => 3 + weights.reduce((sum, weight, j) => sum + weight * sources[j], 0))
  })
}

const dot = (a: number[], b: number[]): number => a.reduce((sum, x, j) => sum + x * b[j], 0)
const scaled = (a: number[], factor: number): number[] => a.map((x) => factor * x)
const distance = (a: number[], b: number[]): number => Math.hypot(...a.map((x, j) => x - b[j]))

/** The two directions along which rows differ most, by power iteration: C v over and over, the first taken out. */
function powerIteration(rows: number[][]): number[][] {
  const d = rows[0].length
  const mean = Array.from({ length: d }, (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length)
  let left = rows.map((row) => row.map((x, j) => x - mean[j]))
  return [0, 1].map(() => {
    let v = Array.from({ length: d }, (_, j) => 1 + j / 7)
    for (let step = 0; step < 3000; step++) {
      const next = left.map((row) => scaled(row, dot(row, v))).reduce((sum, row) => sum.map((x, j) => x + row[j]))
      v = scaled(next, 1 / Math.hypot(...next))
    }
    left = left.map((row) => row.map((x, j) => x - dot(row, v) * v[j]))
    return v
  })
}

const axis = ({ axes }: { axes: number[][] }, n: number): number[] => axes.map((row) => row[n])

describe('the plane of rows', () => {
  test.each([2, 3, 4, 6, 8])('has the axes that power iteration finds, in %d dimensions', (d) => {
    const rows = spreadRows(60, d)
    const plane = principalPlane(rows)
    powerIteration(rows).forEach((expected, n) => {
      const sign = Math.sign(dot(axis(plane, n), expected))
      axis(plane, n).forEach((x, j) => expect(x * sign).toBeCloseTo(expected[j], 5))
    })
  })

  test('has axes of length 1 that stand on each other', () => {
    const plane = principalPlane(spreadRows(50, 6))
    expect(dot(axis(plane, 0), axis(plane, 0))).toBeCloseTo(1, 9)
    expect(dot(axis(plane, 1), axis(plane, 1))).toBeCloseTo(1, 9)
    expect(dot(axis(plane, 0), axis(plane, 1))).toBeCloseTo(0, 9)
  })

  test('keeps every distance of rows that lie on a plane', () => {
    const [u, v] = [[1, 2, 0, -1, 3], [0, 1, -2, 1, 1]]
    const rows = Array.from({ length: 30 }, () => {
      const [s, t] = [random() * 4, random() - 0.5]
      return u.map((x, j) => 7 + s * x + t * v[j])
    })
    const plane = principalPlane(rows)
    const places = rows.map((row) => project(plane, row))
    for (let i = 1; i < 30; i++) expect(distance(places[i], places[0])).toBeCloseTo(distance(rows[i], rows[0]), 8)
  })

  test('shows rows no farther apart than they are, and their middle in its own', () => {
    const rows = spreadRows(40, 6)
    const plane = principalPlane(rows)
    const places = rows.map((row) => project(plane, row))
    for (let i = 1; i < 40; i++) {
      expect(distance(places[i], places[0])).toBeLessThanOrEqual(distance(rows[i], rows[0]) + 1e-9)
    }
    for (const n of [0, 1]) expect(places.reduce((sum, place) => sum + place[n], 0)).toBeCloseTo(0, 8)
  })

  test('shows more of the difference along the first axis than along the second', () => {
    const rows = spreadRows(40, 5)
    const places = rows.map((row) => project(principalPlane(rows), row))
    const spread = (n: number): number => places.reduce((sum, place) => sum + place[n] ** 2, 0)
    expect(spread(0)).toBeGreaterThan(spread(1))
    expect(spread(1)).toBeGreaterThan(0)
  })

  test('shows rows that are all equal in one place, and another row somewhere', () => {
    const plane = principalPlane(new Array<number[]>(10).fill([1, 2, 3, 4]))
    const [x, y] = project(plane, [1, 2, 3, 4])
    expect([x, y].map((at) => Math.abs(at))).toEqual([0, 0])
    expect(project(plane, [5, 2, 9, 4]).every(Number.isFinite)).toBe(true)
  })

  test('keeps what two users\' scores say: z and −z of each of two models', () => {
    const scores = Array.from({ length: 40 }, () => [random() * 6 - 3, random() - 0.5])
    const rows = scores.map(([ngrams, encoder]) => [ngrams, -ngrams, encoder, -encoder])
    const plane = principalPlane(rows)
    const places = rows.map((row) => project(plane, row))
    for (let i = 1; i < 40; i++) {
      expect(distance(places[i], places[0])).toBeCloseTo(Math.SQRT2 * distance(scores[i], scores[0]), 8)
    }
  })

  test('keeps distances along a line, with nothing beside it', () => {
    const rows = [0, 1, 2, 5, 9].map((t) => [t, -t, 0, 0])
    const places = rows.map((row) => project(principalPlane(rows), row))
    rows.forEach((row, i) => expect(Math.abs(places[i][0] - places[0][0])).toBeCloseTo(distance(row, rows[0]), 9))
    places.forEach(([, y]) => expect(y).toBeCloseTo(0, 9))
  })

  test('is there for two rows', () => {
    const rows = [[1, 2, 3], [4, 6, 3]]
    const plane = principalPlane(rows)
    expect(distance(project(plane, rows[0]), project(plane, rows[1]))).toBeCloseTo(5, 9)
  })
})
