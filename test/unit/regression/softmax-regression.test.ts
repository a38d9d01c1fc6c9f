import LogisticRegression from 'ml-logistic-regression'
import { Matrix, solve } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { balancedWeights } from '../../../src/regression/classes.js'
import { withGramMatrix } from '../../../src/regression/gram-matrix.js'
import { withProducts } from '../../../src/regression/matrix-products.js'
import { primalObjective, type PrimalSettings } from '../../../src/regression/primal-logistic-regression.js'
import { argmax, softmaxInPlace } from '../../../src/regression/softmax.js'
import { SoftmaxRegression, type SoftmaxOptions } from '../../../src/regression/softmax-regression.js'
import type { SparseRows } from '../../../src/regression/sparse-matrix.js'

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function numbersFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Data {
  x: number[][]
  y: number[]
}

/** n rows of d features, the last of them 1, and classes drawn from a softmax of them: no two classes can be parted. */
function draw({ n, d, k, seed, zeros = 0 }: { n: number; d: number; k: number; seed: number; zeros?: number }): Data {
  const random = numbersFrom(seed)
  const truth = Array.from({ length: d }, () => Array.from({ length: k }, () => 2 * random() - 1))
  const x = Array.from({ length: n }, () =>
    Array.from({ length: d }, (_, j) => (j === d - 1 ? 1 : random() < zeros ? 0 : Math.fround(4 * random() - 2)))
  )
  const y = x.map((row, i) => {
    if (i < k) return i // each class is there
    const p = softmax(Array.from({ length: k }, (_, c) => sum(row.map((value, j) => value * truth[j][c]))))
    let left = random()
    const drawn = p.findIndex((share) => (left -= share) < 0)
    return drawn < 0 ? k - 1 : drawn
  })
  return { x, y }
}

const sum = (numbers: ArrayLike<number>): number => Array.from(numbers).reduce((a, b) => a + b, 0)
const ones = (n: number): Float64Array => new Float64Array(n).fill(1)
const matrix = ({ x }: Pick<Data, 'x'>): Matrix => new Matrix(x)
/** The rows without their last number, which is 1, for models with intercepts. */
const features = ({ x }: Pick<Data, 'x'>): Matrix => new Matrix(x.map((row) => row.slice(0, -1)))
const inputs = (data: Data, { options }: SoftmaxRegression): Matrix => (options.intercept ? features(data) : matrix(data))
const classes = ({ y }: Pick<Data, 'y'>): Matrix => Matrix.columnVector(y)

function softmax(z: number[]): number[] {
  const powers = z.map((value) => Math.exp(value - Math.max(...z)))
  return powers.map((power) => power / sum(powers))
}

/** The rows with the numbers that are not 0 alone. */
function sparse(x: number[][], columns: number): SparseRows {
  const entries = x.map((row) => row.flatMap((value, j) => (value === 0 ? [] : [[j, value]])))
  const starts = [0]
  for (const row of entries) starts.push(starts.at(-1)! + row.length)
  return {
    rows: x.length,
    columns,
    starts: Int32Array.from(starts),
    indices: Int32Array.from(entries.flat(), ([j]) => j),
    values: Float32Array.from(entries.flat(), ([, value]) => value)
  }
}

/** A fitted model, as precise as the tests need it. */
function fit(data: Data, options: SoftmaxOptions = {}, rowWeights?: Float64Array): SoftmaxRegression {
  const model = new SoftmaxRegression({ tolerance: 1e-7, maxEvaluations: 5000, ...options })
  model.train(inputs(data, model), classes(data), { rowWeights })
  return model
}

/** The objective of the primal form at W, and its gradient. */
function objectiveAt(rows: SparseRows, settings: PrimalSettings, W: Float64Array, gradient = new Float64Array(W.length)): number {
  return withProducts(rows, (products) => primalObjective(rows, products, settings)(W, gradient))
}

/** The k weights of each of d features; the last are the intercepts where the model has them. */
const weightsOf = (model: SoftmaxRegression, d: number): number[][] =>
  Array.from({ length: d }, (_, j) => Array.from({ length: model.numberClasses }, (_, c) => (j === model.features ? model.interceptOf(c) : model.weightOf(j, c))))

/** The objective of the file's head, the plain way. */
function loss({ x, y }: Data, W: number[][], s: ArrayLike<number>, penalty: number, interceptColumn = -1): number {
  const fits = x.map((row, i) => {
    const z = W[0].map((_, c) => sum(row.map((value, j) => value * W[j][c])))
    return s[i] === 0 ? 0 : -s[i] * Math.log(softmax(z)[y[i]])
  })
  const squares = W.flatMap((weights, j) => (j === interceptColumn ? [] : weights.map((weight) => weight ** 2)))
  return sum(fits) + (penalty / 2) * sum(squares)
}

