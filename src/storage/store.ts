import { Prisma, type PrismaClient, type Source } from '../generated/prisma/client.js'
import { sharedFromBase64, toBytes } from '../core/vectors.js'

export type { Source }

export interface UserProfile {
  id: string
  username: string
  name: string
  pictureUrl: string | null
  source: Source
}

/** What was seen on X: the newest post, and how many posts of any kind X said there were. */
export interface Seen {
  newestTweetId: string | null
  postsOnX: number | null
}

export interface StoredUser extends UserProfile, Seen {
  collectedAt: Date
  tweets: number
}

export interface NewTweet {
  id: string
  text: string
  createdAt: Date | null
  position: bigint
  embedding: Float32Array
}

/** A page of a user's tweets. */
export interface TweetPage {
  tweets: { id: string; text: string; createdAt: Date | null }[]
  page: number
  pages: number
}

/** A user's tweets, newest first, and their vectors end to end in memory that threads share. */
export interface Corpus {
  ids: string[]
  texts: string[]
  dates: (Date | null)[]
  vectors: Float32Array
}

/** The tweets whose vectors another encoder made. */
export interface Stale {
  stale: { id: string; text: string }[]
}

interface CorpusRow {
  ids: string[]
  texts: string[]
  /** ms since 1970 */
  dates: (number | null)[]
  /** null where there are no tweets */
  vectors: string | null
  stale: boolean[]
}

/** Something else to be stored in the same transaction, told how many tweets were new. */
type Step = (tx: Prisma.TransactionClient, added: number) => Promise<void>

export type Store = ReturnType<typeof createStore>

const NEWEST_FIRST = [{ position: 'desc' as const }, { id: 'desc' as const }]
const SAVING = { maxWait: 10_000, timeout: 60_000 } // ms; the embedded Postgres takes seconds for 3,200 tweets
const PROFILE = { id: true, username: true, name: true, pictureUrl: true, source: true } as const
const SUMMARY = { ...PROFILE, newestTweetId: true, postsOnX: true, collectedAt: true, _count: { select: { tweets: true } } } as const

/**
 * Every query of the app. Usernames are found without regard to case. Where tweets are to be stored, `checkRoom` may
 * refuse before.
 */
