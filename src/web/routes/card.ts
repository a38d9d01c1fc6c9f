import { Router } from 'express'
import { cardSvg } from '../../pictures/card.js'
import { callerOf, limitedBy } from '../rate-limits.js'
import { AskPrediction } from '../requests.js'
import type { Services } from '../../services/services.js'
import { predictAuthor } from '../../prediction/predict-author.js'
import { toPng } from '../../pictures/png.js'

/** The picture of a result for link previews. */
export function cardRoutes(services: Services): Router {
  const router = Router()

  router.get('/predictions/card.png', limitedBy(services.rateLimits.predictions), async (request, response) => {
    const { users, text } = AskPrediction.parse(request.query)
    const prediction = await predictAuthor(services, { usernames: users, text }, callerOf(request, response))
    const png = await toPng(cardSvg(prediction))
    response.set('Cache-Control', 'public, max-age=3600').type('png').send(png)
  })

  return router
}
