// Collect jobs: one row for each user whose posts are or were collected, with the progress after each page.
//
// One worker at a time has a job, under a lease: its name is in the row, and it renews the row's heartbeat every few
// seconds. A worker without a heartbeat is taken for dead, and another may claim the job. If the first one was only
// asleep, the next progress that it saves fails with LeaseLost.

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
const CLOCK_JUMP = 3_600_000 // ms: a time so far in the future was stored before the clock was set back

const JOB = {
  usernameKey: true, username: true, state: true, message: true, reason: true, attempts: true, dueAt: true, worker: true, sinceId: true,
  newestId: true, oldestId: true, toRead: true, read: true, kept: true, removed: true, embedded: true, updatedAt: true
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

export type Progress = Prisma.CollectJobUpdateManyMutationInput

export type CollectJobs = ReturnType<typeof createCollectJobs>

export function createCollectJobs(prisma: PrismaClient, lease = LEASE) {
  const ahead = () => ({ gt: new Date(Date.now() + CLOCK_JUMP) })
  const expired = (): Prisma.CollectJobWhereInput =>
    ({ state: 'working', OR: [{ heartbeatAt: { lt: new Date(Date.now() - lease.expiry) } }, { heartbeatAt: ahead() }] })
  const due = (by: Date): Prisma.CollectJobWhereInput => ({ state: { in: ['queued', 'waiting'] }, OR: [{ dueAt: { lte: by } }, { updatedAt: ahead() }] })

  return {
    lease,

    /**
     * Requests a user's posts. Nothing changes while a job for this user is under way. A job that failed after its first
     * page resumes there; any other job starts again, with a look for newer posts.
     * @returns whether this call has started the job
     */
    async request(username: string, toRead: number, dueAt = new Date()): Promise<boolean> {
      const rows = await prisma.$queryRaw<unknown[]>`
        INSERT INTO "Collection" AS c ("usernameKey", "username", "toRead", "dueAt", "updatedAt")
        VALUES (${keyOf(username)}, ${username}, ${toRead}, ${dueAt}, now())
        ON CONFLICT ("usernameKey") DO UPDATE SET
          "state" = 'queued', "message" = NULL, "reason" = NULL, "attempts" = 0, "worker" = NULL, "beatAt" = NULL,
          "toRead" = ${toRead}, "dueAt" = ${dueAt}, "updatedAt" = now(),
          "profile" = CASE WHEN ${CAN_RESUME} THEN c."profile" END,
          "sinceId" = CASE WHEN ${CAN_RESUME} THEN c."sinceId" END,
          "newestId" = CASE WHEN ${CAN_RESUME} THEN c."newestId" END,
          "oldestId" = CASE WHEN ${CAN_RESUME} THEN c."oldestId" END,
          "read" = CASE WHEN ${CAN_RESUME} THEN c."read" ELSE 0 END,
          "kept" = CASE WHEN ${CAN_RESUME} THEN c."kept" ELSE 0 END,
          "removed" = CASE WHEN ${CAN_RESUME} THEN c."removed" ELSE 0 END,
          "embedded" = CASE WHEN ${CAN_RESUME} THEN c."embedded" ELSE 0 END
        WHERE c."state" IN ('done', 'failed')
        RETURNING 1`
      return rows.length > 0
    },

    /** Gives a job to a worker: one that is due and not held by a living worker. */
    async claim(usernameKey: string, worker: string): Promise<ClaimedJob | null> {
      const now = new Date()
      const { count } = await prisma.collectJob.updateMany({
        where: { usernameKey, OR: [due(now), expired()] },
        data: { state: 'working', message: null, reason: null, worker, heartbeatAt: now, updatedAt: now }
      })
      const job = count ? await prisma.collectJob.findUnique({ select: { ...JOB, profile: true }, where: { usernameKey } }) : null
      return job && { ...job, worker, profile: XUser.safeParse(job.profile).data ?? null }
    },

    /** Renews a worker's leases of these jobs. */
    async renewLeases(worker: string, usernameKeys: string[]): Promise<void> {
      await prisma.collectJob.updateMany({ where: { worker, usernameKey: { in: usernameKeys }, state: 'working' }, data: { heartbeatAt: new Date() } })
    },

    /**
     * Saves progress, in the caller's transaction where one is given.
     * @throws LeaseLost where another worker has claimed the job
     */
    async saveProgress({ usernameKey, worker }: Claim, progress: Progress, tx: Pick<PrismaClient, 'collectJob'> = prisma): Promise<void> {
      const { count } = await tx.collectJob.updateMany({ where: { usernameKey, worker, state: 'working' }, data: { ...progress, updatedAt: new Date() } })
      if (count === 0) throw new LeaseLost(`Another worker has claimed @${usernameKey}.`)
    },

    /** Saves what the look-up on X has given, and from which post on newer ones are to be read. */
    saveProfile(claim: Claim, profile: XUser, sinceId: string | null): Promise<void> {
      return this.saveProgress(claim, { profile, username: profile.username, sinceId })
    },

    async find(usernames: string[]): Promise<CollectJob[]> {
      return prisma.collectJob.findMany({ select: JOB, where: { usernameKey: { in: usernames.map(keyOf) } }, orderBy: { usernameKey: 'asc' } })
    },

    /**
     * Gives all jobs of a worker back.
     * @returns their keys, for the queue
     */
    async releaseAll(worker: string): Promise<string[]> {
      const held = await prisma.collectJob.findMany({ select: { usernameKey: true }, where: { worker, state: 'working' } })
      await prisma.collectJob.updateMany({ where: { worker, state: 'working' }, data: { ...RELEASED, state: 'queued', dueAt: new Date() } })
      return held.map(({ usernameKey }) => usernameKey)
    },

    /** How many jobs have not ended. */
    async countOpen(): Promise<number> {
      return prisma.collectJob.count({ where: { state: { in: ['queued', 'working', 'waiting'] } } })
    },

    /** The jobs that are due and that nobody works on: their message in the queue was lost, or their worker has died. */
    async listOverdue(): Promise<string[]> {
      const late = new Date(Date.now() - lease.expiry)
      const rows = await prisma.collectJob.findMany({ select: { usernameKey: true }, where: { OR: [due(late), expired()] } })
      return rows.map(({ usernameKey }) => usernameKey)
    },

    /** Ends all leases at once: for a process that has the database to itself, whose predecessor must be dead. */
    async expireAll(): Promise<void> {
      await prisma.collectJob.updateMany({ where: { state: 'working' }, data: { ...RELEASED, state: 'queued', dueAt: new Date(0) } })
    },

    /** Removes jobs that failed a day ago before their first page. */
    async removeOldFailures(): Promise<void> {
      const dayAgo = new Date(Date.now() - 24 * 3_600_000)
      await prisma.collectJob.deleteMany({ where: { state: 'failed', oldestId: null, updatedAt: { lt: dayAgo } } })
    },

    /** Removes all jobs. Whoever works on one gets LeaseLost. */
    async reset(): Promise<void> {
      await prisma.collectJob.deleteMany()
    }
  }
}

/** Progress that ends the lease. */
export const RELEASED = { worker: null, heartbeatAt: null }

/** Progress that forgets all pages: the job starts again. */
export const NOTHING_READ = { profile: Prisma.DbNull, sinceId: null, newestId: null, oldestId: null, read: 0, kept: 0, removed: 0, embedded: 0 }

const CAN_RESUME = Prisma.sql`(c."state" = 'failed' AND c."oldestId" IS NOT NULL)`