export function createStore(prisma: PrismaClient, checkRoom = async (): Promise<void> => {}) {
  return {
    async ping(): Promise<void> {
      await prisma.$queryRaw`SELECT 1`
    },

    async listUsers(): Promise<StoredUser[]> {
      const users = await prisma.user.findMany({ select: SUMMARY, orderBy: [{ collectedAt: 'desc' }, { username: 'asc' }] })
      return users.map(summarise)
    },

    /** The same without what takes long to count. */
    async listProfiles(): Promise<UserProfile[]> {
      return prisma.$queryRaw`SELECT "id", "username", "name", "pictureUrl", "source"::text FROM "User" ORDER BY "collectedAt" DESC, "username"`
    },

    /** The users of these names, where they are there, in one query. */
    async findUsers(usernames: string[]): Promise<(StoredUser | undefined)[]> {
      const found = await prisma.$queryRaw<(StoredUser & { usernameKey: string })[]>`
        SELECT "usernameKey", "id", "username", "name", "pictureUrl", "source"::text, "newestTweetId", "postsOnX", "collectedAt",
          (SELECT count(*)::int FROM "Tweet" WHERE "userId" = "User"."id") AS "tweets"
        FROM "User" WHERE "usernameKey" = ANY(${usernames.map(keyOf)})`
      const users = new Map(found.map(({ usernameKey, ...user }) => [usernameKey, user]))
      return usernames.map((username) => users.get(keyOf(username)))
    },

    async findUser(username: string): Promise<StoredUser | null> {
      const user = await prisma.user.findUnique({ select: SUMMARY, where: { usernameKey: keyOf(username) } })
      return user && summarise(user)
    },

    /** The user of an X id: usernames change. */
    async findUserById(id: string): Promise<StoredUser | null> {
      const user = await prisma.user.findUnique({ select: SUMMARY, where: { id } })
      return user && summarise(user)
    },

    /** A page of a user's tweets, newest first; the last page where a later one is asked for. */
    async listTweets(userId: string, page: number, size = 50): Promise<TweetPage> {
      const pages = Math.max(1, Math.ceil((await prisma.tweet.count({ where: { userId } })) / size))
      page = Math.min(page, pages)
      const tweets = await prisma.tweet.findMany({
        select: { id: true, text: true, createdAt: true },
        where: { userId },
        orderBy: NEWEST_FIRST,
        skip: (page - 1) * size,
        take: size
      })
      return { tweets, page, pages }
    },

    /** All of a user's tweets, newest first, some at a time: what is written away need not fit into memory. */
    async *readTweets(userId: string, size = 500): AsyncGenerator<TweetPage['tweets']> {
      let after: { position: bigint; id: string } | undefined
      do {
        const { position, id } = after ?? {}
        const tweets = await prisma.tweet.findMany({
          select: { id: true, text: true, createdAt: true, position: true },
          where: { userId, ...(after && { OR: [{ position: { lt: position } }, { position, id: { lt: id } }] }) },
          orderBy: NEWEST_FIRST,
          take: size
        })
        yield tweets.map(({ id, text, createdAt }) => ({ id, text, createdAt }))
        after = tweets.length === size ? tweets.at(-1) : undefined
      } while (after)
    },

    async listTexts(userId: string): Promise<{ id: string; text: string }[]> {
      return prisma.tweet.findMany({ select: { id: true, text: true }, where: { userId } })
    },

    /**
     * A user's newest tweets, `size` at the most. They come as one row, lists as JSON and the vectors as one block in
     * base64: row by row takes four times as long, Prisma's own reading of arrays and bytes a third longer.
     */
    async loadCorpus(userId: string, encoder: string, size: number): Promise<Corpus | Stale> {
      const [{ ids, texts, dates, vectors, stale }] = await prisma.$queryRaw<CorpusRow[]>`
        SELECT coalesce(json_agg("id"), '[]') AS "ids", coalesce(json_agg("text"), '[]') AS "texts",
          coalesce(json_agg(extract(epoch FROM "createdAt") * 1000), '[]') AS "dates",
          encode(string_agg("embedding", ''::bytea) FILTER (WHERE "encoder" = ${encoder}), 'base64') AS "vectors",
          coalesce(json_agg("encoder" <> ${encoder}), '[]') AS "stale"
        FROM (SELECT * FROM "Tweet" WHERE "userId" = ${userId} ORDER BY "position" DESC, "id" DESC LIMIT ${size}) AS "newest"`
      if (stale.includes(true)) return { stale: ids.map((id, i) => ({ id, text: texts[i] })).filter((_, i) => stale[i]) }
      return {
        ids,
        texts,
        dates: dates.map((ms) => (ms === null ? null : new Date(ms))),
        vectors: sharedFromBase64(vectors ?? '')
      }
    },

    /** Saves a user with tweets, all or nothing. */
    async saveTweets(user: UserProfile, newestTweetId: string | null, tweets: NewTweet[], encoder: string): Promise<number> {
      return prisma.$transaction(async (tx) => {
        await saveUser(tx, user, { newestTweetId })
        const data = tweets.map((tweet) => rowOf(tweet, user.id, encoder))
        return (await tx.tweet.createMany({ data, skipDuplicates: true })).count
      }, SAVING)
    },

    /**
     * Saves a page of a user's tweets, which have no vectors yet, and removes those of the ids `gone`, together with a
     * step of the caller's: all or nothing.
     */
    async savePage(user: UserProfile, tweets: Omit<NewTweet, 'embedding'>[], gone: string[], step: Step): Promise<void> {
      await checkRoom()
      await prisma.$transaction(async (tx) => {
        const data = tweets.map((tweet) => rowOf({ ...tweet, embedding: new Float32Array(0) }, user.id, ''))
        if (gone.length > 0) await tx.tweet.deleteMany({ where: { userId: user.id, id: { in: gone } } })
        if (data.length > 0) await saveUser(tx, user)
        const { count } = await tx.tweet.createMany({ data, skipDuplicates: true })
        await step(tx, count)
      }, SAVING)
    },

    /** Saves that a user's posts have been read, together with a step of the caller's. */
    async finishUser(user: UserProfile, seen: Seen, step: Step): Promise<void> {
      await prisma.$transaction(async (tx) => {
        await saveUser(tx, user, seen)
        await step(tx, 0)
      }, SAVING)
    },

    /** The tweets without a vector of this encoder's. */
    async listNotEmbedded(userId: string, encoder: string): Promise<{ id: string; text: string }[]> {
      return prisma.tweet.findMany({ select: { id: true, text: true }, where: { userId, NOT: { encoder } }, orderBy: NEWEST_FIRST })
    },

    /** Saves a user with these tweets and no others, all or nothing. */
    async replaceTweets(user: UserProfile, tweets: NewTweet[], encoder: string): Promise<void> {
      await checkRoom()
      await prisma.$transaction(async (tx) => {
        await lockName(tx, keyOf(user.username))
        await tx.user.deleteMany({ where: { usernameKey: keyOf(user.username) } })
        await tx.user.create({ select: { id: true }, data: { ...user, usernameKey: keyOf(user.username), collectedAt: new Date() } })
        await tx.tweet.createMany({ data: tweets.map((tweet) => rowOf(tweet, user.id, encoder)) })
      }, SAVING)
    },

    /** Replaces the vectors of tweets that another encoder had embedded. */
    async saveVectors(userId: string, vectors: { id: string; embedding: Float32Array }[], encoder: string): Promise<void> {
      const rows = vectors.map(({ id, embedding }) => Prisma.sql`(${id}, ${toBytes(embedding)}::bytea)`)
      if (rows.length === 0) return
      await checkRoom()
      await prisma.$executeRaw`
        UPDATE "Tweet" SET "embedding" = made."embedding", "encoder" = ${encoder}
        FROM (VALUES ${Prisma.join(rows)}) AS made ("id", "embedding")
        WHERE "Tweet"."userId" = ${userId} AND "Tweet"."id" = made."id"`
    },

    async removeUser(id: string): Promise<void> {
      await prisma.user.deleteMany({ where: { id } })
    },

    async removeSamples(): Promise<number> {
      return (await prisma.user.deleteMany({ where: { source: 'sample' } })).count
    },

    async reset(): Promise<number> {
      return (await prisma.user.deleteMany()).count
    },

    /** The newest texts, at most `size` a user, of the others whose tweets were collected last. */
    async listOthersTexts(userId: string, users: number, size: number): Promise<string[][]> {
      const rows = await prisma.$queryRaw<{ userId: string; text: string }[]>`
        SELECT "newest"."userId", "newest"."text"
        FROM (SELECT "id", "collectedAt" FROM "User" WHERE "id" <> ${userId}
            ORDER BY "collectedAt" DESC, "id" LIMIT ${users}) AS "other",
          LATERAL (SELECT "userId", "text", "position", "id" FROM "Tweet" WHERE "userId" = "other"."id"
            ORDER BY "position" DESC, "id" DESC LIMIT ${size}) AS "newest"
        ORDER BY "other"."collectedAt" DESC, "other"."id", "newest"."position" DESC, "newest"."id" DESC`
      const texts = new Map<string, string[]>(rows.map(({ userId }) => [userId, []]))
      for (const { userId, text } of rows) texts.get(userId)!.push(text)
      return [...texts.values()]
    }
  }
}

