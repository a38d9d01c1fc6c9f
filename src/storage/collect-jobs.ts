// Collect jobs: one row for each user whose posts are or were collected, with the progress after each page.
//
// One worker at a time has a job, under a lease: its name is in the row, and it renews the row's heartbeat every few
// seconds. A worker without a heartbeat is taken for dead, and another may claim the job. If the first one was only
// asleep, the next progress that it saves fails with LeaseLost. All times are by the database's clock, which all processes share.

import { Prisma, type CollectState, type PrismaClient } from '../generated/prisma/client.js'
import { XUser } from '../sources/x/x-answers.js'
import { keyOf } from './users.js'

export class LeaseLost extends Error {}

/** How often a worker renews its heartbeat, and after how long without one its leases expire; milliseconds. */
export interface Lease {
  heartbeat: number
  expiry: number
}

const LEASE: Lease = { heartbeat: 2_000, expiry: 10_000 }
const MAX_SENT_AGAIN = 100 // jobs in one look for lost messages
const CLOCK_JUMP = Prisma.sql`now() + interval '1 hour'` // a time so far in the future was stored before the clock was set back

const JOB = {
  usernameKey: true, username: true, state: true, message: true, reason: true, attempts: true, dueAt: true, worker: true, turn: true,
  sinceId: true, newestId: true, oldestId: true, toRead: true, read: true, kept: true, removed: true, embedded: true, updatedAt: true
} as const

export type CollectJob = Prisma.CollectJobGetPayload<{ select: typeof JOB }>
export type { CollectState }

/** A job that this worker holds. `profile` is null until the user has been looked up, and where what is stored is damaged. */
export interface ClaimedJob extends CollectJob {
  worker: string
  profile: XUser | null
}

/** What identifies a claim: the job and the worker that holds it. */
export type Claim = Pick<ClaimedJob, 'usernameKey' | 'worker'>

/** What changes in a job. `pauseMs`: no worker takes it before that time has passed. */
export type Progress = Prisma.CollectJobUpdateManyMutationInput & { pauseMs?: number }

/** A job that waits, for the queue. */
export type QueuedJob = Pick<CollectJob, 'usernameKey' | 'turn'>

/** Who requests a job, and when. */
export interface JobRequest {
  /** The address that asks; none for the operator. */
  askedBy?: string
  /** How long after its end a job is not started again. */
  restMs?: number
  /** How long the job waits before it is due. */
  pauseMs?: number
}

type Part = Pick<PrismaClient, 'collectJob' | '$executeRaw'>

export type CollectJobs = ReturnType<typeof createCollectJobs>

