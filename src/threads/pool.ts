// Embedding, fitting and drawing take long enough to hold every other request up, so they run in worker threads: one that
// embeds (an encoder takes memory), a few that fit, and one that draws.

import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { assemble, foldsFor, type Attribution, type TextsRead, type TrainingSet } from '../model/attribution.js'
import { RUNS_FROM_SOURCE } from '../core/paths.js'
import { joinVectors } from '../core/vectors.js'
import type { StyleProfile } from '../text/style-profile.js'
import { ThreadLost, ThreadPool } from './thread-pool.js'

export interface Threads {
  /** The name of the encoder, as it stands beside each stored vector. The thread is asked only once. */
  encoderName(): Promise<string>
  /** The same, but the thread is asked each time: rejects where it cannot load the encoder, waits while it does not answer. */
  checkEncoder(): Promise<string>
  /** n texts → n vectors, end to end. */
  embed(texts: string[]): Promise<Float32Array<ArrayBuffer>>
  /** Reads texts, so that they can be fitted on. */
  readTexts(texts: string[]): Promise<TextsRead>
  /** Fits an attribution, its two models side by side. */
  fit(set: TrainingSet): Promise<Attribution>
  /** Describes how a user writes, against the texts of others, one list a user. */
  describeStyle(own: { text: string; createdAt: Date | null }[], others: string[][]): Promise<StyleProfile>
  /** SVG → PNG. */
  draw(svg: string): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

const EMBED_AT_ONCE = 128 // texts; between two such tasks the thread is free for a visitor's text
const LONGEST_CLOSE = 20_000 // ms that closing waits for a thread which may not answer
const DRAWING_IDLE = 60_000 // ms without a picture after which its thread ends
const YOUNG_MEMORY = 16 // MB a thread for what is soon forgotten; V8 would take three times as much

/** Starts the threads; `encoder` is a folder or a hub name (our own without it). */
export function openThreads(encoder?: string): Threads {
  const fileOf = (name: string): string => new URL(`./${name}-worker.${RUNS_FROM_SOURCE ? 'ts' : 'js'}`, import.meta.url).href
  const shared = {
    workerData: { encoder },
    execArgv: RUNS_FROM_SOURCE ? ['--import', 'tsx'] : [],
    atomics: 'disabled' as const,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEMORY }
  }
  const most = Math.max(2, Math.min(4, availableParallelism()))
  const embedding = new ThreadPool({ ...shared, filename: fileOf('embed'), minThreads: 1, maxThreads: 1, name: 'embed' })
  const fitting = new ThreadPool({ ...shared, filename: fileOf('fit'), minThreads: 2, maxThreads: most, name: 'read' })
  const drawing = new ThreadPool({ ...shared, filename: fileOf('draw'), minThreads: 0, maxThreads: 1, idleTimeout: DRAWING_IDLE })
  let name: Promise<string> | undefined
  let check: Promise<string> | undefined
  let isClosing = false
  const askName = (): Promise<string> => embedding.run(undefined, { name: 'encoderName' })
  const embedSome = (texts: string[]): Promise<Float32Array> => {
    if (isClosing) throw new ThreadLost()
    return embedding.run(texts)
  }
  return {
    encoderName() {
      name ??= askName().catch((error) => {
        name = undefined
        throw error
      })
      return name
    },
    checkEncoder() {
      check ??= askName().finally(() => (check = undefined)) // one at a time: a thread that hangs gathers no questions
      return check
    },
    async embed(texts) {
      const parts: Float32Array[] = []
      for (let i = 0; i < texts.length; i += EMBED_AT_ONCE) parts.push(await embedSome(texts.slice(i, i + EMBED_AT_ONCE)))
      return joinVectors(parts)
    },
    readTexts: (texts) => fitting.run(texts),
    async fit({ counts, templates, vectors, labels }) {
      const foldOf = foldsFor({ templates, labels })
      const [ngrams, encoder] = await Promise.all([
        fitting.run({ counts, labels, foldOf }, { name: 'ngrams' }),
        fitting.run({ vectors, labels, foldOf }, { name: 'encoder' })
      ])
      const logits = { ngrams: ngrams.heldOut, encoder: encoder.heldOut }
      return assemble(ngrams, encoder, await fitting.run({ logits, labels }, { name: 'stacked' }))
    },
    describeStyle: (...tweets) => fitting.run(tweets, { name: 'style' }),
    draw: (svg) => drawing.run(svg),
    async close() {
      isClosing = true
      // The last task frees the network: a thread that is stopped within onnxruntime takes the process along.
      const freed = embedding.run(undefined, { name: 'close' }).catch(() => {})
      await Promise.race([freed, pause(LONGEST_CLOSE, undefined, { ref: false })])
      await Promise.all([embedding.destroy(), fitting.destroy(), drawing.destroy()])
    }
  }
}