/** The optimum by Newton's method with halved steps, the plain way: every second derivative is written out. */
function newton(data: Data, s: ArrayLike<number>, penalty: number, interceptColumn: number, k: number): number[][] {
  const d = data.x[0].length
  let W = Array.from({ length: d }, () => Array<number>(k).fill(0))
  for (let step = 0; step < 100; step++) {
    const gradient = Array<number>(d * k).fill(0)
    const hessian = Matrix.eye(d * k, d * k, 1e-10) // a shift of all intercepts together changes nothing
    for (let j = 0; j < d; j++) {
      if (j === interceptColumn) continue
      for (let c = 0; c < k; c++) {
        gradient[j * k + c] += penalty * W[j][c]
        hessian.set(j * k + c, j * k + c, hessian.get(j * k + c, j * k + c) + penalty)
      }
    }
    data.x.forEach((row, i) => {
      const p = softmax(W[0].map((_, c) => sum(row.map((value, j) => value * W[j][c]))))
      for (let j = 0; j < d; j++) {
        for (let c = 0; c < k; c++) {
          gradient[j * k + c] += s[i] * row[j] * (p[c] - (data.y[i] === c ? 1 : 0))
          for (let l = 0; l < d; l++) {
            for (let e = 0; e < k; e++) {
              const second = s[i] * row[j] * row[l] * p[c] * ((c === e ? 1 : 0) - p[e])
              hessian.set(j * k + c, l * k + e, hessian.get(j * k + c, l * k + e) + second)
            }
          }
        }
      }
    })
    if (Math.max(...gradient.map(Math.abs)) < 1e-9) return W
    const direction = solve(hessian, Matrix.columnVector(gradient)).to1DArray()
    const value = loss(data, W, s, penalty, interceptColumn)
    const from = W
    const transferred = (t: number): number[][] =>
      from.map((row, j) => row.map((weight, c) => weight - t * direction[j * k + c]))
    let t = 1
    while (t > 1e-3 && loss(data, transferred(t), s, penalty, interceptColumn) > value) t /= 2
    W = transferred(t)
  }
  throw new Error("Newton's method has not converged.")
}

/** Whether each number is within the margin of its counterpart. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, margin: number): void {
  expect(actual.length).toBe(expected.length)
  const apart = Array.from(actual, (value, i) => Math.abs(value - expected[i]))
  expect(apart.filter((distance) => !(distance <= margin))).toEqual([])
}

/** The mean of −ln p[y]. */
const logLoss = (p: ArrayLike<number>, y: number[], k: number): number =>
  sum(y.map((c, i) => -Math.log(p[i * k + c]))) / y.length

describe('the gradient', () => {
  const layouts = [2, 3, 4, 5, 9].flatMap((k) =>
    [
      { k, zeros: 0, penalty: 0, interceptColumn: -1 },
      { k, zeros: 0, penalty: 0.7, interceptColumn: 3 },
      { k, zeros: 0.7, penalty: 0.7, interceptColumn: 3 },
      { k, zeros: 0.7, penalty: 2, interceptColumn: 0 }
    ]
  )
  test.each(layouts)('agrees with finite differences: %o', ({ k, zeros, penalty, interceptColumn }) => {
    const d = 4
    const data = draw({ n: 15, d, k, seed: 10 * k + 1, zeros })
    const random = numbersFrom(k)
    const s = Float64Array.from(data.y, (_, i) => (i % 5 === 4 ? 0 : 3 * random()))
    const settings = { y: Int32Array.from(data.y), s, classes: k, penalty, interceptColumn }
    const rows = sparse(data.x, d)
    const classOf = (at: number): number => 4 * Math.floor(at / (4 * d)) + (at % 4)
    const W = Float64Array.from({ length: 4 * d * Math.ceil(k / 4) }, (_, at) => (classOf(at) < k ? 2 * random() - 1 : 0))
    const gradient = new Float64Array(W.length)
    objectiveAt(rows, settings, W, gradient)
    const h = 1e-5
    const differences = W.map((weight, at) => {
      if (classOf(at) >= k) return 0
      const up = W.with(at, weight + h)
      const down = W.with(at, weight - h)
      return (objectiveAt(rows, settings, up) - objectiveAt(rows, settings, down)) / (2 * h)
    })
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.1)
    expectClose(gradient, differences, 1e-7 * Math.max(1, ...gradient.map(Math.abs)))
  })

  test.each([2, 3, 4, 5])('comes with the value that the formula gives, for %i classes', (k) => {
    const data = draw({ n: 12, d: 3, k, seed: k })
    const model = fit(data, { penalty: 0.3, intercept: true, maxEvaluations: 6 })
    const s = Float64Array.from(data.y, (_, i) => i % 3)
    const settings = { y: Int32Array.from(data.y), s, classes: k, penalty: 0.3, interceptColumn: 2 }
    expect(objectiveAt(sparse(data.x, 3), settings, model.weights)).toBeCloseTo(loss(data, weightsOf(model, 3), s, 0.3, 2), 9)
  })

  test('leaves nothing behind from one call to the next', () => {
    const data = draw({ n: 12, d: 3, k: 3, seed: 5 })
    const { weights } = fit(data)
    const settings = { y: Int32Array.from(data.y), s: ones(12), classes: 3, penalty: 1, interceptColumn: -1 }
    withProducts(sparse(data.x, 3), (products) => {
      const objective = primalObjective({ rows: 12, columns: 3 }, products, settings)
      const first = new Float64Array(weights.length)
      const again = new Float64Array(weights.length).fill(99)
      const value = objective(weights, first)
      objective(weights.map((weight) => weight + 1), again)
      expect(objective(weights, again)).toBe(value)
      expect(again).toEqual(first)
    })
  })
})

