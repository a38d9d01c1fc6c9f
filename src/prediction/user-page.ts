import { ExpectedError } from '../core/errors.js'
import type { Services } from '../services/services.js'
import type { CollectJob } from '../storage/collect-jobs.js'
import type { TweetPage } from '../storage/tweets.js'
import type { StoredUser } from '../storage/users.js'
import type { StyleProfile } from '../text/style-profile.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import { describeUser } from './describe-user.js'

/** What a user's page shows. The style profile is on the first page of tweets only. */
export type UserPage =
  | (TweetPage & { user: StoredUser; habits?: StyleProfile; collectJob?: CollectJob })
  | { user?: undefined; collectJob: CollectJob } // nothing is stored yet: how far collecting has come, or why it failed

/**
 * A user with a page of their tweets and how they write, or how far collecting them has come.
 * @throws ExpectedError not-found for a user who is neither stored nor being collected
 */
export async function readUserPage(services: Services, username: string, page: number, caller = SOMEBODY): Promise<UserPage> {
  const [collectJob] = await services.collectJobs.find([username]) // first: a job that is done has stored its user
  const user = await services.userStore.findUser(username)
  if (!user && collectJob && collectJob.state !== 'done') return { collectJob }
  if (!user) throw notHere(username)
  await services.userStore.saveAsked([user])
  const tweets = await services.tweetStore.listTweets(user.id, page)
  const habits = tweets.page === 1 ? await describeUser(services, user, caller) : undefined
  return { user, ...tweets, habits, collectJob }
}

export function notHere(username: string): ExpectedError {
  return new ExpectedError('not-found', `@${username} has not been added here.`)
}
