import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { collectTweets } from '../../src/collect-tweets.js'
import type { Collection } from '../../src/collections.js'
import type { StoredUser } from '../../src/store.js'
import type { TestParts } from './parts.js'

/** Collects a user here and now, without the queue; what would have been tried again is thrown. */
export async function collect(parts: TestParts, username: string): Promise<{ user: StoredUser; added: number }> {
  const { collections, store, env } = parts
  const worker = randomUUID()
  await collections.request(username, env.X_POSTS_PER_USER)
  const collection = await collections.claim(username.toLowerCase(), worker)
  if (!collection) throw new Error(`@${username} is being collected already.`)
  try {
    await collectTweets(parts, { collection, worker, signal: new AbortController().signal })
  } catch (error) {
    await collections.step(collection.usernameKey, worker, { state: 'failed', worker: null })
    throw error
  }
  const [{ kept, username: spelt }] = await collections.find([username])
  return { user: (await store.findUser(spelt))!, added: kept }
}

/** Waits until the collectings are as they should be (at their ends, unless another condition is given). */
export async function settled(
  { collections }: Pick<TestParts, 'collections'>,
  usernames: string[],
  as: (collection: Collection) => boolean = ({ state }) => state === 'done' || state === 'failed'
): Promise<Collection[]> {
  for (;;) {
    const found = await collections.find(usernames)
    if (found.length === usernames.length && found.every(as)) return found
    await pause(20)
  }
}
