import { cp, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openEncoder, type Encoder } from '../../../src/encoder/encoder.js'
import { PATHS } from '../../../src/core/paths.js'
import { dot, slices } from '../../../src/core/vectors.js'

const SENTENCES = [
  'The kettle is on and nobody is home.',
  'LETS GOOO!!! 🚀🔥 #winning',
  '今日はとても暑いですね。',
  'two\nlines\n\nand a gap',
  'x',
  '👩🏽‍🚀',
  'Ever wondered what a cloud weighs? Or is it just me?'
]

let encoder: Encoder

beforeAll(async () => {
  encoder = await openEncoder()
})

/** The texts' vectors, embedded in one call. */
async function vectorsOf(texts: string[]): Promise<Float32Array[]> {
  return slices(await encoder.embed(texts), texts.length)
}

describe('our encoder', () => {
  test('has a name of its folder and a hash of its weights', () => {
    expect(encoder.name).toMatch(new RegExp(`^${basename(PATHS.encoder)}@[0-9a-f]{8}$`))
  })

  test('gives every text a vector of length 1 and of the same size', async () => {
    const vectors = await vectorsOf(SENTENCES)
    expect(vectors[0].length).toBeGreaterThan(8)
    expect(new Set(vectors.map(({ length }) => length)).size).toBe(1)
    for (const vector of vectors) expect(dot(vector, vector)).toBeCloseTo(1, 4)
  })

  test('gives different texts different vectors, and a text the same one each time', async () => {
    const [first, second, again] = await vectorsOf([SENTENCES[0], SENTENCES[1], SENTENCES[0]])
    expect(dot(first, second)).toBeLessThan(0.999)
    expect(dot(first, again)).toBeCloseTo(1, 5)
  })

  test('gives a text the same vector alone and among others, in the order of the texts', async () => {
    const texts = Array.from({ length: 33 }, (_, i) => `${SENTENCES[i % SENTENCES.length]} ${'and on '.repeat(i)}${i}`)
    const together = await vectorsOf(texts)
    for (const [i, text] of texts.entries()) {
      const [alone] = await vectorsOf([text])
      for (let j = 0; j < alone.length; j++) expect(together[i][j]).toBeCloseTo(alone[j], 4)
    }
  })

  test('gives no vectors for no texts', async () => {
    expect(await encoder.embed([])).toEqual(new Float32Array(0))
  })

  test.each([
    ['very long', 'a sentence that goes on and on '.repeat(2000)],
    ['one endless word', 'w'.repeat(20_000)],
    ['nothing but emoji', '🌱🌙✨☕️🐈👩🏽‍🚀🏳️‍🌈'.repeat(20)],
    ['Japanese', '吾輩は猫である。名前はまだ無い。'.repeat(10)],
    ['right to left', 'مرحبا بالعالم שלום עולם'],
    ['lines', '\n\n  first\n\tsecond\r\nthird  \n'],
    ['blank', '   '],
    ['empty', ''],
    ['half a pair of surrogates', 'cut off \ud83d'],
    ['special tokens', '<s> [CLS] </s> [SEP] <pad> [UNK] <mask>']
  ])('takes a text that is %s', async (_, text) => {
    const [vector, other] = await vectorsOf([text, SENTENCES[0]])
    expect(vector.every(Number.isFinite)).toBe(true)
    expect(dot(vector, vector)).toBeCloseTo(1, 4)
    const [alone] = await vectorsOf([SENTENCES[0]])
    expect(dot(other, alone)).toBeCloseTo(1, 4)
  })
})

describe('an encoder', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
    await cp(PATHS.encoder, folder, { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('in another folder gives the same vectors under its own name', async () => {
    const other = await openEncoder(folder)
    expect(other.name).toBe(encoder.name.replace(basename(PATHS.encoder), basename(folder)))
    expect(await other.embed([SENTENCES[0]])).toEqual(await encoder.embed([SENTENCES[0]]))
  })

  test.each([
    ['without weights', () => rm(join(folder, 'onnx'), { recursive: true })],
    ['without a tokenizer', () => rm(join(folder, 'tokenizer.json'))],
    ['with incomplete weights', () => truncate(join(folder, 'onnx', 'model.onnx'), 1000)],
    ['with a tokenizer that is not JSON', () => writeFile(join(folder, 'tokenizer.json'), '{"model":')],
    ['in an empty folder', () => rm(folder, { recursive: true }).then(() => mkdir(folder))]
  ])('%s is refused with an error that names it', async (_, damage) => {
    await damage()
    await expect(openEncoder(folder)).rejects.toThrow(`The encoder ${folder} can't be loaded: `)
    // And the next one is none the worse for it.
    expect((await openEncoder()).name).toBe(encoder.name)
  })

  test('in a missing folder is refused with an error that names it', async () => {
    const missing = join(folder, 'not-there')
    await expect(openEncoder(missing)).rejects.toThrow(`The encoder ${missing} can't be loaded: `)
  })
})
