import { Router } from 'express'
import { watchProgress } from '../../collecting/follow-progress.js'
import type { Services } from '../../services/services.js'
import { callerOf, limitedBy, openAtMost } from '../rate-limits.js'
import { Usernames } from '../requests.js'
import { progressJson } from '../responses.js'

const LONGEST = 10 * 60_000 // ms; the browser connects again by itself
const OPEN = { perAddress: 20, all: 500 }

/** The progress of collecting users as server-sent events: at first and after each change, until all have ended. */
export function progressRoutes({ collectJobs, rateLimits }: Services): Router {
  const router = Router()
  const watch = watchProgress(collectJobs)

  router.get('/progress', limitedBy(rateLimits.pages), openAtMost(OPEN), async (request, response) => {
    const usernames = Usernames.parse(request.query.users)
    const { signal } = callerOf(request, response)
    let last = ''
    for await (const jobs of watch.follow(usernames, AbortSignal.any([signal, AbortSignal.timeout(LONGEST)]))) {
      if (!response.headersSent) response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
      const progress = jobs.map(progressJson)
      const now = JSON.stringify(progress)
      if (now !== last) response.write(`data: ${now}\n\n`)
      last = now
      if (request.method === 'HEAD' || progress.every(({ ended }) => ended)) break
    }
    response.end()
  })

  return router
}
