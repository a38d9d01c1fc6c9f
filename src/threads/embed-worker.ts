// What the thread that embeds runs. It has one encoder, loaded when it is first needed.

import { workerData } from 'piscina'
import { openEncoder, type Encoder } from '../encoder/encoder.js'
import { transferred } from './transfer.js'

let loading: Promise<Encoder> | undefined

/** The thread's encoder; a failed load is tried again by the next caller. */
function embedder(): Promise<Encoder> {
  loading ??= openEncoder(workerData.encoder).catch((error) => {
    loading = undefined
    throw error
  })
  return loading
}

export async function encoderName(): Promise<string> {
  return (await embedder()).encoder
}

export async function embed(texts: string[]): Promise<unknown> {
  return transferred(await (await embedder()).embed(texts))
}
