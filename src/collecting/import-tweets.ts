import { readArchive } from '../sources/archive/read-archive.js'
import { ExpectedError } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { slices } from '../core/vectors.js'
import { importInWords, type ImportReport } from '../sources/archive/report.js'
import type { StoredUser } from '../storage/users.js'

export interface Import {
  username: string
  path: string
  fileName: string
  replies: boolean
}

/**
 * Imports a user's tweets from a file, without the X API. A second import for the same user replaces the first one; users from
 * X and sample users are not replaced. All tweets are stored, or none.
 * @throws ExpectedError `unusable` for a file without tweets to learn from, and for the name of a user from X or a sample user
 */
export async function importTweets(services: Services, { username, path, fileName, replies }: Import): Promise<{ user: StoredUser; report: ImportReport }> {
  const { userStore, tweetStore, threads } = services
  const known = await userStore.findUser(username)
  if (known && known.source !== 'archive') {
    throw new ExpectedError('unusable', `@${known.username} is here already, ${known.source === 'x' ? 'read from X' : 'as a sample'}. Choose another name for the file.`)
  }
  const { tweets, report } = await readArchive(path, fileName, { replies })
  if (tweets.length === 0) throw new ExpectedError('unusable', `That file has no tweets of @${username}'s own to learn from: ${importInWords({ ...report, ...report.dropped })}`)
  const id = `archive:${username.toLowerCase()}`
  const vectors = slices(await threads.embed(tweets.map(({ text }) => text)), tweets.length)
  const rows = tweets.map((tweet, i) => ({
    id: tweet.id ?? String(tweets.length - i),
    text: tweet.text,
    createdAt: tweet.createdAt,
    position: BigInt(tweets.length - i),
    embedding: vectors[i]
  }))
  await tweetStore.replaceTweets({ id, username, name: username, pictureUrl: null, source: 'archive' }, rows, await threads.encoderName())
  return { user: (await userStore.findUser(username))!, report }
}
