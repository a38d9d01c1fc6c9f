import { Router } from 'express'
import { MAX_CANDIDATES, typedIn, Username } from '../requests.js'
import type { Services } from '../../services/services.js'
import { userJson } from '../responses.js'

/** The home page: the forms, with the latest users preselected, and who is here or being collected. */
export function homeRoutes({ config, userStore, collectJobs }: Services): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    const users = await userStore.listUsers()
    const typed = typedIn(request.query)
    const asked = await collectJobs.find(typed.users.filter((name) => Username.safeParse(name).success))
    const collecting = asked.every(({ state }) => state === 'done') ? [] : asked
    const chosen = typed.users.length > 0 ? typed.users : users.slice(0, MAX_CANDIDATES).map(({ username }) => username)
    const shown = { users, collecting, typed: { ...typed, users: chosen }, canCollect: Boolean(config.X_BEARER_TOKEN) }
    response.format({
      html: () => response.render('home', shown),
      json: () => response.json({ users: users.map(userJson) })
    })
  })

  return router
}
