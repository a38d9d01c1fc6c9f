// npm run evaluate -- --file FILE.csv|FILE.jsonl [--authors 4] [--train 150] [--test 50] [--subsets 20] [--seed 1]
//                     [--features ngrams|encoder|both] [--model FOLDER|HUB NAME]
//
// How right the app's attribution is on a file of tweets: each random subset of authors is tested on each author's newest
// --test tweets, after training on the next --train. The last line is JSON; the lines before it say how often the app
// declines to answer, and how often it notices the tweets of an author who is not among the candidates.

import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { z } from 'zod'
import { fitAttribution } from '../src/model/attribution.js'
import { logitsOf, readQuestion, verdictOf, type Verdict } from '../src/model/question.js'
import { sum } from '../src/model/stacking.js'
import { openEncoder } from '../src/encoder/encoder.js'
import { argmax, softmaxInPlace } from '../src/regression/softmax.js'
import { joinVectors, slices } from '../src/core/vectors.js'
import { randomNumbers, readDataset, shuffled } from '../support/datasets.js'

const Options = z.object({
  file: z.string({ error: 'Name a file: npm run evaluate -- --file FILE.csv' }),
  authors: z.coerce.number().int().min(2).default(4),
  train: z.coerce.number().int().min(5).default(150),
  test: z.coerce.number().int().min(1).default(50),
  subsets: z.coerce.number().int().min(1).default(20),
  seed: z.coerce.number().int().default(1),
  features: z.enum(['ngrams', 'encoder', 'both']).default('both'),
  model: z.string().optional()
})

interface Author {
  texts: string[]
  vectors: Float32Array[]
}

interface Outcome {
  probabilities: Float64Array
  verdict: Verdict
  /** The author's number, or -1 for an author who is not among the candidates. */
  label: number
}

const BINS = 15

const options = readOptions()
const authors = await embedAuthors(options).catch(stop)
console.log(`${authors.length} authors with ${options.test} + ${options.train} tweets or more; ${options.subsets} subsets of ${options.authors}`)
if (authors.length < options.authors) stop(new Error('Too few authors have that many tweets.'))

const random = randomNumbers(options.seed)
const outcomes: Outcome[] = []
const strangers: Outcome[] = []
const fitMs: number[] = []
const bar = new SingleBar({ format: 'Evaluating {bar} {value} of {total} subsets, {eta} s left' })
bar.start(options.subsets, 0)
for (let i = 0; i < options.subsets; i++) {
  const order = shuffled(authors, random)
  evaluateSubset(order.slice(0, options.authors), order[options.authors])
  bar.update(i + 1)
}
bar.stop()
reportDeclining()
console.log(JSON.stringify(summarise(outcomes)))

function readOptions(): z.infer<typeof Options> {
  try {
    const names = Object.keys(Options.shape).map((name) => [name, { type: 'string' as const }])
    const result = Options.safeParse(parseArgs({ options: Object.fromEntries(names) }).values)
    if (result.success) return result.data
    throw new Error(result.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
  } catch (error) {
    return stop(error as Error)
  }
}

function stop(error: Error): never {
  console.error(error.message)
  process.exit(1)
}

/** The authors who have enough tweets, with the vectors of the tweets that are used. */
async function embedAuthors({ file, train, test, model, features }: z.infer<typeof Options>): Promise<Author[]> {
  const enough = [...(await readDataset(file)).values()].filter((texts) => texts.length >= train + test).map((texts) => texts.slice(0, train + test))
  if (features === 'ngrams') return enough.map((texts) => ({ texts, vectors: texts.map(() => new Float32Array(1)) }))
  const encoder = await openEncoder(model)
  const authors: Author[] = []
  for (const texts of enough) authors.push({ texts, vectors: slices(await encoder.embed(texts), texts.length) })
  return authors
}

/** Fits on each author's older tweets, and judges their newest ones and those of another author. */
function evaluateSubset(subset: Author[], stranger?: Author): void {
  const { test, features } = options
  const start = performance.now()
  const attribution = fitAttribution(
    {
      texts: subset.flatMap(({ texts }) => texts.slice(test)),
      vectors: joinVectors(subset.flatMap(({ vectors }) => vectors.slice(test))),
      labels: Int32Array.from(subset.flatMap(({ texts }, c) => texts.slice(test).map(() => c)))
    },
    features
  )
  fitMs.push(performance.now() - start)
  const judge = ({ texts, vectors }: Author, label: number): Outcome[] => {
    return texts.slice(0, test).map((text, i) => {
      const question = readQuestion(attribution, text, vectors[i])
      const probabilities = sum(logitsOf(attribution, question))
      const verdict = verdictOf(attribution, question, probabilities)
      softmaxInPlace(probabilities)
      return { probabilities, verdict, label }
    })
  }
  outcomes.push(...subset.flatMap(judge))
  if (stranger) strangers.push(...judge(stranger, -1))
}

/** Prints how often the app answers, how often it is right then, and how often it notices another author's tweet. */
function reportDeclining(): void {
  const share = (of: Outcome[], f: (outcome: Outcome) => boolean): string => `${((100 * of.filter(f).length) / of.length).toFixed(1)}%`
  const right = ({ probabilities, label }: Outcome): boolean => argmax(probabilities) === label
  const named = outcomes.filter(({ verdict }) => verdict === 'named')
  const close = outcomes.filter(({ verdict }) => verdict === 'too close to call')
  console.log(`names somebody: ${share(outcomes, ({ verdict }) => verdict === 'named')} of the tweets, ${share(named, right)} of them right`)
  if (close.length) console.log(`too close to call: ${share(outcomes, ({ verdict }) => verdict === 'too close to call')}, where the best guess is right for ${share(close, right)}`)
  const novel = ({ verdict }: Outcome): boolean => verdict === 'unlike any of them'
  console.log(`unlike any of them: ${share(outcomes, novel)} of their own tweets (false alarms)${strangers.length ? `, ${share(strangers, novel)} of another author's` : ''}`)
}

function summarise(outcomes: Outcome[]): object {
  const mean = (f: (outcome: Outcome) => number): number => outcomes.reduce((sum, outcome) => sum + f(outcome), 0) / outcomes.length
  const round = (x: number): number => Number(x.toFixed(4))
  return {
    accuracy: round(mean(({ probabilities, label }) => Number(argmax(probabilities) === label))),
    logLoss: round(mean(({ probabilities, label }) => -Math.log(probabilities[label]))),
    ece: round(calibrationError(outcomes)),
    subsets: options.subsets,
    authors: options.authors,
    fitMsMedian: round(fitMs.sort((a, b) => a - b)[fitMs.length >> 1])
  }
}

/** Expected calibration error over bins of equal width of the answer's probability (Guo et al. 2017, section 2). */
function calibrationError(outcomes: Outcome[]): number {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0 }))
  for (const { probabilities, label } of outcomes) {
    const answer = argmax(probabilities)
    const bin = bins[Math.min(BINS - 1, Math.floor(probabilities[answer] * BINS))]
    bin.confidence += probabilities[answer]
    bin.right += Number(answer === label)
  }
  return bins.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0) / outcomes.length
}
