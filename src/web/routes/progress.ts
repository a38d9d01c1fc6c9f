import { setTimeout as pause } from 'node:timers/promises'
import { Router } from 'express'
import { Usernames } from '../requests.js'
import type { Services } from '../../services/services.js'
import { progressJson } from '../responses.js'

const EVERY = 500 // ms between two looks at how far the collecting has come
const LONGEST = 10 * 60_000 // ms; the browser connects again by itself

/** How far the collecting of users has come, as server-sent events, until it has come to an end. */
export function progressRoutes({ collectJobs }: Services): Router {
  const router = Router()

  router.get('/progress', async (request, response) => {
    const usernames = Usernames.parse(request.query.users)
    response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    const until = Date.now() + LONGEST
    let said = ''
    let open = request.method !== 'HEAD' // whose answer has no events to wait for
    response.on('close', () => (open = false))
    while (open && Date.now() < until) {
      const found = (await collectJobs.find(usernames)).map(progressJson)
      const now = JSON.stringify(found)
      if (now !== said) response.write(`data: ${now}\n\n`)
      said = now
      if (found.every(({ ended }) => ended)) break
      await pause(EVERY)
    }
    response.end()
  })

  return router
}
