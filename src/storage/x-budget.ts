// Daily budget for the X API, in dollars: what a request may cost is reserved before it is sent, and what X did not serve is
// returned. A row for each day counts posts and users; all processes update the same one. Days are in UTC by the database's
// clock, which all processes share.

import { X_PRICES } from '../core/config.js'
import type { PrismaClient } from '../generated/prisma/client.js'

const HALF_CENTS = 200 // in a dollar
// Prices in half cents: whole numbers, so that no sum is rounded.
const POST = Math.round(X_PRICES.post * HALF_CENTS)
const USER = Math.round(X_PRICES.user * HALF_CENTS)

export const MIN_PAGE = 5 // posts: X serves no smaller page

export interface DaySpend {
  /** "2026-11-24" */
  day: string
  posts: number
  users: number
  dollars: number
}

/** Posts and users that X charges for. */
interface Reads {
  posts?: number
  users?: number
}

export type XBudget = ReturnType<typeof createXBudget>

/** @param limit dollars a day */
export function createXBudget(prisma: PrismaClient, limit: number) {
  const all = Math.floor(limit * HALF_CENTS + 1e-6) // of a day, in half cents; $0.07 times 200 is a little less than 14

  /** Reserves what `grant` takes of the half cents that are left today. */
  async function reserve(grant: (left: number) => Reads): Promise<Required<Reads> & { day: string }> {
    return prisma.$transaction(async (tx) => {
      const [{ day, spent }] = await tx.$queryRaw<{ day: string; spent: number }[]>`
        INSERT INTO "Spend" ("day") VALUES ((now() AT TIME ZONE 'UTC')::date)
        ON CONFLICT ("day") DO UPDATE SET "posts" = "Spend"."posts"
        RETURNING "day"::text, "posts" * ${POST}::int + "users" * ${USER}::int AS "spent"`
      const { posts = 0, users = 0 } = grant(all - spent)
      await tx.$executeRaw`UPDATE "Spend" SET "posts" = "posts" + ${posts}, "users" = "users" + ${users} WHERE "day" = ${day}::date`
      return { posts, users, day }
    })
  }

  return {
    /** The most that may be spent in a day, in dollars. */
    limit,

    /**
     * Reserves up to `posts` of what is left of today's budget.
     * @returns how many may be requested (0 where less than the smallest page is left), and the day that they count for
     */
    async reservePosts(posts: number): Promise<{ posts: number; day: string }> {
      return reserve((left) => {
        const granted = Math.min(Math.max(posts, MIN_PAGE), Math.floor(left / POST))
        return { posts: granted < MIN_PAGE ? 0 : granted }
      })
    },

    /**
     * Reserves the look-up of a user.
     * @returns whether it may be made: 1 or 0, and the day that it counts for
     */
    async reserveUser(): Promise<{ users: number; day: string }> {
      return reserve((left) => ({ users: left < USER ? 0 : 1 }))
    },

    /** Returns what was reserved and not served. */
    async refund({ posts = 0, users = 0 }: Reads, day: string): Promise<void> {
      if (posts === 0 && users === 0) return
      await prisma.$executeRaw`UPDATE "Spend" SET "posts" = "posts" - ${posts}, "users" = "users" - ${users} WHERE "day" = ${day}::date`
    },

    /** Whether a new user can still be read today: looked up, and the smallest page; and when the next day begins, by this process's clock. */
    async today(): Promise<{ isSpent: boolean; opensAt: Date }> {
      const [{ spent, rest }] = await prisma.$queryRaw<{ spent: number; rest: number }[]>`
        SELECT COALESCE((SELECT "posts" * ${POST}::int + "users" * ${USER}::int FROM "Spend"
            WHERE "day" = (now() AT TIME ZONE 'UTC')::date), 0) AS "spent",
          ceil(extract(epoch FROM (now() AT TIME ZONE 'UTC')::date + 1 - (now() AT TIME ZONE 'UTC')) * 1000)::int AS "rest"`
      return { isSpent: all - spent < USER + MIN_PAGE * POST, opensAt: new Date(Date.now() + rest) }
    },

    async spentToday(): Promise<DaySpend> {
      const [row] = await prisma.$queryRaw<{ day: string; posts: number; users: number }[]>`
        SELECT (now() AT TIME ZONE 'UTC')::date::text AS "day", COALESCE(sum("posts"), 0)::int AS "posts", COALESCE(sum("users"), 0)::int AS "users"
        FROM "Spend" WHERE "day" = (now() AT TIME ZONE 'UTC')::date`
      return withDollars(row)
    },

    /** The latest days with requests to X, latest first. */
    async listDays(days = 30): Promise<DaySpend[]> {
      const rows = await prisma.spend.findMany({ select: { day: true, posts: true, users: true }, orderBy: { day: 'desc' }, take: days })
      return rows.map(({ day, ...reads }) => withDollars({ ...reads, day: day.toISOString().slice(0, 10) }))
    }
  }
}

const withDollars = (reads: Omit<DaySpend, 'dollars'>): DaySpend =>
  ({ ...reads, dollars: (reads.posts * POST + reads.users * USER) / HALF_CENTS })
