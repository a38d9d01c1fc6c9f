// How fast our encoder embeds, beside a model of all-MiniLM-L6-v2's shape in the same library, and what our own tokenizer
// adds to that, beside the library's on the same texts and the same tokenizer.json.

import { cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AutoTokenizer, env } from '@xenova/transformers'
import { openEncoder } from '../src/encoder/encoder.js'
import { createUnigramTokenizer } from '../src/encoder/unigram-tokenizer.js'
import { PATHS } from '../src/core/paths.js'
import { randomNumbers } from '../support/datasets.js'
import { foursome } from '../support/synthetic-tweets.js'
import { miniLmModel } from './mini-lm.js'
import { mediansMs, rowOf, type Measure, type Row } from './report.js'
import type { Step } from './steps.js'

const MAX_TOKENS = 256 // the encoder's

const EMBEDDING: Measure = {
  name: 'embedding, one thread', unit: 'tweets/s', rival: "a model of all-MiniLM-L6-v2's shape", target: { of: 'ratio', is: '>=', bound: 40 }
}
const TOKENIZING: Measure = {
  name: 'tokenizing, one thread', unit: 'tweets/s', rival: 'AutoTokenizer', target: { of: 'ratio', is: '>=', bound: 3 }
}
const WITH_OURS: Measure = {
  name: 'embedding, our tokenizer', unit: 'tweets/s', rival: 'AutoTokenizer', target: { of: 'ratio', is: '>=', bound: 1.5 }
}

export const embeddingSteps: Step[] = [
  { title: 'embedding', names: [EMBEDDING.name], run: () => inFolder(measureEmbedding) },
  { title: 'tokenizing', names: [TOKENIZING.name, WITH_OURS.name], run: () => inFolder(measureTokenizers) }
]

async function inFolder<T>(measure: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-bench-'))
  try {
    return await measure(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureEmbedding(folder: string): Promise<Row[]> {
  const { texts } = foursome(200)
  const ours = await embeddedPerSecond(PATHS.encoder, texts)
  const rival = join(folder, 'mini-lm')
  await writeMiniLm(rival)
  return [rowBeside(EMBEDDING, ours, await embeddedPerSecond(rival, texts.filter((_, i) => i % 10 === 0)))]
}

async function measureTokenizers(folder: string): Promise<Row[]> {
  const { texts } = foursome(200)
  const ours = createUnigramTokenizer(await tokenizerJson())!
  env.localModelPath = dirname(PATHS.encoder)
  const theirs = await AutoTokenizer.from_pretrained(basename(PATHS.encoder), { local_files_only: true })
  const wrong = texts.find((text) => String(ours(text, MAX_TOKENS)) !== String(theirs.encode(text).slice(0, MAX_TOKENS)))
  if (wrong) throw new Error(`The two tokenizers cut this text differently: ${wrong}`)
  const tokenized = await perSecond(texts, [
    () => texts.forEach((text) => ours(text, MAX_TOKENS)),
    () => texts.forEach((text) => theirs.encode(text))
  ])
  const withTheirs = join(folder, basename(PATHS.encoder))
  await writeEncoderForLibrary(withTheirs)
  const encoders = [await openEncoder(), await openEncoder(withTheirs)]
  const embedded = await perSecond(texts, encoders.map((encoder) => () => encoder.embed(texts)))
  return [rowBeside(TOKENIZING, tokenized[0], tokenized[1]), rowBeside(WITH_OURS, embedded[0], embedded[1])]
}

function rowBeside(measure: Measure, ours: number, theirs: number): Row {
  return rowOf({ ...measure, rival: `${measure.rival}: ${theirs.toFixed(0)}/s` }, ours, ours / theirs)
}

async function embeddedPerSecond(model: string, texts: string[]): Promise<number> {
  const encoder = await openEncoder(model)
  return (await perSecond(texts, [() => encoder.embed(texts)]))[0]
}

/** How many of the texts each of the calls takes a second. */
async function perSecond(texts: string[], calls: (() => unknown)[]): Promise<number[]> {
  return (await mediansMs(calls, 3)).map((ms) => (1000 * texts.length) / ms)
}

async function tokenizerJson(): Promise<{ normalizer: unknown }> {
  return JSON.parse(await readFile(join(PATHS.encoder, 'tokenizer.json'), 'utf8')) as { normalizer: unknown }
}

/** Our encoder with the normalizer one level deeper: the same to the library, but not what our own tokenizer reads. */
async function writeEncoderForLibrary(folder: string): Promise<void> {
  await cp(PATHS.encoder, folder, { recursive: true })
  const tokenizer = await tokenizerJson()
  const nested = { ...tokenizer, normalizer: { type: 'Sequence', normalizers: [tokenizer.normalizer] } }
  if (createUnigramTokenizer(nested)) throw new Error('The library’s tokenizer would not be measured: ours reads this file too.')
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(nested))
}

/** The model with our tokenizer, so that both read as many tokens. */
async function writeMiniLm(folder: string): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true })
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) await cp(join(PATHS.encoder, name), join(folder, name))
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }))
  const file = await open(join(folder, 'onnx', 'model.onnx'), 'w')
  for (const piece of miniLmModel(randomNumbers(3))) await file.write(piece)
  await file.close()
}
