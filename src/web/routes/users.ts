import { Router, type Response } from 'express'
import type { CollectJob } from '../../storage/collect-jobs.js'
import { ExpectedError, type Reason } from '../../core/errors.js'
import { STATUS } from '../error-page.js'
import { limitedBy } from '../rate-limits.js'
import { AddUsers, ImportCounts, PageNumber, typedIn, Username } from '../requests.js'
import { describeUser } from '../../prediction/describe-user.js'
import { requestCollecting } from '../../collecting/collect-worker.js'
import type { Services } from '../../services/services.js'
import { progressJson, userJson } from '../responses.js'

/** Adding users and looking at them. */
export function userRoutes(services: Services): Router {
  const { userStore, tweetStore } = services
  const router = Router()

  router.get('/users', async (_request, response) => {
    const users = await userStore.listUsers()
    response.format({
      html: () => response.redirect('/'),
      json: () => response.json({ users: users.map(userJson) })
    })
  })

  router.post('/users', limitedBy(services.rateLimits.additions), async (request, response) => {
    const { username: usernames } = AddUsers.parse(request.body)
    await requestCollecting(services, usernames)
    const collecting = (await services.collectJobs.find(usernames)).map(progressJson)
    const query = new URLSearchParams(usernames.map((name): [string, string] => ['users', name]))
    response.format({
      html: () => response.redirect(303, usernames.length === 1 ? `/users/${usernames[0]}` : `/?${query}`),
      json: () => response.status(202).json({ collecting })
    })
  })

  router.get('/users/:username', async (request, response) => {
    const username = Username.safeParse(request.params.username)
    const user = username.success ? await userStore.findUser(username.data) : null
    const collecting = username.success ? await services.collectJobs.find([username.data]) : []
    const [collectJob] = collecting
    if (!user && collectJob && collectJob.state !== 'done') return showCollecting(response, collectJob)
    if (!user) throw new ExpectedError('not-found', `@${request.params.username} has not been added here.`)
    const { page } = PageNumber.parse(request.query)
    const tweets = await tweetStore.listTweets(user.id, page)
    const habits = tweets.page === 1 ? await describeUser(services, user) : undefined
    const imported = ImportCounts.safeParse(request.query).data
    response.format({
      html: () => response.render('user', { user, ...tweets, habits, collecting, imported }),
      json: () => response.json({ user: userJson(user), ...tweets, habits, ...(collectJob && { collecting: progressJson(collectJob) }) })
    })
  })

  /** A user of whom nothing is stored yet: how far it has come, or why it failed. */
  function showCollecting(response: Response, collectJob: CollectJob): void {
    const { username, state, reason, message } = collectJob
    if (state === 'failed') response.status(STATUS[(reason ?? 'bug') as Reason])
    const canCollect = Boolean(services.config.X_BEARER_TOKEN)
    response.format({
      html: () => response.render('collecting', { collecting: [collectJob], typed: typedIn({ username }), canCollect }),
      json: () => response.json(state === 'failed' ? { error: message } : { collecting: progressJson(collectJob) })
    })
  }

  return router
}
