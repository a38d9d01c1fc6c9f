import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { PATHS } from '../core/paths.js'
import type { Services } from '../services/services.js'
import { decodeText } from '../text/normalize.js'
import { slices } from '../core/vectors.js'

const Samples = z.array(
  z.object({
    username: z.string(),
    name: z.string(),
    tweets: z.array(z.object({ createdAt: z.coerce.date(), text: z.string() }))
  })
)

/**
 * Stores the four sample users, who are invented, with their tweets. Tweets that are stored already stay as they are.
 * @param onProgress called after each user with the number of users stored so far, and of all
 * @returns the usernames
 */
export async function addSamples({ tweetStore, threads }: Services, onProgress?: (done: number, of: number) => void): Promise<string[]> {
  const samples = Samples.parse(JSON.parse(await readFile(PATHS.samples, 'utf8')))
  for (const [i, { username, name, tweets }] of samples.entries()) {
    const texts = tweets.map(({ text }) => decodeText(text))
    const vectors = slices(await threads.embed(texts), texts.length)
    const rows = tweets.map(({ createdAt }, t) => ({
      id: `sample:${username}:${tweets.length - t}`,
      text: texts[t],
      createdAt,
      position: BigInt(createdAt.getTime()),
      embedding: vectors[t]
    }))
    const user = { id: `sample:${username}`, username, name, pictureUrl: null, source: 'sample' as const }
    await tweetStore.saveTweets(user, null, rows, await threads.encoderName())
    onProgress?.(i + 1, samples.length)
  }
  return samples.map(({ username }) => username)
}
