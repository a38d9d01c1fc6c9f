import { readArchive, type ImportedTweet } from '../sources/archive/read-archive.js'
import { ExpectedError } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { slices } from '../core/vectors.js'
import { bytesOf } from '../storage/room.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import { importInWords, type ImportReport } from '../sources/archive/report.js'
import { isUnderWay } from '../storage/collect-jobs.js'
import type { StoredUser, TransactionPart } from '../storage/users.js'

export interface Import {
  username: string
  path: string
  fileName: string
  replies: boolean
}

/**
 * Imports a user's tweets from a file, without the X API. A second import for the same user replaces the first one; users from
 * X and sample users are not replaced. All tweets are stored, or none.
 * @throws ExpectedError `unusable` for a file without tweets to learn from, and for the name of a user from X or a sample user;
 * `too-many` where the caller has added too much lately; StorageFull
 */
export async function importTweets(services: Services, { username, path, fileName, replies }: Import, { client } = SOMEBODY): Promise<{ user: StoredUser; report: ImportReport }> {
  const { userStore, tweetStore, threads, rateLimits } = services
  await checkName(services, username)
  const { tweets, report } = await readArchive(path, fileName, { replies })
  if (tweets.length === 0) throw new ExpectedError('unusable', `That file has no tweets of @${username}'s own to learn from: ${importInWords({ ...report, ...report.dropped })}`)
  const id = `archive:${username.toLowerCase()}`
  const vectors = slices(await threads.embed(tweets.map(({ text }) => text)), tweets.length)
  const ids = idsOf(tweets)
  const rows = tweets.map((tweet, i) => ({
    id: ids[i],
    text: tweet.text,
    createdAt: tweet.createdAt,
    position: BigInt(tweets.length - i),
    embedding: vectors[i]
  }))
  await rateLimits.imported.count(client, Math.ceil(bytesOf(rows) / 1024))
  await tweetStore.replaceTweets({ id, username, name: username, pictureUrl: null, source: 'archive' }, rows, await threads.encoderName(), (tx) => checkName(services, username, tx))
  return { user: (await userStore.findUser(username))!, report }
}

/** The tweets' ids, each once; a tweet without one has its place from the oldest, or a number that goes on from there. */
function idsOf(tweets: ImportedTweet[]): string[] {
  const taken = new Set(tweets.map(({ id }) => id))
  return tweets.map(({ id }, i) => {
    if (id !== null) return id
    let free = tweets.length - i
    while (taken.has(String(free))) free += tweets.length // steps of this size never meet the number of another tweet
    return String(free)
  })
}

/**
 * A file is for a name that X or a sample does not have, now or soon. Called before the file is read, and once more under the
 * lock of the name before its tweets are stored: the user may have been added meanwhile.
 */
async function checkName({ userStore, collectJobs }: Services, username: string, tx?: Parameters<TransactionPart>[0]): Promise<void> {
  const [known, [collectJob]] = [await userStore.findUser(username, tx), await collectJobs.find([username], tx)]
  if (known && known.source !== 'archive') {
    throw new ExpectedError('unusable', `@${known.username} is here already, ${known.source === 'x' ? 'read from X' : 'as a sample'}. Choose another name for the file.`)
  }
  if (collectJob && isUnderWay(collectJob)) {
    throw new ExpectedError('unusable', `@${collectJob.username} is being read from X at the moment. Choose another name for the file.`)
  }
}
