// What the server is measured on: a database with invented users, and a stand-in for the X API.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { slices } from '../src/core/vectors.js'
import { openEncoder } from '../src/encoder/encoder.js'
import { connect } from '../src/storage/database.js'
import { migrate } from '../src/storage/migrations.js'
import { openEmbeddedPostgres } from '../src/storage/embedded-postgres.js'
import { createTweetStore } from '../src/storage/tweets.js'
import { tweetsOf } from '../support/synthetic-tweets.js'
import { startXApi } from '../support/x-api-stand-in.js'
import { openPostgres } from './served.js'

export const MANY_TWEETS = 3200
const TWEETS = 200
const MINUTE = 60_000

const names = (kind: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${kind}_${i}`)

/** The names of the stored users. */
export const STORED = {
  users: names('user', 100), // with 200 tweets each
  warmUp: names('warm_up', 8), // the same, only for requests that are not measured
  busy: names('busy', 12) // with 3,200 tweets each
}

export interface World {
  /** Of the server, so that it uses this database and this X API. */
  settings: Record<string, string>
  /** Whether the database is a real Postgres and not the embedded one. */
  isReal: boolean
  /** The stored tweets of users with 200 each. */
  tweetsOf(names: string[]): string[][]
  /** Adds a user with so many posts to the X API, for the server to collect. */
  addToX(name: string, posts: number): void
  close(): Promise<void>
}

export async function openWorld(): Promise<World> {
  const real = await openPostgres()
  const database = real ?? (await openEmbedded())
  const api = await startXApi()
  await fill(database.url)
  return {
    settings: {
      DATABASE_URL: database.url, X_API_URL: api.url, X_BEARER_TOKEN: 'bench', X_POSTS_PER_USER: String(MANY_TWEETS),
      X_DAILY_SPEND_LIMIT: '5000', PREDICTIONS_PER_MINUTE: '0', PAGES_PER_MINUTE: '0', ADDITIONS_PER_HOUR: '0', TRUST_PROXY: '1'
    },
    isReal: Boolean(real),
    tweetsOf: (wanted) => wanted.map((name) => tweetsOf([...STORED.users, ...STORED.warmUp].indexOf(name), TWEETS)),
    addToX(name, posts) {
      api.addUser(name)
      api.addPosts(name, tweetsOf(1000 + posts, posts))
    },
    async close() {
      await api.close()
      await database.close()
    }
  }
}

async function openEmbedded(): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-bench-'))
  const embedded = await openEmbeddedPostgres(folder)
  await migrate(embedded.url)
  return {
    url: embedded.url,
    async close() {
      await embedded.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Stores the invented users with their tweets and vectors. */
async function fill(url: string): Promise<void> {
  const prisma = connect(url)
  const tweetStore = createTweetStore(prisma)
  const encoder = await openEncoder()
  const wanted = [
    ...[...STORED.users, ...STORED.warmUp].map((name) => ({ name, count: TWEETS })),
    ...STORED.busy.map((name) => ({ name, count: MANY_TWEETS }))
  ]
  for (const [author, { name, count }] of wanted.entries()) {
    const texts = tweetsOf(author, count)
    const vectors = slices(await encoder.embed(texts), count)
    const tweets = texts.map((text, i) => ({
      id: String(count - i), text, createdAt: new Date(Date.now() - i * MINUTE), position: BigInt(count - i), embedding: vectors[i]
    }))
    await tweetStore.saveTweets({ id: name, username: name, name, pictureUrl: null, source: 'archive' }, null, tweets, encoder.name)
  }
  await prisma.$disconnect()
}
