// What the embedding thread runs. It has one encoder, which is loaded when it is first needed.

import { workerData } from 'piscina'
import { openEncoder, type Encoder } from '../encoder/encoder.js'
import { transferred } from './transfer.js'

let loading: Promise<Encoder> | undefined

/** The thread's encoder; a failed load is tried again by the next caller. */
function encoder(): Promise<Encoder> {
  loading ??= openEncoder(workerData.encoder).catch((error) => {
    loading = undefined
    throw error
  })
  return loading
}

export async function encoderName(): Promise<string> {
  return (await encoder()).name
}

/** The last task before the thread is stopped: with the network still in memory, stopping may end the whole process. */
export async function close(): Promise<void> {
  const closing = loading
  loading = undefined
  await (await closing?.catch(() => undefined))?.close()
}

export async function embed(texts: string[]): Promise<unknown> {
  return transferred(await (await encoder()).embed(texts))
}
