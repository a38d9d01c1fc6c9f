import { Router } from 'express'
import { callerOf, limitedBy } from '../rate-limits.js'
import { AskPrediction } from '../requests.js'
import { predictionJson } from '../responses.js'
import type { Services } from '../../services/services.js'
import { predictAuthor } from '../../prediction/predict-author.js'
import { shareOf, siteOf } from '../share.js'

/** The prediction. A result has a URL of its own, so that it can be shared. */
export function predictionRoutes(services: Services): Router {
  const router = Router()

  router.use('/predictions', (_request, response, next) => {
    response.set('X-Robots-Tag', 'noindex') // its address holds what somebody wrote
    next()
  })

  router.get('/predictions', limitedBy(services.rateLimits.predictions), async (request, response) => {
    const { users, text } = AskPrediction.parse(request.query)
    const prediction = await predictAuthor(services, { usernames: users, text }, callerOf(request, response))
    const typed = { username: '', importing: false, text, users: prediction.candidates.map(({ user }) => user.username) }
    const everybody = await services.userStore.listProfiles()
    response.format({
      html: () => response.render('prediction', { prediction, users: everybody, typed, share: shareOf(siteOf(request), { ...prediction, text }) }),
      json: () => response.json(predictionJson(prediction))
    })
  })

  return router
}
