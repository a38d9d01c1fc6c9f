import { readArchive, type ImportedPerson, type ImportedTweet } from '../sources/archive/read-archive.js'
import { ExpectedError } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { slices } from '../core/vectors.js'
import { bytesOf } from '../storage/room.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import { importInWords, type ImportReport } from '../sources/archive/report.js'
import { isUnderWay } from '../storage/collect-jobs.js'
import type { NewTweet } from '../storage/tweets.js'
import type { StoredUser, TransactionPart } from '../storage/users.js'

export interface Import {
  path: string
  fileName: string
  /** Whose tweets they are; without it, whom the file names. */
  username?: string
  replies: boolean
  /** The authors whose tweets are wanted, up to four, where the visitor was asked. */
  authors?: string[]
  /** The column of the texts, where the visitor was asked. */
  text?: string
}

/** A user who was imported, and what became of the file. */
export interface Imported {
  user: StoredUser
  report: ImportReport
}

const LONGEST_NAME = 15 // characters of a username

/**
 * Imports a user's tweets from a file, or those of several authors in it, without the X API. A second import for the same user
 * replaces the first one; users from X and sample users are not replaced. All tweets are stored, or none.
 * @throws ExpectedError `unusable` for a file without tweets to learn from, and for the name of a user from X or a sample user;
 * `too-many` where the caller has added too much lately; StorageFull; FileQuestion
 */
export async function importTweets(services: Services, { path, fileName, username, ...options }: Import, { client } = SOMEBODY): Promise<Imported[]> {
  const { userStore, tweetStore, threads, rateLimits } = services
  if (username) await checkName(services, username)
  const people = await readArchive(path, fileName, { username, ...options })
  const names = usernamesOf(people, username)
  for (const [i, { tweets, report }] of people.entries()) {
    await checkName(services, names[i])
    if (tweets.length === 0) throw new ExpectedError('unusable', `That file has no tweets of @${names[i]}'s own to learn from: ${importInWords(report)}`)
  }
  const users: { user: { id: string; username: string; name: string; pictureUrl: null; source: 'archive' }; tweets: NewTweet[] }[] = []
  for (const [i, { tweets }] of people.entries()) {
    const user = { id: `archive:${names[i].toLowerCase()}`, username: names[i], name: names[i], pictureUrl: null, source: 'archive' as const }
    users.push({ user, tweets: withVectors(tweets, await threads.embed(tweets.map(({ text }) => text))) })
  }
  await rateLimits.imported.count(client, Math.ceil(users.reduce((sum, { tweets }) => sum + bytesOf(tweets), 0) / 1024))
  await tweetStore.replaceUsers(users, await threads.encoderName(), async (tx) => {
    for (const name of names) await checkName(services, name, tx)
  })
  return Promise.all(people.map(async ({ report }, i) => ({ user: (await userStore.findUser(names[i]))!, report })))
}

/** What the people are called here: the one person as the visitor says, several as the file says. */
function usernamesOf(people: ImportedPerson[], username: string | undefined): string[] {
  if (people.length === 1 && username) return [username]
  const taken = new Set<string>()
  return people.map(({ name }) => {
    const plain = (name ?? '').replace(/^@/, '').replace(/@.*$/, '').replace(/\W/g, '_').slice(0, LONGEST_NAME)
    if (!/[A-Za-z0-9]/.test(plain)) throw new ExpectedError('invalid', 'Say whose tweets they are: the file names nobody whose name can be taken.')
    let free = plain
    for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${plain.slice(0, LONGEST_NAME - 2)}_${n}`
    taken.add(free.toLowerCase())
    return free
  })
}

function withVectors(tweets: ImportedTweet[], joined: Parameters<typeof slices>[0]): NewTweet[] {
  const vectors = slices(joined, tweets.length)
  const ids = idsOf(tweets)
  return tweets.map(({ text, createdAt }, i) => ({ id: ids[i], text, createdAt, position: BigInt(tweets.length - i), embedding: vectors[i] }))
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