describe('the optimum', () => {
  test.each([
    { k: 2, penalty: 1, intercept: true },
    { k: 3, penalty: 0.1, intercept: true },
    { k: 3, penalty: 0.1, intercept: false },
    { k: 4, penalty: 5, intercept: true },
    { k: 5, penalty: 0.01, intercept: true }
  ])("is that of Newton's method: %o", ({ k, penalty, intercept }) => {
    const interceptColumn = intercept ? 3 : -1
    const data = draw({ n: 60, d: 4, k, seed: 100 + k })
    const s = balancedWeights(Int32Array.from(data.y))
    const model = fit(data, { penalty, intercept, tolerance: 1e-8 })
    const expected = newton(data, s, penalty, interceptColumn, k)
    expect(model.converged).toBe(true)
    expectClose(weightsOf(model, 4).flat(), expected.flat(), 1e-4)
    const least = loss(data, expected, s, penalty, interceptColumn)
    expect(loss(data, weightsOf(model, 4), s, penalty, interceptColumn)).toBeCloseTo(least, 9)
  })

  test("is that of Newton's method with row weights, some of them 0", () => {
    const data = draw({ n: 50, d: 4, k: 3, seed: 7 })
    const random = numbersFrom(8)
    const s = Float64Array.from(data.y, (_, i) => (i % 4 === 3 ? 0 : 2 * random()))
    const model = fit(data, { penalty: 0.5, intercept: true, tolerance: 1e-8 }, s)
    expectClose(weightsOf(model, 4).flat(), newton(data, s, 0.5, 3, 3).flat(), 1e-4)
  })

  test('of intercepts alone gives the classes their weighted shares', () => {
    const data = { x: Array.from({ length: 10 }, () => [1]), y: [0, 0, 0, 0, 0, 0, 1, 1, 1, 2] }
    const model = fit(data, { penalty: 1, intercept: true }, ones(10))
    expectClose(model.predictProba(new Matrix(1, 0)), [0.6, 0.3, 0.1], 1e-5)
  })

  test('with a huge penalty is 0 but for the intercept', () => {
    const data = draw({ n: 40, d: 3, k: 3, seed: 3 })
    const model = fit(data, { penalty: 1e6, intercept: true }, ones(40))
    const weights = weightsOf(model, 3)
    expectClose([...weights[0], ...weights[1]], Array(6).fill(0), 1e-3)
    const shares = [0, 1, 2].map((c) => data.y.filter((y) => y === c).length / 40)
    expectClose(softmax(weights[2]), shares, 1e-3)
  })

  test('has weights that sum to 0 over the classes, feature by feature', () => {
    const model = fit(draw({ n: 60, d: 4, k: 5, seed: 21 }), { intercept: true })
    expectClose(weightsOf(model, 4).map(sum), [0, 0, 0, 0], 1e-9)
  })
})

