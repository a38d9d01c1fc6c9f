// What a worker thread runs. Each thread has one encoder, loaded when it is first needed.

import { workerData } from 'piscina'
import { fitEncoder, fitNgrams } from './attribution.js'
import { createEmbedder, type Embedder } from './embedder.js'

let loading: Promise<Embedder> | undefined

/** The thread's encoder; a failed load is tried again by the next caller. */
function embedder(): Promise<Embedder> {
  loading ??= createEmbedder(workerData.encoder).catch((error) => {
    loading = undefined
    throw error
  })
  return loading
}

export async function encoderName(): Promise<string> {
  return (await embedder()).encoder
}

export async function embed(texts: string[]): Promise<Float32Array> {
  return (await embedder()).embed(texts)
}

export { fitEncoder, fitNgrams }
