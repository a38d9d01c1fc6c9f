import { Router } from 'express'
import type { Services } from '../../services/services.js'

/** Whether the process lives, and whether it is ready: the services that it stands on answer. */
export function healthRoutes({ userStore, threads }: Services): Router {
  const router = Router()

  router.get('/health/alive', (_request, response) => void response.json({ alive: true }))

  router.get('/health', async (_request, response) => {
    const [database, encoder] = await Promise.allSettled([userStore.ping(), threads.encoderName()])
    const well = database.status === 'fulfilled' && encoder.status === 'fulfilled'
    response.status(well ? 200 : 503).json({
      ready: well,
      database: database.status === 'fulfilled' ? 'ok' : 'unreachable',
      encoder: encoder.status === 'fulfilled' ? encoder.value : 'not loaded'
    })
  })

  return router
}
