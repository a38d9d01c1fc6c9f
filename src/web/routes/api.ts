import { Router } from 'express'
import { createOpenApi } from '../openapi.js'

/** The description of the JSON interface, for programs. */
export function apiRoutes(): Router {
  const router = Router()
  const document = createOpenApi()

  router.get('/api', (_request, response) => void response.json(document))

  return router
}