describe('training as the app trains: in the dual form', () => {
  const data = draw({ n: 60, d: 6, k: 4, seed: 11 })
  const options = { penalty: 0.1, intercept: true }

  test('is chosen for few rows, a penalty and a tolerance that single precision reaches', () => {
    expect(fit(data, { ...options, tolerance: 1e-4 }).dual).toBeDefined()
    expect(fit(data, { ...options, tolerance: 1e-7 }).dual).toBeUndefined()
    expect(fit(data, { ...options, tolerance: 1e-4, penalty: 0 }).dual).toBeUndefined()
    const many = draw({ n: 2001, d: 3, k: 2, seed: 12 })
    expect(fit(many, { ...options, tolerance: 1e-2 }).dual).toBeUndefined()
  })

  test.each([true, false])("comes to the optimum of Newton's method (intercept: %s)", (intercept) => {
    const model = fit(data, { penalty: 0.1, intercept, tolerance: 1e-5 })
    const expected = newton(data, balancedWeights(Int32Array.from(data.y)), 0.1, intercept ? 5 : -1, 4)
    expect(model).toMatchObject({ converged: true, dual: expect.anything() })
    expectClose(model.logits(inputs(data, model)), data.x.flatMap((row) => [0, 1, 2, 3].map((c) => sum(row.map((x, j) => x * expected[j][c])))), 5e-3)
  })

  test('knows the logits of its training rows, which its weights give too', () => {
    const model = fit(data, { ...options, tolerance: 1e-4 })
    expectClose(model.logits(features(data)), model.trainingLogits, 1e-4)
  })

  test('on a Gram matrix that is handed in gives what training without it gives', () => {
    const rows = { rows: 60, columns: 5, values: Float32Array.from(features(data).to1DArray()) }
    const models = [0, 1].map(() => new SoftmaxRegression(options))
    const y = Int32Array.from(data.y)
    models[0].train(rows, y)
    withGramMatrix(rows, (gram) => models[1].train(rows, y, { gram }))
    expect(models[1].weights).toEqual(models[0].weights)
    expect(models[1].trainingLogits).toEqual(models[0].trainingLogits)
  })

  test('a second time forgets the first', () => {
    const model = fit(data, { ...options, tolerance: 1e-4 })
    const other = draw({ n: 50, d: 6, k: 4, seed: 13 })
    model.train(features(other), classes(other))
    expect(model.weights).toEqual(fit(other, { ...options, tolerance: 1e-4 }).weights)
  })
})

describe('what should make no difference makes none', () => {
  const d = 4
  const k = 3
  const data = draw({ n: 60, d, k, seed: 31, zeros: 0.5 })
  const options = { penalty: 0.3, intercept: true }
  const model = fit(data, options, ones(60))
  const probabilities = model.predictProba(inputs(data, model))

  test('sparse rows or dense', () => {
    const rows = sparse(data.x.map((row) => row.slice(0, -1)), d - 1)
    expect(rows.values.length).toBeLessThan(60 * (d - 1) * 0.8)
    const other = new SoftmaxRegression({ ...options, tolerance: 1e-7 })
    other.train(rows, Int32Array.from(data.y), { rowWeights: ones(60) })
    expectClose(other.weights, model.weights, 1e-6)
    expectClose(other.predictProba(rows), probabilities, 1e-6)
    expectClose(model.predictProba(rows), probabilities, 1e-12)
    expect(model.predict(rows)).toEqual(model.predict(inputs(data, model)))
  })

  test('the entries of a sparse row in another order', () => {
    const rows = sparse(data.x.map((row) => row.slice(0, -1)), d - 1)
    const turned = { ...rows, indices: rows.indices.slice(), values: rows.values.slice() }
    for (let i = 0; i < rows.rows; i++) {
      turned.indices.subarray(rows.starts[i], rows.starts[i + 1]).reverse()
      turned.values.subarray(rows.starts[i], rows.starts[i + 1]).reverse()
    }
    expectClose(model.predictProba(turned), probabilities, 1e-12)
  })

  test('the order of the rows', () => {
    const order = data.y.map((_, i) => (i * 37 + 11) % 60)
    const other = fit({ x: order.map((i) => data.x[i]), y: order.map((i) => data.y[i]) }, options, ones(60))
    expectClose(other.predictProba(inputs(data, other)), probabilities, 1e-5)
  })

  test('a row twice, or once with twice the weight', () => {
    const twice = fit({ x: [...data.x, data.x[7]], y: [...data.y, data.y[7]] }, options, ones(61))
    const heavy = fit(data, options, ones(60).with(7, 2))
    expectClose(heavy.predictProba(inputs(data, heavy)), twice.predictProba(inputs(data, twice)), 1e-5)
    expect(Math.abs(heavy.weightOf(0, 0) - model.weightOf(0, 0))).toBeGreaterThan(1e-4)
  })

  test('a row left out, or there with weight 0', () => {
    const without = (i: number): boolean => i % 6 !== 5
    const x = data.x.filter((_, i) => without(i))
    const fewer = fit({ x, y: data.y.filter((_, i) => without(i)) }, options, ones(50))
    const weightless = fit(data, options, Float64Array.from(data.y, (_, i) => (without(i) ? 1 : 0)))
    expectClose(weightless.predictProba(inputs(data, weightless)), fewer.predictProba(inputs(data, fewer)), 1e-5)
  })

  test('which class is called which', () => {
    const renamed = [2, 0, 1]
    const other = fit({ x: data.x, y: data.y.map((c) => renamed[c]) }, options, ones(60)).predictProba(features(data))
    expectClose(data.y.flatMap((_, i) => [0, 1, 2].map((c) => other[i * k + renamed[c]])), probabilities, 1e-5)
  })

  test('which feature comes first', () => {
    const turned = (row: number[]): number[] => [...row.slice(0, -1).reverse(), 1]
    const turnedData = { x: data.x.map(turned), y: data.y }
    const other = fit(turnedData, options, ones(60))
    expectClose(other.predictProba(features(turnedData)), probabilities, 1e-5)
  })

  test('a feature that is 0 in every row', () => {
    const withFeature = (value: number): number[][] => data.x.map((row) => [value, ...row])
    const other = fit({ x: withFeature(0), y: data.y }, options, ones(60))
    expectClose(other.predictProba(features({ x: withFeature(9) })), probabilities, 1e-5)
  })

  test('the weights of rows and the penalty, both doubled', () => {
    const other = fit(data, { ...options, penalty: 0.6 }, ones(60).fill(2))
    expectClose(other.predictProba(inputs(data, other)), probabilities, 1e-5)
  })
})

