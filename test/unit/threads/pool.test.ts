import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fitAttribution, type Attribution, type TextsRead } from '../../../src/model/attribution.js'
import { openEncoder, type Encoder } from '../../../src/encoder/encoder.js'
import { PATHS } from '../../../src/core/paths.js'
import { logitsOf, readQuestion } from '../../../src/model/question.js'
import { sum } from '../../../src/model/stacking.js'
import { argmax } from '../../../src/regression/softmax.js'
import { openThreads, type Threads } from '../../../src/threads/pool.js'
import { ThreadLost } from '../../../src/threads/thread-pool.js'
import { dot, slices } from '../../../src/core/vectors.js'

let encoder: Encoder
let threads: Threads

beforeAll(async () => {
  encoder = await openEncoder()
  threads = openThreads()
})
afterAll(() => threads.close())

const numbered = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => `tweet number ${i}, ${'no '.repeat(i % 7)}`)

describe('embedding in a thread', () => {
  test('is done by the encoder that the threads name', async () => {
    expect(await threads.encoderName()).toBe(encoder.name)
  })

  test('gives the vectors that the encoder gives', async () => {
    const texts = ['one', 'two 🌱', '三']
    expect(await threads.embed(texts)).toEqual(await encoder.embed(texts))
  })

  test('gives no vectors for no texts', async () => {
    expect(await threads.embed([])).toEqual(new Float32Array(0))
  })

  test('keeps the order of more texts than one task takes', async () => {
    const texts = numbered(300)
    const vectors = slices(await threads.embed(texts), texts.length)
    for (const i of [0, 127, 128, 255, 256, 299]) {
      const alone = await encoder.embed([texts[i]])
      expect(dot(vectors[i], alone)).toBeCloseTo(1, 4)
    }
    const last = await encoder.embed([texts[299]])
    expect(dot(vectors[298], last)).toBeLessThan(0.9999)
  })

  test('gives each of several callers their own vectors', async () => {
    const texts = numbered(12)
    const answers = await Promise.all(texts.map((text) => threads.embed([text])))
    for (const [i, answer] of answers.entries()) expect(answer).toEqual(await encoder.embed([texts[i]]))
  })
})

describe('fitting in a thread', () => {
  const fit = async (texts: string[], labels: Int32Array): Promise<Attribution> =>
    fitRead(await threads.readTexts(texts), await threads.embed(texts), labels)
  const fitRead = ({ counts, templates }: TextsRead, vectors: Float32Array, labels: Int32Array): Promise<Attribution> =>
    threads.fit({ counts: [counts], templates, vectors: [vectors], labels })

  test('gives the same as fitting in the main thread', async () => {
    const texts = numbered(30).flatMap((text) => [text, `${text.toUpperCase()}!!!`, `Why ${text}?`])
    const labels = Int32Array.from(texts, (_, i) => i % 3)
    const vectors = await threads.embed(texts)
    const attribution = await fit(texts, labels)
    expect(attribution).toEqual(fitAttribution({ texts, vectors, labels }))
    const text = 'TWEET NUMBER 99, NO NO!!!'
    expect(argmax(sum(logitsOf(attribution, readQuestion(attribution, text, await threads.embed([text])))))).toBe(1)
  })

  test('fails with the reason, and the thread goes on', async () => {
    await expect(fit(['a', 'b'], Int32Array.of(0, 2))).rejects.toThrow(/Classes/)
    const texts = numbered(20)
    const labels = Int32Array.from(texts, (_, i) => i % 2)
    const { reliability } = await fit(texts, labels)
    expect(reliability.confusion).toHaveLength(2)
  })
})

test('an encoder that could not be loaded is tried again by the next caller', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
  await cp(PATHS.encoder, folder, { recursive: true })
  await rm(join(folder, 'onnx'), { recursive: true })
  const threads = openThreads(folder)
  try {
    await expect(threads.encoderName()).rejects.toThrow(`The encoder ${folder} can't be loaded: `)
    await expect(threads.embed(['text'])).rejects.toThrow(`The encoder ${folder} can't be loaded: `)
    await cp(PATHS.encoder, folder, { recursive: true })
    expect(await threads.encoderName()).toMatch(/@[0-9a-f]{8}$/)
    expect(await threads.embed(['text'])).toEqual(await encoder.embed(['text']))
  } finally {
    await threads.close()
    await rm(folder, { recursive: true, force: true })
  }
})

describe('threads that are closed while texts are embedded', () => {
  const started: Worker[] = []
  const remember = (thread: Worker): void => void started.push(thread)
  beforeEach(() => void process.on('worker', remember))
  afterEach(() => void process.off('worker', remember))

  test('answer for the texts that the encoder has, refuse those that it does not have yet and later ones, and end', async () => {
    const closing = openThreads()
    const [few, many] = [closing.embed(['one', 'two']), closing.embed(numbered(300))]
    const refused = expect(many).rejects.toBeInstanceOf(ThreadLost)
    await closing.close()
    expect(await few).toEqual(await encoder.embed(['one', 'two']))
    await refused
    await expect(closing.embed(['late'])).rejects.toBeInstanceOf(ThreadLost)
    expect(started.length).toBeGreaterThan(1)
    expect(started.map(({ threadId }) => threadId)).toEqual(started.map(() => -1)) // the id of a thread that has ended
  })
})
