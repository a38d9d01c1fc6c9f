// How long a fit takes: the softmax regression of the app against scikit-learn's and ml-logistic-regression's.

import { Matrix } from 'ml-matrix'
import LogisticRegression from 'ml-logistic-regression'
import { balancedWeights } from '../src/regression/classes.js'
import { asSparse, type DenseRows, type SparseRows } from '../src/regression/sparse-matrix.js'
import { SoftmaxRegression, type SoftmaxOptions } from '../src/regression/softmax-regression.js'
import { chooseColumns, countNgrams, tfidfRows } from '../src/model/tfidf.js'
import { randomNumbers } from '../support/datasets.js'
import { medianMs, rowOf, skippedRow, type Measure, type Row } from './report.js'
import { fitSklearn, NO_SKLEARN } from './sklearn.js'
import { foursome, normals } from '../support/synthetic-tweets.js'
import type { Note, Step } from './steps.js'

const PENALTY = { ngrams: 0.01, encoder: 0.1 } // the app's
const TOLERANCE = 2e-4 // the app's
const FINEST = 1e-9
const SAME_LOSS = 1 + 1e-6 // times the rival's
const CLASSES = 4
const DIMENSIONS = 384
const SEPARATION = 0.1 // of the classes' means, in standard deviations of the noise
const LIBRARY_STEPS = 1000

const SKLEARN = 'scikit-learn'
const asFast = { of: 'ratio', is: '<=', bound: 1 } as const
const DENSE: Measure = { name: 'fit dense 4x200', unit: 'ms', rival: SKLEARN, target: asFast }
const LIBRARY: Measure = {
  name: 'fit dense 4x200, library', unit: 'ms', rival: `ml-logistic-regression, ${LIBRARY_STEPS} steps`,
  target: { of: 'ratio', is: '>=', bound: 200 }
}
const NGRAMS: Measure = { name: 'fit n-grams 4x200', unit: 'ms', rival: SKLEARN, target: asFast }
const MANY: Measure = { name: 'fit n-grams 4x3200', unit: 'ms', rival: SKLEARN, target: asFast }
const GROWTH: Measure = {
  name: 'fit n-grams 4x3200 to 4x200, same tolerance', unit: 'x', rival: '16 x the tweets', target: { of: 'value', is: '<=', bound: 16 }
}

export const fitSteps: Step[] = [
  { title: 'dense features', names: [DENSE.name, LIBRARY.name], run: measureDense },
  { title: 'n-grams', names: [NGRAMS.name, MANY.name, GROWTH.name], run: measureNgrams }
]

interface Task {
  /** The features without an intercept. */
  rows: SparseRows | DenseRows
  labels: Int32Array
  penalty: number
  kind: 'dense' | 'sparse'
}

async function measureDense(note: Note): Promise<Row[]> {
  const { vectors, labels } = denseSet(200)
  const task: Task = { rows: { rows: labels.length, columns: DIMENSIONS, values: vectors }, labels, penalty: PENALTY.encoder, kind: 'dense' }
  const { row, ms, model } = await measureFit(DENSE, task, note)
  return [row, measureLibrary(task, vectors, ms, model, note)]
}

async function measureNgrams(note: Note): Promise<Row[]> {
  const few = await measureFit(NGRAMS, ngramTask(200), note)
  const many = await measureFit(MANY, ngramTask(3200), note)
  const [small, large] = [ngramTask(200), ngramTask(3200)]
  const growth = (await medianMs(() => fit(large, TOLERANCE, 'primal'), 3)) / (await medianMs(() => fit(small, TOLERANCE, 'primal'), 3))
  return [few.row, many.row, rowOf(GROWTH, growth, growth / 16)]
}

/** Our fit to a loss that is no higher than scikit-learn's, and its time to scikit-learn's. */
async function measureFit(measure: Measure, task: Task, note: Note): Promise<{ row: Row; ms: number; model: SoftmaxRegression }> {
  const { rows, labels, penalty, kind } = task
  const rival = await fitSklearn(asSparse(rows), labels, penalty, kind)
  let tolerance = TOLERANCE
  let model = fit(task, tolerance)
  if (rival) while (lossOf(model, task) > rival.loss * SAME_LOSS && tolerance > FINEST) model = fit(task, (tolerance /= 2))
  const ms = await medianMs(() => fit(task, tolerance))
  const loss = lossOf(model, task)
  note(`${measure.name}: ${ms.toFixed(1)} ms to loss ${loss.toFixed(6)} (${model.evaluations} evaluations, tolerance ` +
    `${tolerance.toExponential(1)})${rival ? `; ${SKLEARN} ${rival.ms.toFixed(1)} ms to ${rival.loss.toFixed(6)} (${rival.steps} steps)` : ''}`)
  const row = rival ? rowOf(measure, ms, ms / rival.ms, loss > rival.loss * SAME_LOSS) : skippedRow(measure, NO_SKLEARN, ms)
  return { row, ms, model }
}

