import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { collectTweets } from '../../src/collecting/collect-tweets.js'
import type { CollectJob } from '../../src/storage/collect-jobs.js'
import type { TestServices } from './services.js'
import type { StoredUser } from '../../src/storage/users.js'

/** Collects a user here and now, without the queue; what would have been tried again is thrown. */
export async function collect(services: TestServices, username: string): Promise<{ user: StoredUser; added: number }> {
  const { collectJobs, userStore, config } = services
  const worker = randomUUID()
  await collectJobs.request(username, config.X_POSTS_PER_USER)
  const collectJob = await collectJobs.claim(username.toLowerCase(), worker)
  if (!collectJob) throw new Error(`@${username} is being collected already.`)
  try {
    await collectTweets(services, { collectJob, worker, signal: new AbortController().signal })
  } catch (error) {
    await collectJobs.step(collectJob.usernameKey, worker, { state: 'failed', worker: null })
    throw error
  }
  const [{ kept, username: spelt }] = await collectJobs.find([username])
  return { user: (await userStore.findUser(spelt))!, added: kept }
}

/** Waits until the collectings are as they should be (at their ends, unless another condition is given). */
export async function settled(
  { collectJobs }: Pick<TestServices, 'collectJobs'>,
  usernames: string[],
  as: (collectJob: CollectJob) => boolean = ({ state }) => state === 'done' || state === 'failed'
): Promise<CollectJob[]> {
  for (;;) {
    const found = await collectJobs.find(usernames)
    if (found.length === usernames.length && found.every(as)) return found
    await pause(20)
  }
}
