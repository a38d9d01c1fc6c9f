// Daily budget for the X API: posts are reserved before each request, and those that X did not send are returned. Days are
// in UTC by the database's clock, which all processes share.

import type { PrismaClient } from '../generated/prisma/client.js'

export const DOLLARS_PER_POST = 0.005
export const DOLLARS_PER_USER = 0.01
export const MIN_PAGE = 5 // posts: X serves no smaller page

export interface DaySpend {
  /** "2026-11-24" */
  day: string
  posts: number
  users: number
  dollars: number
}

export type XBudget = ReturnType<typeof createXBudget>

export function createXBudget(prisma: PrismaClient) {
  return {
    /**
     * Reserves up to `posts` of what is left of today's budget. All processes update the same row, so that together they
     * cannot reserve more than there is.
     * @returns how many may be requested (0 where less than the smallest page is left), and the day that they count for
     */
    async reserve(posts: number, budget: number): Promise<{ granted: number; day: string }> {
      return prisma.$transaction(async (tx) => {
        const [{ day, spent }] = await tx.$queryRaw<{ day: string; spent: number }[]>`
          INSERT INTO "Spend" ("day") VALUES ((now() AT TIME ZONE 'UTC')::date)
          ON CONFLICT ("day") DO UPDATE SET "posts" = "Spend"."posts" RETURNING "day"::text, "posts" AS "spent"`
        const granted = Math.min(Math.max(posts, MIN_PAGE), budget - spent)
        if (granted < MIN_PAGE) return { granted: 0, day }
        await tx.$executeRaw`UPDATE "Spend" SET "posts" = "posts" + ${granted} WHERE "day" = ${day}::date`
        return { granted, day }
      })
    },

    /** Returns posts that were reserved and not served. */
    async refund(posts: number, day: string): Promise<void> {
      if (posts > 0) await prisma.$executeRaw`UPDATE "Spend" SET "posts" = "posts" - ${posts} WHERE "day" = ${day}::date`
    },

    /** Counts a user who is looked up. */
    async countUser(): Promise<void> {
      await prisma.$executeRaw`
        INSERT INTO "Spend" ("day", "users") VALUES ((now() AT TIME ZONE 'UTC')::date, 1)
        ON CONFLICT ("day") DO UPDATE SET "users" = "Spend"."users" + 1`
    },

    /** How many posts may still be requested today, and when the next day begins. */
    async today(budget: number): Promise<{ left: number; opensAt: Date }> {
      const [{ spent, opensAt }] = await prisma.$queryRaw<{ spent: number; opensAt: Date }[]>`
        SELECT COALESCE((SELECT "posts" FROM "Spend" WHERE "day" = (now() AT TIME ZONE 'UTC')::date), 0) AS "spent",
          (((now() AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC') AS "opensAt"`
      return { left: Math.max(0, budget - spent), opensAt }
    },

    async spentToday(): Promise<{ posts: number; users: number }> {
      const [row] = await prisma.$queryRaw<{ posts: number; users: number }[]>`
        SELECT "posts", "users" FROM "Spend" WHERE "day" = (now() AT TIME ZONE 'UTC')::date`
      return row ?? { posts: 0, users: 0 }
    },

    /** The latest days with requests to X, latest first. */
    async listDays(days = 30): Promise<DaySpend[]> {
      const rows = await prisma.spend.findMany({ select: { day: true, posts: true, users: true }, orderBy: { day: 'desc' }, take: days })
      return rows.map(({ day, posts, users }) => ({
        day: day.toISOString().slice(0, 10),
        posts,
        users,
        dollars: posts * DOLLARS_PER_POST + users * DOLLARS_PER_USER
      }))
    }
  }
}
