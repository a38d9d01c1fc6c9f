// Queries about tweets.

import { Prisma, type PrismaClient } from '../generated/prisma/client.js'
import { joinVectors, sharedFromBase64, toBytes } from '../core/vectors.js'
import { checkStoredBytes, readStoredBytes, saveStoredBytes } from './room.js'
import { keyOf, lockName, lockUser, saveUser, SAVING, type TransactionPart, type UserProfile } from './users.js'

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
  /** The user's version that these tweets belong to; null where there is no such user. */
  version: bigint | null
  ids: string[]
  texts: string[]
  dates: (Date | null)[]
  vectors: Float32Array
}

/** How much of a user's tweets is loaded: the newest tweets until one of the limits is reached, long texts cut. */
export interface CorpusLimits {
  tweets: number
  /** Of all texts together. */
  characters: number
  charactersEach: number
}

/** The tweets whose vectors come from another encoder. */
export interface Stale {
  stale: { id: string; text: string }[]
}

/** Some tweets. */
interface CorpusRow {
  version: bigint | null
  ids: string[]
  texts: string[]
  /** ms since 1970 */
  dates: (number | null)[]
  /** null where all are stale */
  vectors: string | null
  stale: boolean[]
}

export interface PositionRange {
  from?: bigint
  before?: bigint
}

export type TweetStore = ReturnType<typeof createTweetStore>

const TWEETS_A_ROW = 16 // in a row of a corpus, which then has some 25 kB
const LISTED_TEXT = 1000 // characters of a text in a list
const EXPORTED_AT_ONCE = 256 * 1024 // bytes of text
const NEWEST_FIRST = [{ position: 'desc' as const }, { id: 'desc' as const }]

const INSERTED_AT_ONCE = 200 // tweets: sending them takes some milliseconds, for which nothing else runs

/**
 * @param checkDisk called before tweets are stored; throws where the disk is nearly full
 * @param mostBytes that all users' tweets may take together
 */
