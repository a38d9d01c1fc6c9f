import { Router } from 'express'
import { AskPrediction } from '../inputs.js'
import type { Parts } from '../parts.js'
import { predictAuthor, type Prediction } from '../predict-author.js'
import { shareOf } from '../share.js'

/** The prediction: a result is an address, so that it can be shared. */
export function predictionRoutes(parts: Parts): Router {
  const router = Router()

  router.get('/predictions', parts.limits.predictions, async (request, response) => {
    const { users, text } = AskPrediction.parse(request.query)
    const prediction = await predictAuthor(parts, { usernames: users, text })
    const typed = { username: '', importing: false, text, users: prediction.candidates.map(({ user }) => user.username) }
    const everybody = await parts.store.listProfiles()
    response.format({
      html: () => response.render('prediction', { prediction, users: everybody, typed, share: shareOf(request, prediction) }),
      json: () => response.json(predictionJson(prediction))
    })
  })

  return router
}

/** Every number that the page draws; candidates most likely first. */
function predictionJson({ candidates, ...prediction }: Prediction): object {
  return { ...prediction, candidates: candidates.map(({ user, ...candidate }) => ({ username: user.username, ...candidate })) }
}
