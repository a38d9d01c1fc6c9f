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

/** What was seen on X: the newest post, and how many posts of any kind X said there were. */
export interface Seen {
  newestTweetId: string | null
  postsOnX: number | null
}

export interface StoredUser extends UserProfile, Seen {
  collectedAt: Date
  tweets: number
}

/** Something else to be stored in the same transaction, told how many tweets were new. */
export type Step = (tx: Prisma.TransactionClient, added: number) => Promise<void>

export type UserStore = ReturnType<typeof createUserStore>

export const SAVING = { maxWait: 10_000, timeout: 60_000 } // ms; the embedded Postgres takes seconds for 3,200 tweets
const PROFILE = { id: true, username: true, name: true, pictureUrl: true, source: true } as const
const SUMMARY = { ...PROFILE, newestTweetId: true, postsOnX: true, collectedAt: true, _count: { select: { tweets: true } } } as const

export function createUserStore(prisma: PrismaClient) {
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

    /** The users other than this one whose tweets were collected last, newest first. */
    async listOthers(userId: string, size: number): Promise<StoredUser[]> {
      const users = await prisma.user.findMany({ select: SUMMARY, where: { NOT: { id: userId } }, orderBy: [{ collectedAt: 'desc' }, { id: 'asc' }], take: size })
      return users.map(summarise)
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

    /** Saves that a user's posts have been read, together with a step of the caller's. */
    async finishUser(user: UserProfile, seen: Seen, step: Step): Promise<void> {
      await prisma.$transaction(async (tx) => {
        await saveUser(tx, user, seen)
        await step(tx, 0)
      }, SAVING)
    },

    /**
     * Removes a user from X who is gone there, in one transaction with a step of the caller's. The step comes first: where it
     * throws, nothing is removed.
     */
    async removeGoneUser(username: string, step: Step): Promise<void> {
      await prisma.$transaction(async (tx) => {
        await step(tx, 0)
        await tx.user.deleteMany({ where: { usernameKey: keyOf(username), source: 'x' } })
      }, SAVING)
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

/** Whoever saves a user of the same name at the same time waits until this transaction ends. */
export async function lockName(tx: Prisma.TransactionClient, usernameKey: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${usernameKey}, 0))`
}

/** A user of the name who has another id makes way: X gives names anew. What was not seen now stays as it was. */
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

export const keyOf = (username: string): string => username.toLowerCase()

function summarise<U extends { _count: { tweets: number } }>({ _count, ...user }: U): Omit<U, '_count'> & { tweets: number } {
  return { ...user, tweets: _count.tweets }
}
