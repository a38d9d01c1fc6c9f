import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AutoModel, AutoTokenizer, env, mean_pooling, Tensor, type PreTrainedModel } from '@xenova/transformers'
import { PATHS } from '../core/paths.js'
import { createUnigramTokenizer, type UnigramTokenizer } from './unigram-tokenizer.js'
import { joinVectors, slices } from '../core/vectors.js'

const HUB_NAME = /^[\w.-]+\/[\w.-]+$/ // owner/name; anything else has to be a folder
const BATCH = 16 // padding and memory grow with the batch; more is not faster on one thread
const MAX_TOKENS = 256
const PADDING = 2n // the padding token of our encoder

/** n texts → token ids, n × the longest, and a mask that is 0 where there is padding. */
type Tokenize = (texts: string[]) => { input_ids: Tensor; attention_mask: Tensor }

export interface Encoder {
  /** Stored beside each vector: a hub name, or a folder's name with a hash of its weights. */
  name: string
  /** n texts → n vectors of length 1, one after the other in one array. */
  embed(texts: string[]): Promise<Float32Array<ArrayBuffer>>
  /** Frees the network's memory; nothing can be embedded afterwards. */
  close(): Promise<void>
}

/**
 * Loads an encoder: a folder in the Hugging Face layout, or a name on its hub.
 * @throws Error that says which encoder cannot be loaded and why
 */
export async function openEncoder(model: string = PATHS.encoder): Promise<Encoder> {
  const folder = existsSync(model) || !HUB_NAME.test(model) ? resolve(model) : undefined
  const [tokenize, network, name] = await load(model, folder).catch((error: Error) => {
    throw new Error(`The encoder ${model} can't be loaded: ${error.message}`, { cause: error })
  })
  return {
    name,
    async embed(texts) {
      const order = texts.map((_, i) => i).sort((a, b) => texts[a].length - texts[b].length) // texts of like length together: less padding
      const vectors: Float32Array[] = []
      for (let at = 0; at < texts.length; at += BATCH) {
        const batch = order.slice(at, at + BATCH)
        const made = await embedBatch(tokenize, network, batch.map((i) => texts[i]))
        slices(made, batch.length).forEach((vector, n) => (vectors[batch[n]] = vector))
      }
      return joinVectors(vectors)
    },
    async close() {
      await network.dispose()
    }
  }
}

async function load(model: string, folder?: string): Promise<[Tokenize, PreTrainedModel, string]> {
  if (folder) env.localModelPath = dirname(folder)
  env.allowRemoteModels = !folder
  const id = folder ? basename(folder) : model
  const ours = folder && createUnigramTokenizer(await readJson(join(folder, 'tokenizer.json')))
  const tokenize = ours ? tokenizeByOurs(ours) : await tokenizeByLibrary(id, Boolean(folder))
  const network = await AutoModel.from_pretrained(id, {
    local_files_only: Boolean(folder),
    dtype: 'fp32',
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1, enableCpuMemArena: false, enableMemPattern: false } // costs a little time and saves memory
  })
  return [tokenize, network, folder ? `${id}@${await hashOf(join(folder, 'onnx', 'model.onnx'))}` : model]
}

async function tokenizeByLibrary(id: string, isLocal: boolean): Promise<Tokenize> {
  const tokenizer = await AutoTokenizer.from_pretrained(id, { local_files_only: isLocal })
  return (texts) => tokenizer(texts, { padding: true, truncation: true, max_length: MAX_TOKENS })
}

function tokenizeByOurs(tokenizer: UnigramTokenizer): Tokenize {
  return (texts) => {
    const rows = texts.map((text) => tokenizer(text, MAX_TOKENS))
    const longest = rows.reduce((most, { length }) => Math.max(most, length), 0)
    const ids = new BigInt64Array(rows.length * longest).fill(PADDING)
    const mask = new BigInt64Array(ids.length)
    rows.forEach((row, i) => {
      row.forEach((id, j) => (ids[i * longest + j] = BigInt(id)))
      mask.fill(1n, i * longest, i * longest + row.length)
    })
    const dims = [rows.length, longest]
    return { input_ids: new Tensor('int64', ids, dims), attention_mask: new Tensor('int64', mask, dims) }
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256').update(await readFile(path)).digest('hex').slice(0, 8)
}

/** Our encoder returns `sentence_embedding`; the token states of others are averaged and scaled to length 1. */
async function embedBatch(tokenize: Tokenize, network: PreTrainedModel, texts: string[]): Promise<Float32Array<ArrayBuffer>> {
  const inputs = tokenize(texts)
  const outputs = (await network(inputs)) as Record<string, Tensor>
  const pooled = outputs.sentence_embedding ?? mean_pooling(outputs.last_hidden_state, inputs.attention_mask).normalize(2, -1)
  return pooled.data as Float32Array<ArrayBuffer>
}
