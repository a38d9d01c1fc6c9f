import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import { Router, type Response } from 'express'
import { notHere } from '../../prediction/user-page.js'
import { escapeFormula } from '../../sources/archive/formats/csv.js'
import { EXPORTED_BY } from '../../sources/archive/fields/post.js'
import { limitedBy, openAtMost } from '../rate-limits.js'
import { usernameIn } from '../requests.js'
import type { Services } from '../../services/services.js'
import type { StoredUser } from '../../storage/users.js'

const OPEN = { perAddress: 4, all: 16 } // each holds some hundred kilobytes

/** A tweet of an export, which says of itself that it is one: an import takes it as it is. */
interface ExportedTweet {
  id: string
  created_at: string | null
  text: string
  exported_by: typeof EXPORTED_BY
}

/** Downloads of a user's stored tweets, newest first and without vectors, streamed page by page as fast as they are read. */
export function exportRoutes({ userStore, tweetStore, rateLimits }: Services): Router {
  const router = Router()
  router.use(['/users/:username/tweets.csv', '/users/:username/tweets.jsonl'], limitedBy(rateLimits.pages), openAtMost(OPEN))

  router.get('/users/:username/tweets.csv', async (request, response) => {
    const user = await findUser(usernameIn(request.params))
    announce(response, `${user.username}.csv`, 'text/csv; charset=utf-8')
    const csv = stringify({ header: true, columns: ['id', 'created_at', 'text', 'exported_by'], bom: true })
    await pipeline(Readable.from(rowsOf(user)), csv, response)
  })

  router.get('/users/:username/tweets.jsonl', async (request, response) => {
    const user = await findUser(usernameIn(request.params))
    announce(response, `${user.username}.jsonl`, 'application/jsonl; charset=utf-8')
    await pipeline(Readable.from(linesOf(user)), response)
  })

  async function findUser(username: string): Promise<StoredUser> {
    const user = await userStore.findUser(username)
    if (!user) throw notHere(username)
    return user
  }

  async function* recordsOf({ id }: StoredUser): AsyncGenerator<ExportedTweet> {
    for await (const tweets of tweetStore.readTweets(id)) {
      for (const { id, createdAt, text } of tweets) yield { id, created_at: createdAt?.toISOString() ?? null, text, exported_by: EXPORTED_BY }
    }
  }

  async function* rowsOf(user: StoredUser): AsyncGenerator<ExportedTweet> {
    for await (const record of recordsOf(user)) yield { ...record, text: escapeFormula(record.text) }
  }

  async function* linesOf(user: StoredUser): AsyncGenerator<string> {
    for await (const record of recordsOf(user)) yield `${JSON.stringify(record)}\n`
  }

  return router
}

function announce(response: Response, fileName: string, type: string): void {
  response.set({ 'Content-Type': type, 'Content-Disposition': `attachment; filename="${fileName}"` })
}
