import { Router, type Response } from 'express'
import { requestCollecting } from '../../collecting/collect-worker.js'
import type { Reason } from '../../core/errors.js'
import { readUserPage } from '../../prediction/user-page.js'
import type { Services } from '../../services/services.js'
import type { CollectJob } from '../../storage/collect-jobs.js'
import { STATUS } from '../error-page.js'
import { addressOf, callerOf, limitedBy } from '../rate-limits.js'
import { AddUsers, PageNumber, typedIn, usernameIn } from '../requests.js'
import { progressJson, userJson, userPageJson } from '../responses.js'

/** Adding users from X, and the page of each user. */
export function userRoutes(services: Services): Router {
  const router = Router()

  router.get('/users', async (_request, response) => {
    const users = await services.userStore.listUsers()
    response.format({
      html: () => response.redirect('/'),
      json: () => response.json({ users: users.map(userJson) })
    })
  })

  router.post('/users', limitedBy(services.rateLimits.additions), async (request, response) => {
    const { username: usernames } = AddUsers.parse(request.body)
    await requestCollecting(services, usernames, addressOf(request))
    const collecting = (await services.collectJobs.find(usernames)).map(progressJson)
    const query = new URLSearchParams(usernames.map((name): [string, string] => ['users', name]))
    response.format({
      html: () => response.redirect(303, usernames.length === 1 ? `/users/${usernames[0]}` : `/?${query}`),
      json: () => response.status(202).json({ collecting })
    })
  })

  router.get('/users/:username', limitedBy(services.rateLimits.pages))
  router.get('/users/:username', async (request, response) => {
    const { page } = PageNumber.parse(request.query)
    const shown = await readUserPage(services, usernameIn(request.params), page, callerOf(request, response))
    if (!shown.user) return showCollecting(response, shown.collectJob)
    response.format({
      html: () => response.render('user', shown),
      json: () => response.json(userPageJson(shown))
    })
  })

  /** The page of a user of whom nothing is stored yet: how far collecting has come, or why it failed. */
  function showCollecting(response: Response, collectJob: CollectJob): void {
    const { username, state, reason, message } = collectJob
    if (state === 'failed') response.status(STATUS[(reason ?? 'bug') as Reason])
    const canCollect = Boolean(services.config.X_BEARER_TOKEN)
    response.format({
      html: () => response.render('collecting', { collectJob, typed: typedIn({ username }), canCollect }),
      json: () => response.json(state === 'failed' ? { error: message } : { collecting: progressJson(collectJob) })
    })
  }

  return router
}
