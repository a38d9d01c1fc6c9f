// How many tweets a second our encoder embeds, against a model of all-MiniLM-L6-v2's shape in the same library.

import { cp, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEncoder } from '../src/encoder/encoder.js'
import { PATHS } from '../src/core/paths.js'
import { randomNumbers } from '../support/datasets.js'
import { miniLmModel } from './onnx.js'
import { medianMs, rowOf, type Measure, type Row } from './report.js'
import type { Step } from './steps.js'
import { foursome } from '../support/synthetic-tweets.js'

const EMBEDDING: Measure = {
  name: 'embedding, one thread', unit: 'tweets/s', rival: "a model of all-MiniLM-L6-v2's shape", target: { of: 'ratio', is: '>=', bound: 40 }
}

export const embeddingSteps: Step[] = [{ title: 'embedding', names: [EMBEDDING.name], run: measureEmbedding }]

async function measureEmbedding(): Promise<Row[]> {
  const { texts } = foursome(200)
  const ours = await tweetsPerSecond(PATHS.encoder, texts)
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-bench-'))
  try {
    const rival = join(folder, 'mini-lm')
    await writeMiniLm(rival)
    const theirs = await tweetsPerSecond(rival, texts.filter((_, i) => i % 10 === 0))
    return [rowOf({ ...EMBEDDING, rival: `${EMBEDDING.rival}: ${theirs.toFixed(0)}/s` }, ours, ours / theirs)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function tweetsPerSecond(model: string, texts: string[]): Promise<number> {
  const encoder = await openEncoder(model)
  return (1000 * texts.length) / (await medianMs(() => encoder.embed(texts), 3))
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
