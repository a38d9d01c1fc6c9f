import { randomBytes } from 'node:crypto'
import { stringify } from 'node:querystring'
import { Router } from 'express'
import { MIN_TWEETS_TO_FIT } from '../../prediction/candidates.js'
import { ExpectedError } from '../../core/errors.js'
import { callerOf, limitedBy } from '../rate-limits.js'
import { AskRound, MIN_CANDIDATES, MAX_CANDIDATES } from '../requests.js'
import { roundJson } from '../responses.js'
import type { Services } from '../../services/services.js'
import { playRound, type Game } from '../../prediction/play-round.js'

/** The game: whose tweet is it? Its whole state is in the URL; nothing is stored. */
export function playRoutes(services: Services): Router {
  const router = Router()

  router.get('/play', limitedBy(services.rateLimits.predictions), async (request, response) => {
    response.set('X-Robots-Tag', 'noindex, nofollow') // there are endless games for a crawler to follow
    if (request.query.users === undefined || request.query.seed === undefined) {
      return response.redirect(303, await newGameUrl(services, request.query.users))
    }
    const { users, ...where } = AskRound.parse(request.query)
    const round = await playRound(services, { usernames: users, ...where }, callerOf(request, response))
    const game = { ...where, usernames: round.users.map(({ username }) => username) }
    response.format({
      html: () => response.render('play', { ...round, ...linksOf(game) }),
      json: () => response.json(roundJson(round))
    })
  })

  return router
}

/** The URL of a new game with a random seed, with these users or the latest ones. */
async function newGameUrl(services: Services, users: unknown): Promise<string> {
  const usernames = users === undefined ? await firstPlayers(services) : AskRound.shape.users.parse(users)
  return gameUrl({ usernames, seed: randomBytes(4).toString('hex'), round: 1, guesses: [] })
}

/** The users who were collected last and have enough tweets. */
async function firstPlayers({ userStore }: Services): Promise<string[]> {
  const users = (await userStore.listUsers()).filter(({ tweets }) => tweets >= MIN_TWEETS_TO_FIT)
  if (users.length < MIN_CANDIDATES) {
    throw new ExpectedError('unusable', `To play, two users with at least ${MIN_TWEETS_TO_FIT} tweets each have to be here.`)
  }
  return users.slice(0, MAX_CANDIDATES).map(({ username }) => username)
}

function gameUrl({ usernames, seed, round, guesses }: Game): string {
  const soFar = guesses.length > 0 && { guesses: guesses.join('') }
  return `/play?${stringify({ users: usernames, seed, round, ...soFar })}`
}

/** The links from a round: one for each guess, one to the next round, one to a new game. */
function linksOf(game: Game): { guessUrls: string[]; nextUrl: string; againUrl: string } {
  const { usernames, round, guesses } = game
  return {
    guessUrls: usernames.map((_, guess) => gameUrl({ ...game, guesses: [...guesses, guess] })),
    nextUrl: gameUrl({ ...game, round: round + 1 }),
    againUrl: `/play?${stringify({ users: usernames })}`
  }
}