export function createTweetStore(prisma: PrismaClient, checkDisk = async (): Promise<void> => {}, mostBytes = Infinity) {
  /** @throws StorageFull where no more tweets can be stored, or may be */
  const checkRoom = async (): Promise<void> => {
    await checkDisk()
    await checkStoredBytes(prisma, mostBytes)
  }
  return {
    checkRoom,

    /** How many bytes the tweets of all users take, and may take. */
    async readRoom(): Promise<{ bytes: number; mostBytes: number }> {
      return { bytes: await readStoredBytes(prisma), mostBytes }
    },

    /** A page of a user's tweets, newest first, long texts cut; the last page where a later one is asked for. */
    async listTweets(userId: string, page: number, size = 50): Promise<TweetPage> {
      const pages = Math.max(1, Math.ceil((await prisma.tweet.count({ where: { userId } })) / size))
      page = Math.min(page, pages)
      const tweets = await prisma.$queryRaw<TweetPage['tweets']>`
        SELECT "id", CASE WHEN char_length("text") > ${LISTED_TEXT} THEN left("text", ${LISTED_TEXT}::int - 1) || '…' ELSE "text" END AS "text", "createdAt"
        FROM "Tweet" WHERE "userId" = ${userId} ORDER BY "position" DESC, "id" DESC LIMIT ${size} OFFSET ${(page - 1) * size}`
      return { tweets, page, pages }
    },

    /**
     * All of a user's tweets, newest first, in batches of at most `size` tweets and about `bytes` of text: neither an export
     * nor many of them at once need fit into memory.
     */
    async *readTweets(userId: string, { size = 500, bytes = EXPORTED_AT_ONCE } = {}): AsyncGenerator<TweetPage['tweets']> {
      let from = Prisma.empty
      for (;;) {
        const tweets = await prisma.$queryRaw<(TweetPage['tweets'][number] & { position: bigint })[]>`
          SELECT "id", "text", "createdAt", "position"
          FROM (SELECT *, sum(octet_length("text")) OVER (ORDER BY "position" DESC, "id" DESC) - octet_length("text") AS "before"
            FROM (SELECT "id", "text", "createdAt", "position" FROM "Tweet" WHERE "userId" = ${userId} ${from}
              ORDER BY "position" DESC, "id" DESC LIMIT ${size}) AS "next") AS "counted"
          WHERE "before" < ${bytes} ORDER BY "position" DESC, "id" DESC`
        if (tweets.length === 0) return
        yield tweets.map(({ id, text, createdAt }) => ({ id, text, createdAt }))
        const { position, id } = tweets.at(-1)!
        from = Prisma.sql`AND ("position", "id") < (${position}, ${id})`
      }
    },

    /** All of a user's texts, in no order. */
    async listTexts(userId: string): Promise<{ id: string; text: string }[]> {
      return prisma.tweet.findMany({ select: { id: true, text: true }, where: { userId } })
    },

    /** A user's tweets in a range of positions, `from` included and `before` not, that have none of these ids. */
    async listOthersInRange(userId: string, { from, before }: PositionRange, ids: string[]): Promise<{ id: string; text: string }[]> {
      const position = { gte: from, lt: before }
      return prisma.tweet.findMany({ select: { id: true, text: true }, where: { userId, position, id: { notIn: ids } } })
    },

    /**
     * A user's newest tweets within the limits, and the version that they belong to, read in one statement. They come by some
     * at a time, with lists as JSON and the vectors as one block in base64. Row by row takes four times as long, Prisma's own reading of arrays and bytes a third longer; and for a
     * single row of a megabyte, pg would copy what has come into ever larger memories.
     */
    async loadCorpus(userId: string, encoder: string, limits: CorpusLimits): Promise<Corpus | Stale> {
      const rows = await prisma.$queryRaw<CorpusRow[]>`
        SELECT (SELECT "version" FROM "User" WHERE "id" = ${userId}) AS "version",
          json_agg("id" ORDER BY "place") AS "ids", json_agg("text" ORDER BY "place") AS "texts",
          json_agg(extract(epoch FROM "createdAt") * 1000 ORDER BY "place") AS "dates",
          encode(string_agg("embedding", ''::bytea ORDER BY "place") FILTER (WHERE "encoder" = ${encoder}), 'base64') AS "vectors",
          json_agg("encoder" <> ${encoder} ORDER BY "place") AS "stale"
        FROM (SELECT *, sum(char_length("text")) OVER "newestFirst" AS "characters", row_number() OVER "newestFirst" - 1 AS "place"
          FROM (SELECT "id", left("text", ${limits.charactersEach}::int) AS "text", "createdAt", "embedding", "encoder", "position"
            FROM "Tweet" WHERE "userId" = ${userId} ORDER BY "position" DESC, "id" DESC LIMIT ${limits.tweets}) AS "newest"
          WINDOW "newestFirst" AS (ORDER BY "position" DESC, "id" DESC)) AS "counted"
        WHERE "characters" <= ${limits.characters} GROUP BY "place" / ${TWEETS_A_ROW} ORDER BY min("place")`
      const ids = rows.flatMap((row) => row.ids)
      const texts = rows.flatMap((row) => row.texts)
      const stale = rows.flatMap((row) => row.stale)
      if (stale.includes(true)) return { stale: ids.map((id, i) => ({ id, text: texts[i] })).filter((_, i) => stale[i]) }
      const dates = rows.flatMap((row) => row.dates).map((ms) => (ms === null ? null : new Date(ms)))
      return { version: rows[0]?.version ?? null, ids, texts, dates, vectors: sharedFromBase64(rows.map(({ vectors }) => vectors ?? '')) }
    },

    /**
     * Saves a user with tweets, in one transaction.
     * @returns how many tweets were new
     */
    async saveTweets(user: UserProfile, newestTweetId: string | null, tweets: NewTweet[], encoder: string): Promise<number> {
      return prisma.$transaction(async (tx) => {
        await saveUser(tx, user, { newestTweetId })
        const added = await insertTweets(tx, user.id, tweets, encoder)
        await saveStoredBytes(tx, user.id)
        return added
      }, SAVING)
    },

    /** Saves a page of a user's tweets without vectors and removes the tweets `gone`, in one transaction with the caller's part. */
    async savePage(user: UserProfile, tweets: Omit<NewTweet, 'embedding'>[], gone: string[], part: TransactionPart): Promise<void> {
      await checkDisk()
      await prisma.$transaction(async (tx) => {
        await lockName(tx, keyOf(user.username))
        await lockUser(tx, user.id)
        if (gone.length > 0) await tx.tweet.deleteMany({ where: { userId: user.id, id: { in: gone } } })
        if (tweets.length > 0) await saveUser(tx, user)
        const added = await insertTweets(tx, user.id, tweets.map((tweet) => ({ ...tweet, embedding: NO_VECTOR })), '')
        await saveStoredBytes(tx, user.id)
        await part(tx, added)
      }, SAVING)
    },

    /** The tweets without a vector from this encoder. */
    async listNotEmbedded(userId: string, encoder: string): Promise<{ id: string; text: string }[]> {
      return prisma.tweet.findMany({ select: { id: true, text: true }, where: { userId, NOT: { encoder } }, orderBy: NEWEST_FIRST })
    },

    /**
     * Saves users, each with these tweets and no others, in one transaction with the caller's part, which comes first and may
     * throw: while it looks, nobody else can save a user of one of these names.
     * @throws StorageFull where that leaves too much stored
     */
    async replaceUsers(users: { user: UserProfile; tweets: NewTweet[] }[], encoder: string, part: TransactionPart = async () => {}): Promise<void> {
      await checkDisk()
      await prisma.$transaction(async (tx) => {
        for (const key of users.map(({ user }) => keyOf(user.username)).sort()) await lockName(tx, key)
        await part(tx, 0)
        for (const { user, tweets } of users) {
          await tx.user.deleteMany({ where: { usernameKey: keyOf(user.username) } })
          await tx.user.create({ select: { id: true }, data: { ...user, usernameKey: keyOf(user.username), collectedAt: new Date() } })
          await insertTweets(tx, user.id, tweets, encoder)
          await saveStoredBytes(tx, user.id)
        }
        await checkStoredBytes(tx, mostBytes)
      }, SAVING)
    },

    /** Saves vectors of tweets that are stored already, in one transaction with the caller's part. */
    async saveVectors(userId: string, vectors: { id: string; embedding: Float32Array }[], encoder: string, part?: TransactionPart): Promise<void> {
      const rows = vectors.map(({ id, embedding }) => Prisma.sql`(${id}, ${toBytes(embedding)}::bytea)`)
      if (rows.length === 0) return
      await checkDisk()
      await prisma.$transaction(async (tx) => {
        await lockUser(tx, userId)
        await tx.$executeRaw`
          UPDATE "Tweet" SET "embedding" = made."embedding", "encoder" = ${encoder}
          FROM (VALUES ${Prisma.join(rows)}) AS made ("id", "embedding")
          WHERE "Tweet"."userId" = ${userId} AND "Tweet"."id" = made."id"`
        await saveStoredBytes(tx, userId)
        await part?.(tx, rows.length)
      }, SAVING)
    },

    /** The newest texts, `size` at most from each, of the other users who were collected last. */
    async listOthersTexts(userId: string, users: number, size: number): Promise<string[][]> {
      const rows = await prisma.$queryRaw<{ userId: string; text: string }[]>`
        SELECT "newest"."userId", left("newest"."text", ${LISTED_TEXT}::int) AS "text"
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

const NO_VECTOR = new Float32Array(0)

/**
 * Stores tweets whose vectors have one length, some at a time: between them the event loop is free. A tweet whose id is there
 * stays as it is. The texts go as one JSON and the vectors as one block: Prisma's createMany takes a second for 3,100.
 * @returns how many tweets were new
 */
async function insertTweets(tx: Prisma.TransactionClient, userId: string, tweets: NewTweet[], encoder: string): Promise<number> {
  let added = 0
  for (let at = 0; at < tweets.length; at += INSERTED_AT_ONCE) {
    const some = tweets.slice(at, at + INSERTED_AT_ONCE)
    const rows = some.map(({ id, text, createdAt, position }, i) => ({ i, id, text, createdAt, position: String(position) }))
    const block = toBytes(joinVectors(some.map(({ embedding }) => embedding)))
    const size = block.length / some.length
    added += await tx.$executeRaw`
      INSERT INTO "Tweet" ("userId", "id", "text", "createdAt", "position", "embedding", "encoder")
      SELECT ${userId}, "id", "text", "createdAt", "position", substring(${block}::bytea FROM "i" * ${size}::int + 1 FOR ${size}::int), ${encoder}
      FROM json_to_recordset(${JSON.stringify(rows)}::json) AS "made" ("i" int, "id" text, "text" text, "createdAt" timestamptz, "position" bigint)
      ON CONFLICT DO NOTHING`
  }
  return added
}
