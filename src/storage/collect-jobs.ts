// How far the collecting of each user has come: who works on it, and every step as it is stored.
//
// One worker at a time holds a user, by a lease: its name in the row, and a beat every few seconds. A worker whose beat
// has stopped has died, and another may take over; should it only have slept, its next step finds the lease gone.

import { Prisma, type CollectJob, type CollectState, type PrismaClient } from '../generated/prisma/client.js'
import type { XUser } from '../sources/x/x-api.js'

export type { CollectJob, CollectState }

export class LeaseLost extends Error {}

/** How often a worker says that it lives, and how long it may be silent before it is held for dead; milliseconds. */
export interface Lease {
  beat: number
  silence: number
}

const LEASE: Lease = { beat: 2_000, silence: 10_000 }
const AHEAD = 3_600_000 // ms: what was stored so far in the future was stored before the clock was set back

export type CollectJobs = ReturnType<typeof createCollectJobs>

type Step = Prisma.CollectJobUpdateManyMutationInput

export function createCollectJobs(prisma: PrismaClient, lease = LEASE) {
  const keyOf = (username: string): string => username.toLowerCase()
  const ahead = () => ({ gt: new Date(Date.now() + AHEAD) })
  const dead = (): Prisma.CollectJobWhereInput => ({ state: 'working', OR: [{ beatAt: { lt: new Date(Date.now() - lease.silence) } }, { beatAt: ahead() }] })
  const due = (by: Date): Prisma.CollectJobWhereInput => ({ state: { in: ['queued', 'waiting'] }, OR: [{ dueAt: { lte: by } }, { updatedAt: ahead() }] })

  return {
    lease,

    /**
     * Asks for a user's posts; where that is being done already, nothing changes. What failed half-way goes on where it
     * was, everything else begins with a look at what is newer.
     * @returns whether this call is the one that started it
     */
    async request(username: string, toRead: number, dueAt = new Date()): Promise<boolean> {
      const rows = await prisma.$queryRaw<unknown[]>`
        INSERT INTO "Collection" AS c ("usernameKey", "username", "toRead", "dueAt", "updatedAt")
        VALUES (${keyOf(username)}, ${username}, ${toRead}, ${dueAt}, now())
        ON CONFLICT ("usernameKey") DO UPDATE SET
          "state" = 'queued', "message" = NULL, "reason" = NULL, "attempts" = 0, "worker" = NULL, "beatAt" = NULL,
          "toRead" = ${toRead}, "dueAt" = ${dueAt}, "updatedAt" = now(),
          "profile" = CASE WHEN ${goesOn} THEN c."profile" END,
          "sinceId" = CASE WHEN ${goesOn} THEN c."sinceId" END,
          "newestId" = CASE WHEN ${goesOn} THEN c."newestId" END,
          "oldestId" = CASE WHEN ${goesOn} THEN c."oldestId" END,
          "read" = CASE WHEN ${goesOn} THEN c."read" ELSE 0 END,
          "kept" = CASE WHEN ${goesOn} THEN c."kept" ELSE 0 END,
          "removed" = CASE WHEN ${goesOn} THEN c."removed" ELSE 0 END,
          "embedded" = CASE WHEN ${goesOn} THEN c."embedded" ELSE 0 END
        WHERE c."state" IN ('done', 'failed')
        RETURNING 1`
      return rows.length > 0
    },

    /** Takes a user to work on: one that is due and that nobody alive works on. */
    async claim(usernameKey: string, worker: string): Promise<CollectJob | null> {
      const now = new Date()
      const { count } = await prisma.collectJob.updateMany({
        where: {
          usernameKey,
          OR: [due(now), dead()]
        },
        data: { state: 'working', message: null, reason: null, worker, beatAt: now, updatedAt: now }
      })
      return count ? prisma.collectJob.findUnique({ where: { usernameKey } }) : null
    },

    /** Says that the worker lives. */
    async beat(worker: string): Promise<void> {
      await prisma.collectJob.updateMany({ where: { worker, state: 'working' }, data: { beatAt: new Date() } })
    },

    /**
     * Stores a step.
     * @throws LeaseLost where another worker has taken over
     */
    async step(usernameKey: string, worker: string, data: Step, tx: Pick<PrismaClient, 'collectJob'> = prisma): Promise<void> {
      const { count } = await tx.collectJob.updateMany({ where: { usernameKey, worker, state: 'working' }, data: { ...data, updatedAt: new Date() } })
      if (count === 0) throw new LeaseLost(`Another worker has taken over @${usernameKey}.`)
    },

    saveProfile(usernameKey: string, worker: string, profile: XUser, sinceId: string | null): Promise<void> {
      return this.step(usernameKey, worker, { profile: { ...profile }, username: profile.username, sinceId })
    },

    async find(usernames: string[]): Promise<CollectJob[]> {
      return prisma.collectJob.findMany({ where: { usernameKey: { in: usernames.map(keyOf) } }, orderBy: { usernameKey: 'asc' } })
    },

    /** Hands what a worker holds to whoever comes next. */
    async handBack(worker: string): Promise<string[]> {
      const held = await prisma.collectJob.findMany({ select: { usernameKey: true }, where: { worker, state: 'working' } })
      await prisma.collectJob.updateMany({ where: { worker, state: 'working' }, data: { ...FREE, state: 'queued', dueAt: new Date() } })
      return held.map(({ usernameKey }) => usernameKey)
    },

    async countOpen(): Promise<number> {
      return prisma.collectJob.count({ where: { state: { in: ['queued', 'working', 'waiting'] } } })
    },

    /** Those that nobody works on although they are due: their message in the queue, or their worker, was lost. */
    async listForgotten(): Promise<string[]> {
      const late = new Date(Date.now() - lease.silence)
      const rows = await prisma.collectJob.findMany({
        select: { usernameKey: true },
        where: { OR: [due(late), dead()] }
      })
      return rows.map(({ usernameKey }) => usernameKey)
    },

    /** Where one process alone has the database, whatever was being worked on when it starts was left by a dead one. */
    async orphanAll(): Promise<void> {
      await prisma.collectJob.updateMany({ where: { state: 'working' }, data: { ...FREE, state: 'queued', dueAt: new Date(0) } })
    },

    /** Forgets failures that nobody looks at any more and that have nothing to go on from. */
    async forgetOld(): Promise<void> {
      const dayAgo = new Date(Date.now() - 24 * 3_600_000)
      await prisma.collectJob.deleteMany({ where: { state: 'failed', oldestId: null, updatedAt: { lt: dayAgo } } })
    },

    /** Forgets all; whoever works on one finds its lease gone. */
    async reset(): Promise<void> {
      await prisma.collectJob.deleteMany()
    }
  }
}

/** In nobody's hands. */
export const FREE = { worker: null, beatAt: null }

/** Nothing read yet. */
export const START = { profile: Prisma.DbNull, sinceId: null, newestId: null, oldestId: null, read: 0, kept: 0, removed: 0, embedded: 0 }

/** A failure after the first page goes on from there; one before it, and a new look for newer posts, begin anew. */
const goesOn = Prisma.sql`(c."state" = 'failed' AND c."oldestId" IS NOT NULL)`
