import { Router } from 'express'
import { callerOf, limitedBy } from '../rate-limits.js'
import { ImportForm } from '../requests.js'
import { importTweets } from '../../collecting/import-tweets.js'
import type { Services } from '../../services/services.js'
import { createUploads } from '../uploads.js'
import { userJson } from '../responses.js'

/** Adding a user from a file, without the X API. */
export function importRoutes(services: Services): Router {
  const router = Router()
  const uploads = createUploads()

  router.post('/users/import', limitedBy(services.rateLimits.additions), async (request, response) => {
    const caller = callerOf(request, response)
    const { user, report } = await uploads.receive(request, caller.client, ({ fields, path, fileName }) => {
      request.body = fields // so that the error page can show what was typed
      const { username, replies } = ImportForm.parse(fields)
      return services.imports.run(caller, () => importTweets(services, { username, path, fileName, replies }, caller))
    })
    const { dropped, ...counts } = report
    const numbers = new URLSearchParams(Object.entries({ ...counts, ...dropped }).map(([name, n]): [string, string] => [name, String(n)]))
    response.format({
      html: () => response.redirect(303, `/users/${user.username}?${numbers}`),
      json: () => response.json({ user: userJson(user), report })
    })
  })

  return router
}
