import { Router } from 'express'
import { openApi } from '../openapi.js'

/** What the JSON interface takes and answers, for programs to read. */
export function apiRoutes(): Router {
  const router = Router()

  router.get('/api', (_request, response) => void response.json(openApi))

  return router
}
