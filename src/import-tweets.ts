import { readArchive, type ImportReport } from './archive.js'
import { VisibleError } from './errors.js'
import type { Parts } from './parts.js'
import type { StoredUser } from './store.js'
import { slices } from './vectors.js'
import { importInWords } from './view-helpers.js'

export interface Import {
  username: string
  path: string
  fileName: string
  replies: boolean
}

/**
 * A user's tweets out of a file, without the X API. A user who came from X keeps what was read there; importing for
 * somebody who was imported before puts the new file in the old one's place. Nothing is stored unless all can be.
 * @throws VisibleError for a file that can't be read or has nothing to learn from (422), and for a sample user (422)
 */
export async function importTweets(parts: Parts, { username, path, fileName, replies }: Import): Promise<{ user: StoredUser; report: ImportReport }> {
  const { store, threads } = parts
  const known = await store.findUser(username)
  if (known && known.source !== 'archive') {
    throw new VisibleError(422, `@${known.username} is here already, ${known.source === 'x' ? 'read from X' : 'as a sample'}. Choose another name for the file.`)
  }
  const { tweets, report } = await readArchive(path, fileName, { replies })
  if (tweets.length === 0) throw new VisibleError(422, `That file has no tweets of @${username}'s own to learn from: ${importInWords({ ...report, ...report.dropped })}`)
  const id = `archive:${username.toLowerCase()}`
  const vectors = slices(await threads.embed(tweets.map(({ text }) => text)), tweets.length)
  const rows = tweets.map((tweet, i) => ({
    id: tweet.id ?? String(tweets.length - i),
    text: tweet.text,
    createdAt: tweet.createdAt,
    position: BigInt(tweets.length - i),
    embedding: vectors[i]
  }))
  await store.replaceTweets({ id, username, name: username, pictureUrl: null, source: 'archive' }, rows, await threads.encoderName())
  return { user: (await store.findUser(username))!, report }
}
