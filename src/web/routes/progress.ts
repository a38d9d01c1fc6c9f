import { setTimeout as pause } from 'node:timers/promises'
import { Router } from 'express'
import type { Services } from '../../services/services.js'
import type { CollectJobs } from '../../storage/collect-jobs.js'
import { Usernames } from '../requests.js'
import { progressJson } from '../responses.js'

const INTERVAL = 500 // ms between two looks at the progress
const LONGEST = 10 * 60_000 // ms; the browser connects again by itself

/** The progress of collecting users as server-sent events. */
export function progressRoutes({ collectJobs }: Services): Router {
  const router = Router()

  router.get('/progress', async (request, response) => {
    const usernames = Usernames.parse(request.query.users)
    response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    let open = request.method !== 'HEAD' // a HEAD request gets no events, so it need not wait for them
    response.on('close', () => (open = false))
    for await (const event of changes(collectJobs, usernames, () => open)) response.write(`data: ${event}\n\n`)
    response.end()
  })

  return router
}

/** The users' progress as JSON, at first and after each change, until all have ended, nobody listens, or it takes too long. */
async function* changes(collectJobs: CollectJobs, usernames: string[], isOpen: () => boolean): AsyncGenerator<string> {
  const until = Date.now() + LONGEST
  let last = ''
  while (isOpen() && Date.now() < until) {
    const progress = (await collectJobs.find(usernames)).map(progressJson)
    const now = JSON.stringify(progress)
    if (now !== last) yield now
    last = now
    if (progress.every(({ ended }) => ended)) return
    await pause(INTERVAL)
  }
}
