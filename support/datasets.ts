// Files of several authors' tweets, and random numbers from a seed, for tests and measurements.

import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { decodeText, dropDuplicates } from '../src/text/normalize.js'

const Author = z.object({ handle: z.string(), tweets: z.array(z.string()) })
const Row = z.object({ handle: z.string(), text: z.string() })

/**
 * Author → decoded texts, newest first, without texts that are the same except for links and case.
 * @param path CSV with the columns handle and text, or JSON Lines {"handle", "tweets"} (plain or .gz), newest first
 */
export async function readDataset(path: string): Promise<Map<string, string[]>> {
  const raw = /\.csv$/i.test(path) ? await readCsv(path) : await readJsonLines(path)
  return new Map([...raw].map(([handle, texts]) => [handle, dropDuplicates(texts.map(decodeText), (text) => text)]))
}

async function readCsv(path: string): Promise<Map<string, string[]>> {
  const rows = z.array(Row).parse(parse(await readFile(path), { columns: true, bom: true }))
  const authors = new Map<string, string[]>()
  for (const { handle, text } of rows) authors.set(handle, [...(authors.get(handle) ?? []), text])
  return authors
}

async function readJsonLines(path: string): Promise<Map<string, string[]>> {
  const file = createReadStream(path)
  const authors = new Map<string, string[]>()
  for await (const line of createInterface({ input: path.endsWith('.gz') ? file.pipe(createGunzip()) : file })) {
    if (line.trim() === '') continue
    const { handle, tweets } = Author.parse(JSON.parse(line))
    authors.set(handle, tweets)
  }
  return authors
}

/** Random numbers in [0, 1), the same ones for the same seed (mulberry32, Tommy Ettinger 2017). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The items in random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
