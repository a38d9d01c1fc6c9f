import { Router } from 'express'
import { typedIn } from '../inputs.js'
import type { Parts } from '../parts.js'

/** The home page: who is here, a form to add somebody, and the prediction form. */
export function homeRoutes({ env, store }: Parts): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    const users = await store.listUsers()
    const typed = typedIn(request.query)
    response.render('home', { users, typed, canCollect: Boolean(env.X_BEARER_TOKEN) })
  })

  return router
}