export function createCollectJobs(prisma: PrismaClient, lease = LEASE) {
  const ms = (number: number): Prisma.Sql => Prisma.sql`${number}::float8 * interval '1 ms'`
  const expired = Prisma.sql`("state" = 'working' AND ("beatAt" < now() - ${ms(lease.expiry)} OR "beatAt" > ${CLOCK_JUMP}))`
  const dueSince = (late: number): Prisma.Sql =>
    Prisma.sql`("state" IN ('queued', 'waiting') AND ("dueAt" <= now() - ${ms(late)} OR "updatedAt" > ${CLOCK_JUMP}))`

  return {
    lease,

    /**
     * Requests a user's posts. Nothing changes while a job for this user is under way, or has just ended (unless waiting was
     * all that it could do, or what it has stored was removed since). A job that failed after its first page resumes there; any other job starts again, with a look
     * for newer posts.
     * @returns the job where this call has started it
     */
    async request(username: string, toRead: number, { askedBy, restMs = 0, pauseMs = 0 }: JobRequest = {}): Promise<QueuedJob | null> {
      const rows = await prisma.$queryRaw<QueuedJob[]>`
        INSERT INTO "Collection" AS c ("usernameKey", "username", "toRead", "askedBy", "turn", "dueAt", "updatedAt")
        VALUES (${keyOf(username)}, ${username}, ${toRead}, ${askedBy ?? null}, ${nextTurn(askedBy)}, now() + ${ms(pauseMs)}, now())
        ON CONFLICT ("usernameKey") DO UPDATE SET
          "state" = 'queued', "message" = NULL, "reason" = NULL, "attempts" = 0, "worker" = NULL, "beatAt" = NULL,
          "toRead" = EXCLUDED."toRead", "askedBy" = EXCLUDED."askedBy", "turn" = EXCLUDED."turn", "dueAt" = EXCLUDED."dueAt", "updatedAt" = now(),
          "profile" = CASE WHEN ${CAN_RESUME} THEN c."profile" END,
          "sinceId" = CASE WHEN ${CAN_RESUME} THEN c."sinceId" END,
          "newestId" = CASE WHEN ${CAN_RESUME} THEN c."newestId" END,
          "oldestId" = CASE WHEN ${CAN_RESUME} THEN c."oldestId" END,
          "read" = CASE WHEN ${CAN_RESUME} THEN c."read" ELSE 0 END,
          "kept" = CASE WHEN ${CAN_RESUME} THEN c."kept" ELSE 0 END,
          "removed" = CASE WHEN ${CAN_RESUME} THEN c."removed" ELSE 0 END,
          "embedded" = CASE WHEN ${CAN_RESUME} THEN c."embedded" ELSE 0 END
        WHERE c."state" IN ('done', 'failed')
          AND (c."updatedAt" <= now() - ${ms(restMs)} OR c."updatedAt" > ${CLOCK_JUMP} OR COALESCE(c."reason" = 'unavailable', false)
            OR (c."state" = 'done' AND NOT EXISTS (SELECT FROM "User" u WHERE u."usernameKey" = c."usernameKey")))
        RETURNING "usernameKey", "turn"`
      return rows.at(0) ?? null
    },

    /** Gives a job to a worker: one that is due and not held by a living worker. */
    async claim(usernameKey: string, worker: string): Promise<ClaimedJob | null> {
      const count = await prisma.$executeRaw`
        UPDATE "Collection" SET "state" = 'working', "message" = NULL, "reason" = NULL, "worker" = ${worker}, "beatAt" = now(), "updatedAt" = now()
        WHERE "usernameKey" = ${usernameKey} AND (${dueSince(0)} OR ${expired})`
      const job = count ? await prisma.collectJob.findUnique({ select: { ...JOB, profile: true }, where: { usernameKey } }) : null
      return job && { ...job, worker, profile: XUser.safeParse(job.profile).data ?? null }
    },

    /** Renews a worker's leases of these jobs. */
    async renewLeases(worker: string, usernameKeys: string[]): Promise<void> {
      await prisma.$executeRaw`
        UPDATE "Collection" SET "beatAt" = now() WHERE "worker" = ${worker} AND "usernameKey" = ANY(${usernameKeys}) AND "state" = 'working'`
    },

    /**
     * Saves progress, in the caller's transaction where one is given.
     * @throws LeaseLost where another worker has claimed the job
     */
    async saveProgress({ usernameKey, worker }: Claim, { pauseMs, ...progress }: Progress, tx: Part = prisma): Promise<void> {
      const count = await tx.$executeRaw`
        UPDATE "Collection" SET "updatedAt" = now(), "dueAt" = COALESCE(now() + ${pauseMs ?? null}::float8 * interval '1 ms', "dueAt")
        WHERE "usernameKey" = ${usernameKey} AND "worker" = ${worker} AND "state" = 'working'`
      if (count === 0) throw new LeaseLost(`Another worker has claimed @${usernameKey}.`)
      await tx.collectJob.updateMany({ where: { usernameKey, worker, state: 'working' }, data: progress })
    },

    /** Saves what the look-up on X has given, and from which post on newer ones are to be read. */
    saveProfile(claim: Claim, profile: XUser, sinceId: string | null): Promise<void> {
      return this.saveProgress(claim, { profile, username: profile.username, sinceId })
    },

    async find(usernames: string[], tx: Pick<PrismaClient, 'collectJob'> = prisma): Promise<CollectJob[]> {
      return tx.collectJob.findMany({ select: JOB, where: { usernameKey: { in: usernames.map(keyOf) } }, orderBy: { usernameKey: 'asc' } })
    },

    /**
     * Gives all jobs of a worker back.
     * @returns what has to be sent to the queue
     */
    async releaseAll(worker: string): Promise<QueuedJob[]> {
      return prisma.$queryRaw`
        UPDATE "Collection" SET "state" = 'queued', "worker" = NULL, "beatAt" = NULL, "dueAt" = now()
        WHERE "worker" = ${worker} AND "state" = 'working' RETURNING "usernameKey", "turn"`
    },

    /** How many jobs have not ended. */
    async countOpen(): Promise<number> {
      return prisma.collectJob.count({ where: { state: { in: ['queued', 'working', 'waiting'] } } })
    },

    /**
     * The jobs that are due and that nobody works on: their message in the queue was lost, their worker has died, or others are
     * before them. Of many only the first, which have the next turns.
     */
    async listOverdue(): Promise<QueuedJob[]> {
      return prisma.$queryRaw`
        SELECT "usernameKey", "turn" FROM "Collection" WHERE ${dueSince(lease.expiry)} OR ${expired}
        ORDER BY "turn", "dueAt" LIMIT ${MAX_SENT_AGAIN}`
    },

    /** Ends all leases at once: for a process that has the database to itself, whose predecessor must be dead. */
    async expireAll(): Promise<void> {
      await prisma.collectJob.updateMany({ where: { state: 'working' }, data: { ...RELEASED, state: 'queued', dueAt: new Date(0) } })
    },

    /** Removes jobs that failed a day ago before their first page. */
    async removeOldFailures(): Promise<void> {
      await prisma.$executeRaw`DELETE FROM "Collection" WHERE "state" = 'failed' AND "oldestId" IS NULL AND "updatedAt" < now() - interval '1 day'`
    },

    /** Removes all jobs. Whoever works on one gets LeaseLost. */
    async reset(): Promise<void> {
      await prisma.collectJob.deleteMany()
    }
  }
}

/** Whether a job has not ended. */
export const isUnderWay = ({ state }: Pick<CollectJob, 'state'>): boolean => state !== 'done' && state !== 'failed'

/** Progress that ends the lease. */
export const RELEASED = { worker: null, heartbeatAt: null }

/** Progress that ends the job: who asked for it is forgotten. */
export const ENDED = { ...RELEASED, askedBy: null }

/** Progress that forgets all pages: the job starts again. */
export const NOTHING_READ = { profile: Prisma.DbNull, sinceId: null, newestId: null, oldestId: null, read: 0, kept: 0, removed: 0, embedded: 0 }

const CAN_RESUME = Prisma.sql`(c."state" = 'failed' AND c."oldestId" IS NOT NULL)`

/**
 * The turn of a job that is requested now: the one that is being served, or the one after the last of the same address. So
 * the names of an address come one after another, each in a round with those of others, and a new address does not wait
 * behind all that others have asked for.
 */
const nextTurn = (askedBy?: string): Prisma.Sql => Prisma.sql`GREATEST(
  (SELECT COALESCE(min("turn"), 0) FROM "Collection" WHERE "state" = 'queued' AND "dueAt" <= now()),
  (SELECT max("turn") + 1 FROM "Collection" WHERE "askedBy" = ${askedBy ?? null} AND "state" IN ('queued', 'working', 'waiting')))`
