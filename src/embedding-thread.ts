// What the thread that embeds runs. It has one encoder, loaded when it is first needed.

import { workerData } from 'piscina'
import { createEmbedder, type Embedder } from './embedder.js'
import { moved } from './moved.js'

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

export async function embed(texts: string[]): Promise<unknown> {
  return moved(await (await embedder()).embed(texts))
}