describe('classes balanced by weight', () => {
  test('count the same together and sum to the number of rows', () => {
    const y = Int32Array.from([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    const weights = balancedWeights(y)
    const ofClass = (c: number): number => sum(weights.filter((_, i) => y[i] === c))
    expectClose([ofClass(0), ofClass(1), ofClass(2)], [10 / 3, 10 / 3, 10 / 3], 1e-12)
    expect(sum(weights)).toBeCloseTo(10, 12)
  })

  test('of one size weigh 1 each', () => {
    expect([...balancedWeights(Int32Array.from([1, 0, 0, 1]))]).toEqual([1, 1, 1, 1])
  })

  test('are what training does unless told otherwise', () => {
    const data = draw({ n: 40, d: 3, k: 3, seed: 41 })
    const balanced = fit(data, {}, balancedWeights(Int32Array.from(data.y)))
    expect(fit(data).weights).toEqual(balanced.weights)
    expect(fit(data, {}, ones(40)).weights).not.toEqual(balanced.weights)
  })

  test('have no say of their own where the features say nothing', () => {
    const y = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    const model = fit({ x: y.map(() => [0.5, 1]), y }, { penalty: 1, intercept: true })
    expectClose(model.predictProba(new Matrix([[0.5], [7]])), Array(6).fill(1 / 3), 1e-4)
  })
})

describe('probabilities', () => {
  const data = draw({ n: 60, d: 4, k: 5, seed: 51 })
  const model = fit(data, { penalty: 0.1, intercept: true })

  test('are n rows of k numbers from 0 to 1 that sum to 1', () => {
    const p = model.predictProba(inputs(data, model))
    expect(p).toHaveLength(60 * 5)
    expect(p.every((share) => share > 0 && share < 1)).toBe(true)
    expectClose(data.y.map((_, i) => sum(p.subarray(5 * i, 5 * i + 5))), ones(60), 1e-12)
  })

  test('are those of the softmax of the logits, which are the weighted sums', () => {
    const W = weightsOf(model, 4)
    const z = data.x.map((row) => [0, 1, 2, 3, 4].map((c) => sum(row.map((value, j) => value * W[j][c]))))
    expectClose(model.logits(inputs(data, model)), z.flat(), 1e-9)
    expectClose(model.predictProba(inputs(data, model)), z.map(softmax).flat(), 1e-9)
  })

  test('are highest for the class that is predicted', () => {
    const p = model.predictProba(inputs(data, model))
    const predicted = model.predict(inputs(data, model))
    expect(new Set(predicted).size).toBeGreaterThan(2)
    predicted.forEach((c, i) => expect(p[5 * i + c]).toBe(Math.max(...p.subarray(5 * i, 5 * i + 5))))
  })

  test.each([1e3, 1e30, 1e300])('stay finite and sum to 1 where logits are of the size of %d', (size) => {
    const huge = SoftmaxRegression.load({ ...model.toJSON(), intercept: false, numberClasses: 3, classifiers: [
      { numSteps: 1, learningRate: 1, weights: [[-size, size]] },
      { numSteps: 1, learningRate: 1, weights: [[0, size]] },
      { numSteps: 1, learningRate: 1, weights: [[size, -size]] }
    ] })
    const p = huge.predictProba(new Matrix([[1, 0], [0, 1], [-1, -1], [0, 0]]))
    expectClose(p, [1, 0, 0, 0, 0, 1, 0, 1, 0, 1 / 3, 1 / 3, 1 / 3], 1e-12)
  })

  test('of no rows are none', () => {
    expect(model.predictProba(sparse([], 3))).toHaveLength(0)
    expect(model.predict(sparse([], 3))).toEqual([])
  })

  test('are refused for rows of other columns', () => {
    expect(() => model.predictProba(new Matrix([[1, 2, 3, 4]]))).toThrow(RangeError)
    expect(() => model.predict(sparse([[1, 2, 3, 4, 5]], 5))).toThrow(RangeError)
  })
})

describe('the softmax of some numbers', () => {
  test.each([
    [[0, 0], [0.5, 0.5]],
    [[Math.log(1), Math.log(2), Math.log(5)], [1 / 8, 2 / 8, 5 / 8]],
    [[1000, 1000, -1000], [0.5, 0.5, 0]],
    [[-1e308, 1e308], [0, 1]],
    [[7], [1]]
  ])('%j is %j', (z, p) => {
    const numbers = Float64Array.from(z)
    softmaxInPlace(numbers)
    expectClose(numbers, p, 1e-12)
  })

  test('does not change when all are transferred together', () => {
    const a = Float64Array.of(1, 2, 4)
    const b = a.map((value) => value + 500)
    softmaxInPlace(a)
    softmaxInPlace(b)
    expectClose(a, b, 1e-12)
  })
})

test.each([
  [[3, 1, 2], 0],
  [[1, 3, 3], 1],
  [[-5, -2, -9], 1],
  [[7], 0]
])('the largest of %j stands at %i, the first of equals', (z, at) => {
  expect(argmax(z)).toBe(at)
})

describe('degenerate input', () => {
  test('all rows equal: every class is as likely', () => {
    const model = fit({ x: [[1, 2], [1, 2], [1, 2], [1, 2]], y: [0, 1, 2, 0] }, { penalty: 0.1 })
    expect(model.converged).toBe(true)
    expectClose(model.predictProba(new Matrix([[1, 2]])), [1 / 3, 1 / 3, 1 / 3], 1e-5)
  })

  test('all rows 0, or none of any feature: every class is as likely', () => {
    const zero = fit({ x: [[0, 0], [0, 0], [0, 0]], y: [0, 1, 1] }, { penalty: 0 })
    expect(zero.converged).toBe(true)
    expectClose(zero.predictProba(new Matrix([[3, 4]])), [0.5, 0.5], 1e-12)
    const none = new SoftmaxRegression()
    none.train(sparse([[], [], []], 0), Int32Array.of(0, 1, 1))
    expect(none.converged).toBe(true)
    expectClose(none.predictProba(sparse([[]], 0)), [0.5, 0.5], 1e-12)
  })

  test('a feature that is the same everywhere: the fit stands', () => {
    const { x, y } = draw({ n: 40, d: 3, k: 3, seed: 61 })
    const model = fit({ x: x.map((row) => [5, ...row]), y }, { penalty: 0.1, intercept: true })
    expect(model.converged).toBe(true)
    expect(model.weights.every(Number.isFinite)).toBe(true)
    const right = model.predict(features({ x: x.map((row) => [5, ...row]) })).filter((c, i) => c === y[i])
    expect(right.length).toBeGreaterThan(16)
  })

  test('two features that are the same share the weight', () => {
    const { x, y } = draw({ n: 40, d: 2, k: 2, seed: 62 })
    const model = fit({ x: x.map((row) => [row[0], row[0]]), y }, { penalty: 0.1 })
    expect(model.converged).toBe(true)
    expect(model.weightOf(0, 0)).toBeCloseTo(model.weightOf(1, 0), 9)
    expect(Math.abs(model.weightOf(0, 0))).toBeGreaterThan(0.01)
  })

  test('features of very different sizes: the fit converges', () => {
    const { x, y } = draw({ n: 40, d: 3, k: 3, seed: 63 })
    const scaled = { x: x.map(([a, b, c]) => [1e3 * a, 1e-3 * b, c]), y }
    const model = fit(scaled, { penalty: 0.1, intercept: true, tolerance: 1e-4 })
    expect(model.converged).toBe(true)
    expect(model.weights.every(Number.isFinite)).toBe(true)
  })

  test('more features than rows: the fit converges and knows its rows', () => {
    const { x, y } = draw({ n: 12, d: 200, k: 4, seed: 64 })
    const model = fit({ x, y }, { penalty: 0.01, intercept: true, tolerance: 1e-5 })
    expect(model.converged).toBe(true)
    expect(model.predict(features({ x }))).toEqual(y)
  })

  test('weights of 0 for every row: every class is as likely', () => {
    const data = draw({ n: 10, d: 3, k: 2, seed: 65 })
    const model = fit(data, { penalty: 1 }, new Float64Array(10))
    expectClose(model.predictProba(inputs(data, model)), Array(20).fill(0.5), 1e-12)
  })

  describe.each([0, 1e-12, 1e-4])('classes that a line parts, no penalty, tolerance %d', (tolerance) => {
    const x = Array.from({ length: 20 }, (_, i) => [i < 10 ? -1 - i / 10 : 1 + i / 10])
    const y = x.map(([value]) => (value < 0 ? 0 : 1))
    const model = new SoftmaxRegression({ penalty: 0, intercept: true, tolerance, maxEvaluations: 200 })
    model.train(new Matrix(x), Matrix.columnVector(y))

    test('stop the fit, which says whether it has converged', () => {
      const gradient = new Float64Array(model.weights.length)
      const settings = { y: Int32Array.from(y), s: ones(20), classes: 2, penalty: 0, interceptColumn: 1 }
      objectiveAt(sparse(x.map((row) => [...row, 1]), 2), settings, model.weights, gradient)
      expect(model.evaluations).toBeLessThanOrEqual(200)
      expect(model.converged).toBe(Math.max(...gradient.map(Math.abs)) <= tolerance * 20)
    })

    test('are told apart, with finite weights', () => {
      expect(model.weights.every(Number.isFinite)).toBe(true)
      expect(model.predict(new Matrix(x))).toEqual(y)
      expect(model.predictProba(new Matrix(x)).every(Number.isFinite)).toBe(true)
    })
  })

  test('too few evaluations: the model says that it has not converged, and predicts all the same', () => {
    const data = draw({ n: 40, d: 4, k: 3, seed: 66 })
    const model = fit(data, { maxEvaluations: 2 })
    expect(model).toMatchObject({ converged: false, evaluations: 2 })
    expectClose(data.y.map((_, i) => sum(model.predictProba(inputs(data, model)).subarray(3 * i, 3 * i + 3))), ones(40), 1e-12)
  })

  test.each([
    ['a class missing in the middle', [0, 2, 2, 0]],
    ['a class missing at the beginning', [1, 2, 1, 2]],
    ['one class alone', [0, 0, 0, 0]],
    ['a negative class', [-1, 0, 1, 0]],
    ['a negative class in place of another', [-1, 1, 1, -1]],
    ['a class between two numbers', [0, 0.5, 1, 1]],
    ['a class that is no number', [0, NaN, 1, 1]],
    ['more classes than rows', [0, 1, 0, 1, 0]],
    ['fewer classes than rows', [0, 1, 0]]
  ])('%s is refused', (_, y) => {
    const X = new Matrix([[1, 2], [3, 4], [5, 6], [7, 8]])
    expect(() => new SoftmaxRegression().train(X, Matrix.columnVector(y))).toThrow(RangeError)
  })

  test('no rows are refused', () => {
    expect(() => new SoftmaxRegression().train(sparse([], 3), new Int32Array(0))).toThrow(RangeError)
    expect(() => new SoftmaxRegression().train(new Matrix(0, 3), new Matrix(0, 1))).toThrow(RangeError)
  })

  test.each([3, 5])('%i weights for 4 rows are refused', (length) => {
    const data = draw({ n: 4, d: 2, k: 2, seed: 67 })
    expect(() => fit(data, {}, ones(length))).toThrow(RangeError)
  })

  test.each([NaN, Infinity, 1e39])('a feature of %d is refused, or the fit is not called converged', (value) => {
    const model = new SoftmaxRegression()
    const train = (): void => model.train(new Matrix([[1, 2], [value, 4], [5, 6]]), Matrix.columnVector([0, 1, 0]))
    expect(refuses(train) || !model.converged).toBe(true)
  })
})

function refuses(action: () => void): boolean {
  try {
    action()
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    return true
  }
}

/** One of the library's classifiers: the score says how much a row is *not* of the class. */
interface NotThisClass {
  testScores(X: Matrix): number[]
}

/** The library's probabilities: 1 − score for each class, made to sum to 1. */
function stockProbabilities(stock: LogisticRegression, X: Matrix): number[] {
  const scores = (stock.classifiers as unknown as NotThisClass[]).map((classifier) => classifier.testScores(X))
  return Array.from({ length: X.rows }, (_, i) => {
    const shares = scores.map((score) => 1 - score[i])
    return shares.map((share) => share / sum(shares))
  }).flat()
}

describe('beside ml-logistic-regression', () => {
  const throughText = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

  test('ours is one of its kind', () => {
    const model = new SoftmaxRegression()
    expect(model).toBeInstanceOf(LogisticRegression)
    expect(model.train(new Matrix([[1, 0], [0, 1]]), Matrix.columnVector([0, 1]))).toBeUndefined()
    expect(model.predict(new Matrix([[2, 0], [0, 2], [0, 1]]))).toEqual([0, 1, 1])
  })

  test.each([2, 3, 4, 5])('a model of %i classes that ours saves predicts the same there', (k) => {
    const data = draw({ n: 80, d: 5, k, seed: 70 + k })
    const model = fit(data, { penalty: 0.1, intercept: true })
    const stock = LogisticRegression.load(throughText(model.toJSON()))
    const asked = draw({ n: 300, d: 5, k, seed: 80 + k })
    const X = matrix(asked) // with the ones that the library needs for intercepts
    const own = model.predict(features(asked))
    expect(stock).not.toBeInstanceOf(SoftmaxRegression)
    expect(new Set(own).size).toBe(k)
    expect(stock.predict(X)).toEqual(own)
    expect(LogisticRegression.load(throughText(model) as never).predict(X)).toEqual(own)
  })

  test.each([2, 3, 4, 5])('a model of %i classes that it saves predicts the same in ours', (k) => {
    const data = draw({ n: 80, d: 4, k, seed: 90 + k })
    const stock = new LogisticRegression({ numSteps: 300, learningRate: 5e-3 })
    stock.train(matrix(data), classes(data))
    const X = matrix(draw({ n: 300, d: 4, k, seed: 95 + k }))
    expect(new Set(stock.predict(X)).size).toBeGreaterThan(k / 2)
    expect(SoftmaxRegression.load(throughText(stock.toJSON())).predict(X)).toEqual(stock.predict(X))
    expect(SoftmaxRegression.load(stock.toJSON()).predict(X)).toEqual(stock.predict(X))
  })

  test('a model that ours saves comes back in ours, probabilities and all', () => {
    const data = draw({ n: 60, d: 4, k: 5, seed: 71 })
    const model = fit(data, { intercept: true })
    const back = SoftmaxRegression.load(throughText(model.toJSON()))
    expect(back.predictProba(inputs(data, back))).toEqual(model.predictProba(inputs(data, model)))
    expect(back.toJSON()).toEqual(model.toJSON())
  })

  test('the saved form is the library’s own', () => {
    const data = draw({ n: 30, d: 4, k: 3, seed: 72 })
    const stock = new LogisticRegression({ numSteps: 2 })
    stock.train(matrix(data), classes(data))
    const [ours, theirs] = [throughText(fit(data).toJSON()), throughText(stock.toJSON())]
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort())
    expect(ours).toMatchObject({ name: theirs.name, numberClasses: 3 })
    expect(ours.classifiers.map((classifier) => Object.keys(classifier).sort()))
      .toEqual(theirs.classifiers.map((classifier) => Object.keys(classifier).sort()))
    const shapes = ours.classifiers.map(({ weights }) => new Matrix(weights as number[][]))
    expect(shapes.map(({ rows, columns }) => [rows, columns])).toEqual([[1, 4], [1, 4], [1, 4]])
  })

  test('a model of another kind is refused', () => {
    const json = fit(draw({ n: 30, d: 4, k: 3, seed: 72 })).toJSON()
    expect(() => SoftmaxRegression.load({ ...json, name: 'KNN' })).toThrow(TypeError)
  })

  test.each([2, 3, 4])(
    'with no penalty the log-loss of ours on %i classes is no higher than that of its scores after 5,000 steps',
    (k) => {
      const data = draw({ n: 60, d: 4, k, seed: 73 + k })
      const stock = new LogisticRegression({ numSteps: 5000 })
      stock.train(matrix(data), classes(data))
      const theirs = stockProbabilities(stock, matrix(data))
      const model = fit(data, { penalty: 0 }, ones(60)) // the library knows no weights
      const right = data.y.filter((c, i) => argmax(theirs.slice(i * k, i * k + k)) === c).length
      expect(right / 60).toBeGreaterThan(1.2 / k) // the library has learnt: its scores are read the right way round
      expect(model.converged).toBe(true)
      expect(logLoss(theirs, data.y, k)).toBeLessThan(Math.log(k))
      // of two classes the library finds the very same optimum, so the last digits are rounding
      const ours = logLoss(model.predictProba(inputs(data, model)), data.y, k)
      expect(ours).toBeLessThanOrEqual(logLoss(theirs, data.y, k) + 1e-9)
    }
  )
})
