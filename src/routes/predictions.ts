import { Router } from 'express'
import { AskPrediction } from '../inputs.js'
import type { Parts } from '../parts.js'
import { predictAuthor } from '../predict-author.js'

/** The prediction: a result is an address, so that it can be shared. */
export function predictionRoutes(parts: Parts): Router {
  const router = Router()

  router.get('/predictions', async (request, response) => {
    const { users, text } = AskPrediction.parse(request.query)
    const prediction = await predictAuthor(parts, { usernames: users, text })
    const typed = { username: '', text, users: prediction.candidates.map(({ user }) => user.username) }
    const everybody = await parts.store.listUsers()
    response.format({
      html: () => response.render('prediction', { prediction, users: everybody, typed }),
      json: () =>
        response.json({
          text,
          author: prediction.author,
          verdict: prediction.verdict,
          candidates: prediction.candidates.map(({ user, probability }) => ({ username: user.username, probability }))
        })
    })
  })

  return router
}
