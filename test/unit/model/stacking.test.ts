import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../support/datasets.js'
import { stackingWeights } from '../../../src/model/stacking.js'

const PRIOR = [1, 0.5]

/** The objective, plainly: the log-loss of the weighted logits, and what keeps ln a and ln b near the prior's. */
function lossOf(a: number, b: number, [u, v]: Float64Array[], labels: Int32Array): number {
  const k = u.length / labels.length
  let loss = 5 * (Math.log(a / PRIOR[0]) ** 2 + Math.log(b / PRIOR[1]) ** 2)
  labels.forEach((y, i) => {
    const z = Array.from({ length: k }, (_, c) => a * u[i * k + c] + b * v[i * k + c])
    loss += Math.log(z.reduce((sum, x) => sum + Math.exp(x), 0)) - z[y]
  })
  return loss
}

/** A number of the standard normal distribution (Box and Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Two models' n×k logits, of which the labels are drawn with the weights a and b. */
function drawn(n: number, k: number, [a, b]: number[], seed: number): { parts: Float64Array[]; labels: Int32Array } {
  const random = randomNumbers(seed)
  const parts = [0, 1].map(() => Float64Array.from({ length: n * k }, () => 2 * normal(random)))
  const labels = Int32Array.from({ length: n }, (_, i) => {
    const odds = Array.from({ length: k }, (_, c) => Math.exp(a * parts[0][i * k + c] + b * parts[1][i * k + c]))
    let rest = random() * odds.reduce((sum, x) => sum + x, 0)
    return odds.findIndex((x) => (rest -= x) < 0)
  })
  return { parts, labels }
}

describe('the weights of two models', () => {
  test.each([[2, 20, 1], [3, 60, 2], [4, 200, 3]])('are where the loss is level: %d users, %d tweets', (k, n, seed) => {
    const { parts, labels } = drawn(n, k, [0.7, 1.2], seed)
    const [a, b] = stackingWeights(parts, labels)
    const step = 1e-5
    const alongA = lossOf(a * Math.exp(step), b, parts, labels) - lossOf(a * Math.exp(-step), b, parts, labels)
    const alongB = lossOf(a, b * Math.exp(step), parts, labels) - lossOf(a, b * Math.exp(-step), parts, labels)
    expect(Math.abs(alongA / (2 * step))).toBeLessThan(2e-3)
    expect(Math.abs(alongB / (2 * step))).toBeLessThan(2e-3)
  })

  test('are better than any of a grid', () => {
    const { parts, labels } = drawn(40, 3, [2, 0.3], 4)
    const [a, b] = stackingWeights(parts, labels)
    const logs = Array.from({ length: 121 }, (_, i) => -3 + i * 0.05)
    const points = logs.flatMap((x) => logs.map((y) => [Math.exp(x), Math.exp(y)]))
    const grid = points.map(([x, y]) => [x, y, lossOf(x, y, parts, labels)])
    const best = grid.reduce((least, point) => (point[2] < least[2] ? point : least))
    expect(lossOf(a, b, parts, labels)).toBeLessThanOrEqual(best[2] + 1e-6)
    expect(Math.abs(Math.log(a / best[0]))).toBeLessThan(0.06)
    expect(Math.abs(Math.log(b / best[1]))).toBeLessThan(0.06)
  })

  test('find again what the labels were drawn with, where there are many', () => {
    const { parts, labels } = drawn(4000, 4, [0.4, 1.5], 5)
    const [a, b] = stackingWeights(parts, labels)
    expect(a).toBeCloseTo(0.4, 1)
    expect(Math.abs(b - 1.5)).toBeLessThan(0.15)
  })

  test('are a third of what they were for logits that are three times as large', () => {
    const { parts: [u], labels } = drawn(4000, 4, [1, 0], 6)
    const [before] = stackingWeights([u, null], labels)
    const [after, none] = stackingWeights([u.map((z) => 3 * z), null], labels)
    expect(Math.abs(before - 1)).toBeLessThan(0.08)
    expect(Math.abs(after - 1 / 3)).toBeLessThan(0.03)
    expect(none).toBe(0)
  })

  test.each([0, 1])('are 0 for a model that is left out, which leaves model %d as beside one that is silent', (m) => {
    const { parts, labels } = drawn(50, 3, [1, 1], 7)
    const silent = new Float64Array(parts[0].length)
    const alone = stackingWeights(parts.map((part, i) => (i === m ? part : null)), labels)
    const beside = stackingWeights(parts.map((part, i) => (i === m ? part : silent)), labels)
    expect(alone[1 - m]).toBe(0)
    expect(alone[m]).toBeGreaterThan(0)
    expect(alone[m]).toBeCloseTo(beside[m], 3)
    expect(beside[1 - m]).toBeCloseTo(PRIOR[1 - m], 3)
  })

  test('stay near what other accounts have chosen where tweets are few, and leave it where they are many', () => {
    const few = drawn(8, 3, [0.1, 3], 8)
    const many = drawn(3000, 3, [0.1, 3], 8)
    const distance = ([a, b]: number[]): number => Math.hypot(Math.log(a / PRIOR[0]), Math.log(b / PRIOR[1]))
    const far = distance([0.1, 3])
    expect(distance(stackingWeights(few.parts, few.labels))).toBeLessThan(far / 3)
    expect(distance(stackingWeights(many.parts, many.labels))).toBeGreaterThan(far * 0.8)
  })

  test('are those of other accounts where the logits say nothing', () => {
    const silent = new Float64Array(30)
    const [a, b] = stackingWeights([silent, silent], Int32Array.from({ length: 10 }, (_, i) => i % 3))
    expect(a).toBeCloseTo(1, 4)
    expect(b).toBeCloseTo(0.5, 4)
  })

  test.each([
    ['always right', 1], ['always wrong', -1]
  ])('are finite and above 0 where the logits are huge and %s', (_, sign) => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2)
    const logits = Float64Array.from({ length: 80 }, (_, p) => sign * (p % 2 === labels[p >> 1] ? 500 : -500))
    for (const weight of stackingWeights([logits, logits], labels)) {
      expect(weight).toBeGreaterThan(0)
      expect(weight).toBeLessThan(1000)
    }
  })

  test('are small for logits that are wrong', () => {
    const { parts: [u, v], labels } = drawn(500, 3, [1, 1], 9)
    expect(stackingWeights([u.map((z) => -z), v], labels)[0]).toBeLessThan(0.1)
  })
})
