import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { collectTweets } from '../../src/collecting/collect-tweets.js'
import type { CollectJob } from '../../src/storage/collect-jobs.js'
import type { TestServices } from './services.js'
import type { StoredUser } from '../../src/storage/users.js'

/** Collects a user at once, without the queue; every failure is thrown. */
export async function collect(services: TestServices, username: string): Promise<{ user: StoredUser; added: number }> {
  const { collectJobs, userStore, config } = services
  const worker = randomUUID()
  await collectJobs.request(username, config.X_POSTS_PER_USER)
  const job = await collectJobs.claim(username.toLowerCase(), worker)
  if (!job) throw new Error(`@${username} is being collected already.`)
  try {
    await collectTweets(services, job, new AbortController().signal)
  } catch (error) {
    await collectJobs.saveProgress(job, { state: 'failed', worker: null })
    throw error
  }
  const [{ kept, username: spelt }] = await collectJobs.find([username])
  return { user: (await userStore.findUser(spelt))!, added: kept }
}

/** Waits until all of the users' jobs have ended, or until another condition holds for each. */
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
