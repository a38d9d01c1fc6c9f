import { Router } from 'express'
import { cardSvg } from '../card.js'
import { AskPrediction } from '../inputs.js'
import type { Parts } from '../parts.js'
import { predictAuthor } from '../predict-author.js'
import { toPng } from '../raster.js'

/** The picture of a result that previews of its link show. */
export function cardRoutes(parts: Parts): Router {
  const router = Router()

  router.get('/predictions/card.png', parts.limits.predictions, async (request, response) => {
    const { users, text } = AskPrediction.parse(request.query)
    const prediction = await predictAuthor(parts, { usernames: users, text })
    const png = await toPng(cardSvg(prediction))
    response.set('Cache-Control', 'public, max-age=3600').type('png').send(png)
  })

  return router
}
