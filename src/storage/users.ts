// Queries about users. Usernames are found without regard to case.

import type { Prisma, PrismaClient, Source } from '../generated/prisma/client.js'

export type { Source }

export interface UserProfile {
  id: string
  username: string
  name: string
  pictureUrl: string | null
  source: Source
}

/** What was seen on X: the newest post, and how many posts of any kind X counted. */
export interface Seen {
  newestTweetId: string | null
  postsOnX: number | null
}

/** What of a user from X has been read already. */
export interface Known {
  newestTweetId: string | null
  /** Whether posts may have been deleted on X, and it is time to read all of them again. */
  isToBeReread: boolean
}

export interface StoredUser extends UserProfile, Seen {
  collectedAt: Date
  /** Another number after each change of the user or their tweets, and one that nobody else ever has. */
  version: bigint
  /** When somebody last asked about the user, to the day. */
  askedAt: Date
  tweets: number
}

/** Users whom nobody has asked about for long, and how many bytes their tweets take. */
export interface Unasked {
  users: number
  bytes: number
}

/** The caller’s part of a transaction. `saved` is how many tweets were new, or have a vector now. */
export type TransactionPart = (tx: Prisma.TransactionClient, saved: number) => Promise<void>

export type UserStore = ReturnType<typeof createUserStore>

export const SAVING = { maxWait: 10_000, timeout: 60_000 } // ms; the embedded Postgres takes seconds for 3,200 tweets
const DAY = 86_400_000 // ms
const REREAD_PAUSE = '3 days' // in which deletions on X may stay unnoticed, and in which a user's posts are bought once more at most
const PROFILE = { id: true, username: true, name: true, pictureUrl: true, source: true } as const
const SUMMARY = { ...PROFILE, newestTweetId: true, postsOnX: true, collectedAt: true, askedAt: true, version: true, _count: { select: { tweets: true } } } as const

