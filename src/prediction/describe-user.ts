import type { Services } from '../services/services.js'
import type { StoredUser } from '../storage/users.js'
import { MAX_PROFILED_TWEETS, MAX_PROFILED_USERS, tweetsOfEachOther, type StyleProfile } from '../text/style-profile.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import { versionOf } from './candidates.js'

/**
 * How a user writes, against the others who were collected last. A worker thread computes it (it takes some 100 ms), and
 * it is cached until the tweets of one of these users change.
 */
export async function describeUser({ userStore, tweetStore, threads, profiles, heavyWork }: Services, user: StoredUser, caller = SOMEBODY): Promise<StyleProfile> {
  const others = await userStore.listOthers(user.id, MAX_PROFILED_USERS)
  const describe = async (): Promise<{ profile: StyleProfile; bytes: number }> => {
    const size = tweetsOfEachOther(others.filter(({ tweets }) => tweets > 0).length)
    const [{ tweets }, texts] = await Promise.all([
      tweetStore.listTweets(user.id, 1, MAX_PROFILED_TWEETS),
      tweetStore.listOthersTexts(user.id, MAX_PROFILED_USERS, size)
    ])
    const profile = await threads.describeStyle(tweets, texts)
    return { profile, bytes: 2 * JSON.stringify(profile).length }
  }
  const inTurn = (signal: AbortSignal) => heavyWork.run({ ...caller, signal }, describe)
  return (await profiles.get([user, ...others].map(versionOf).join(), inTurn, caller.signal)).profile
}
