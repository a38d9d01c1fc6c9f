import { Router } from 'express'
import { createHealthCheck } from '../../services/health.js'
import type { Services } from '../../services/services.js'

/** Whether the process is alive, and whether it is ready: the database and the encoder answer. */
export function healthRoutes(services: Services): Router {
  const router = Router()
  const checkHealth = createHealthCheck(services)

  router.get('/health/alive', (_request, response) => void response.json({ alive: true }))

  router.get('/health', async (_request, response) => {
    const health = await checkHealth()
    response.status(health.ready ? 200 : 503).json(health)
  })

  return router
}