export function createUserStore(prisma: PrismaClient) {
  return {
    async ping(): Promise<void> {
      await prisma.$queryRaw`SELECT 1`
    },

    async listUsers(): Promise<StoredUser[]> {
      const users = await prisma.user.findMany({ select: SUMMARY, orderBy: [{ collectedAt: 'desc' }, { username: 'asc' }] })
      return users.map(summarise)
    },

    /** The same without the numbers of tweets, which take long to count. */
    async listProfiles(): Promise<UserProfile[]> {
      return prisma.$queryRaw`SELECT "id", "username", "name", "pictureUrl", "source"::text FROM "User" ORDER BY "collectedAt" DESC, "username"`
    },

    /** The users other than this one whose tweets were collected last, newest first. */
    async listOthers(userId: string, size: number): Promise<StoredUser[]> {
      const users = await prisma.user.findMany({ select: SUMMARY, where: { NOT: { id: userId } }, orderBy: [{ collectedAt: 'desc' }, { id: 'asc' }], take: size })
      return users.map(summarise)
    },

    /** The users with these names in one query, `undefined` where there is none. */
    async findUsers(usernames: string[]): Promise<(StoredUser | undefined)[]> {
      const found = await prisma.$queryRaw<(StoredUser & { usernameKey: string })[]>`
        SELECT "usernameKey", "id", "username", "name", "pictureUrl", "source"::text, "newestTweetId", "postsOnX", "collectedAt", "askedAt", "version",
          (SELECT count(*)::int FROM "Tweet" WHERE "userId" = "User"."id") AS "tweets"
        FROM "User" WHERE "usernameKey" = ANY(${usernames.map(keyOf)})`
      const users = new Map(found.map(({ usernameKey, ...user }) => [usernameKey, user]))
      return usernames.map((username) => users.get(keyOf(username)))
    },

    async findUser(username: string, tx: Pick<PrismaClient, 'user'> = prisma): Promise<StoredUser | null> {
      const user = await tx.user.findUnique({ select: SUMMARY, where: { usernameKey: keyOf(username) } })
      return user && summarise(user)
    },

    /** The user with this X id: usernames can change. */
    async findUserById(id: string): Promise<StoredUser | null> {
      const user = await prisma.user.findUnique({ select: SUMMARY, where: { id } })
      return user && summarise(user)
    },

    /**
     * Saves how many posts X counts now, and says what is known of the user; null for a new one. A lower number than the last
     * one may be a deleted post or only an undone repost: reading all again shows it, and costs as much as a new user. So
     * that is due at once the first time, and afterwards not before REREAD_PAUSE has passed.
     */
    async saveCount(id: string, posts: number | null): Promise<Known | null> {
      const rows = await prisma.$queryRaw<Known[]>`
        UPDATE "User" SET "mayHaveDeleted" = "mayHaveDeleted" OR COALESCE(${posts}::int < "postsOnX", false), "postsOnX" = COALESCE(${posts}::int, "postsOnX")
        WHERE "id" = ${id}
        RETURNING "newestTweetId", "mayHaveDeleted" AND COALESCE("rereadAt" < now() - ${REREAD_PAUSE}::interval, true) AS "isToBeReread"`
      return rows.at(0) ?? null
    },

    /**
     * Saves a user whose posts have all been read, in one transaction with the caller's part.
     * @param isWhole whether all of them were read, and not only the newer ones
     */
    async saveSeen(user: UserProfile, seen: Seen, isWhole: boolean, part: TransactionPart): Promise<void> {
      await prisma.$transaction(async (tx) => {
        await saveUser(tx, user, seen)
        if (isWhole) await tx.$executeRaw`UPDATE "User" SET "mayHaveDeleted" = false, "rereadAt" = now() WHERE "id" = ${user.id} AND "mayHaveDeleted"`
        await part(tx, 0)
      }, SAVING)
    },

    /** Removes a user from X who is gone there, in one transaction with the caller's part, which comes first and may throw. */
    async removeGoneUser(username: string, part: TransactionPart): Promise<void> {
      await prisma.$transaction(async (tx) => {
        await part(tx, 0)
        await tx.user.deleteMany({ where: { usernameKey: keyOf(username), source: 'x' } })
      }, SAVING)
    },

    /** Notes that somebody asks about these users: at most once a day for each. */
    async saveAsked(users: StoredUser[]): Promise<void> {
      const yesterday = new Date(Date.now() - DAY)
      const ids = users.filter(({ askedAt }) => askedAt < yesterday).map(({ id }) => id)
      if (ids.length > 0) await prisma.user.updateMany({ where: { id: { in: ids }, askedAt: { lt: yesterday } }, data: { askedAt: new Date() } })
    },

    /** The users whom nobody has asked about for so many days, without the sample users. */
    async countUnasked(days: number): Promise<Unasked> {
      const { _count, _sum } = await prisma.user.aggregate({ where: unaskedFor(days), _count: true, _sum: { storedBytes: true } })
      return { users: _count, bytes: _sum.storedBytes ?? 0 }
    },

    /** Removes the users that {@link countUnasked} counts. @returns how many */
    async removeUnasked(days: number): Promise<number> {
      return (await prisma.user.deleteMany({ where: unaskedFor(days) })).count
    },

    async removeUser(id: string): Promise<void> {
      await prisma.user.deleteMany({ where: { id } })
    },

    async removeSamples(): Promise<number> {
      return (await prisma.user.deleteMany({ where: { source: 'sample' } })).count
    },

    async reset(): Promise<number> {
      return (await prisma.user.deleteMany()).count
    }
  }
}

/** Makes others who save a user of the same name wait until this transaction ends. */
export async function lockName(tx: Prisma.TransactionClient, usernameKey: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${usernameKey}, 0))`
}

/**
 * Creates or updates a user. Another user with the same name is removed: X gives free names to new accounts. What was not
 * seen this time keeps its value.
 */
export async function saveUser(tx: Prisma.TransactionClient, user: UserProfile, seen: Partial<Seen> = {}): Promise<void> {
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

/** Makes others who change this user or their tweets wait until this transaction ends: taken first, so that nobody waits in a circle. */
export async function lockUser(tx: Prisma.TransactionClient, id: string): Promise<void> {
  await tx.$executeRaw`SELECT FROM "User" WHERE "id" = ${id} FOR UPDATE`
}
const unaskedFor = (days: number): Prisma.UserWhereInput => ({ askedAt: { lt: new Date(Date.now() - days * DAY) }, NOT: { source: 'sample' } })

export const keyOf = (username: string): string => username.toLowerCase()

function summarise<U extends { _count: { tweets: number } }>({ _count, ...user }: U): Omit<U, '_count'> & { tweets: number } {
  return { ...user, tweets: _count.tweets }
}
