import { Router } from 'express'
import { limitedBy } from '../rate-limits.js'
import { ImportForm } from '../requests.js'
import { importTweets } from '../../collecting/import-tweets.js'
import type { Services } from '../../services/services.js'
import { withUpload } from '../uploads.js'
import { userJson } from '../responses.js'

/** Adding a user from a file, without the X API. */
export function importRoutes(services: Services): Router {
  const router = Router()

  router.post('/users/import', limitedBy(services.rateLimits.additions), async (request, response) => {
    const { user, report } = await withUpload(request, ({ fields, path, fileName }) => {
      request.body = fields // so that the error page can show what was typed
      const { username, replies } = ImportForm.parse(fields)
      return importTweets(services, { username, path, fileName, replies })
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