/** Whoever saves a user of the same name at the same time waits until this transaction ends. */
async function lockName(tx: Prisma.TransactionClient, usernameKey: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${usernameKey}, 0))`
}

/** A user of the name who has another id makes way: X gives names anew. What was not seen now stays as it was. */
async function saveUser(tx: Prisma.TransactionClient, user: UserProfile, seen: Partial<Seen> = {}): Promise<void> {
  const usernameKey = keyOf(user.username)
  await lockName(tx, usernameKey)
  await tx.user.deleteMany({ where: { usernameKey, NOT: { id: user.id } } })
  const { newestTweetId, postsOnX } = seen
  const fields = {
    ...user,
    usernameKey,
    collectedAt: new Date(),
    newestTweetId: newestTweetId ?? undefined,
    postsOnX: postsOnX ?? undefined
  }
  await tx.user.upsert({ select: { id: true }, where: { id: user.id }, create: fields, update: fields })
}

function rowOf({ embedding, ...tweet }: NewTweet, userId: string, encoder: string): Prisma.TweetCreateManyInput {
  return { ...tweet, userId, embedding: toBytes(embedding), encoder }
}

const keyOf = (username: string): string => username.toLowerCase()

function summarise<U extends { _count: { tweets: number } }>({ _count, ...user }: U): Omit<U, '_count'> & { tweets: number } {
  return { ...user, tweets: _count.tweets }
}
