import { Router, type Request } from 'express'
import { callerOf, limitedBy } from '../rate-limits.js'
import { ImportAnswer, ImportForm } from '../requests.js'
import { importTweets, type Imported } from '../../collecting/import-tweets.js'
import type { Services } from '../../services/services.js'
import type { Caller } from '../../threads/fair-queue.js'
import { createUploads, type Upload } from '../uploads.js'
import { importedJson } from '../responses.js'
import { ExpectedError } from '../../core/errors.js'

/** Adding users from a file, without the X API. */
export function importRoutes(services: Services): Router {
  const router = Router()
  const uploads = createUploads()

  router.post('/users/import', limitedBy(services.rateLimits.additions), async (request, response) => {
    const caller = callerOf(request, response)
    const isAnswer = request.is(['urlencoded', 'json']) !== false
    const imported = await (isAnswer ? importAgain(request, caller) : importFirst(request, caller))
    response.format({
      html: () => response.render('imported', { imported }),
      json: () => response.json(importedJson(imported))
    })
  })

  function importFirst(request: Request, caller: Required<Caller>): Promise<Imported[]> {
    return uploads.receive(request, caller.client, ({ fields, ...file }) => {
      request.body = fields // so that the error page can show what was typed
      const { username, replies } = ImportForm.parse(fields)
      return services.imports.run(caller, () => importTweets(services, { ...file, username, replies }, caller))
    })
  }

  /** The answer to a question about a file that has been sent. */
  function importAgain(request: Request, caller: Required<Caller>): Promise<Imported[]> {
    if (!(request.body as { upload?: unknown } | undefined)?.upload) throw new ExpectedError('unsupported', 'Send the file with the form on this page.')
    const { upload, authors, text } = ImportAnswer.parse(request.body)
    return uploads.again(upload, ({ fields, ...file }: Upload) => {
      const { username, replies } = ImportForm.parse({ ...fields, ...(request.body as object) })
      return services.imports.run(caller, () => importTweets(services, { ...file, username, replies, authors, text: text ?? fields.text }, caller))
    })
  }

  return router
}