/** As the app fits: in the dual form unless the rows are too many for it. */
function fit({ rows, labels, penalty }: Task, tolerance: number, solver: SoftmaxOptions['solver'] = 'auto'): SoftmaxRegression {
  const model = new SoftmaxRegression({ penalty, intercept: true, tolerance, maxEvaluations: 5000, solver })
  model.train(rows, labels, { rowWeights: balancedWeights(labels) })
  if (model.weights.length === 0) throw new Error('The fit has no weights.') // makes them: they count in the time
  return model
}

/** The penalised loss, computed apart from what minimised it. */
function lossOf(model: SoftmaxRegression, { rows, labels, penalty }: Task): number {
  let squares = 0
  for (let j = 0; j < model.features; j++) for (let c = 0; c < CLASSES; c++) squares += model.weightOf(j, c) ** 2
  const s = balancedWeights(labels)
  const probabilities = model.predictProba(rows)
  return labels.reduce((sum, c, i) => sum - s[i] * Math.log(probabilities[i * CLASSES + c]), (penalty / 2) * squares)
}

/** The library's gradient descent, once: it takes many seconds. It has no penalty, so the bare log-losses are compared. */
function measureLibrary(task: Task, vectors: Float32Array, ms: number, model: SoftmaxRegression, note: Note): Row {
  const { rows, labels } = task
  const X = new Matrix(rows.rows, DIMENSIONS + 1)
  for (let i = 0; i < rows.rows; i++) X.setRow(i, [...vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS), 1])
  const rival = new LogisticRegression({ numSteps: LIBRARY_STEPS })
  const start = performance.now()
  rival.train(X, Matrix.columnVector([...labels]))
  const rivalMs = performance.now() - start
  const scores = rival.classifiers.map(({ weights }) => X.mmul(weights.transpose()).to1DArray())
  const chance = (c: number, i: number): number => 1 / (1 + Math.exp(scores[c][i])) // its scores are of the others
  const rivalLoss = meanLogLoss(labels, (i) => chance(labels[i], i) / scores.reduce((sum, _, c) => sum + chance(c, i), 0))
  const probabilities = model.predictProba(rows)
  const loss = meanLogLoss(labels, (i) => probabilities[i * CLASSES + labels[i]])
  note(`${LIBRARY.name}: ${ms.toFixed(1)} ms to log-loss ${loss.toFixed(4)} a row; the library ${rivalMs.toFixed(0)} ms to ${rivalLoss.toFixed(4)}`)
  return rowOf(LIBRARY, ms, rivalMs / ms, loss > rivalLoss)
}

function meanLogLoss(labels: Int32Array, probability: (row: number) => number): number {
  return labels.reduce((sum, _, i) => sum - Math.log(probability(i)), 0) / labels.length
}

/** Vectors of length 1 around the mean of their class. */
function denseSet(each: number): { vectors: Float32Array; labels: Int32Array } {
  const random = randomNumbers(11)
  const means = Array.from({ length: CLASSES }, () => normals(DIMENSIONS, random).map((x) => x * SEPARATION))
  const labels = Int32Array.from({ length: CLASSES * each }, (_, i) => Math.floor(i / each))
  const vectors = new Float32Array(labels.length * DIMENSIONS)
  labels.forEach((c, i) => {
    const vector = normals(DIMENSIONS, random).map((x, j) => x + means[c][j])
    const length = Math.hypot(...vector)
    vectors.set(vector.map((x) => x / length), i * DIMENSIONS)
  })
  return { vectors, labels }
}

function ngramTask(each: number): Task {
  const { texts, labels } = foursome(each)
  const counts = countNgrams(texts)
  return { rows: tfidfRows(counts, chooseColumns(counts).columns), labels, penalty: PENALTY.ngrams, kind: 'sparse' }
}
