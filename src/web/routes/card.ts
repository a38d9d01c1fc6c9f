import { Router } from 'express'
import { drawCard } from '../../pictures/draw-card.js'
import { callerOf, limitedBy } from '../rate-limits.js'
import { AskPrediction } from '../requests.js'
import type { Services } from '../../services/services.js'
import { predictAuthor } from '../../prediction/predict-author.js'

/** The picture of a result for link previews. */
export function cardRoutes(services: Services): Router {
  const router = Router()

  router.get('/predictions/card.png', limitedBy(services.rateLimits.predictions), async (request, response) => {
    const { users, text } = AskPrediction.parse(request.query)
    const caller = callerOf(request, response)
    const prediction = await predictAuthor(services, { usernames: users, text }, caller)
    const png = await drawCard(services, prediction, caller)
    response.set('Cache-Control', 'public, max-age=3600').type('png').send(Buffer.from(png.buffer, png.byteOffset, png.byteLength))
  })

  return router
}
