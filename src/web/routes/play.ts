import { randomBytes } from 'node:crypto'
import { stringify } from 'node:querystring'
import { Router } from 'express'
import { z } from 'zod'
import { MIN_TWEETS_TO_FIT } from '../../prediction/candidates.js'
import { ExpectedError } from '../../core/errors.js'
import { limitedBy } from '../rate-limits.js'
import { AskPrediction, MIN_CANDIDATES, MAX_CANDIDATES } from '../requests.js'
import type { Services } from '../../services/services.js'
import { MAX_ROUNDS, playRound, type Game, type Round } from '../../prediction/play-round.js'

const NO_GAME = 'This address is no game’s: its seed has 1 to 16 letters and digits.'
const NO_ROUND = `There is no such round: a game has ${MAX_ROUNDS} at the most.`
const NO_GUESS = 'A guess in this address names nobody who is in the game.'
const NO_ORDER = 'The round and the guesses in this address do not go together.'

/** A string of this kind; without `abort` the checks of the whole game would be run on what is none. */
const like = (kind: RegExp, error: string): z.ZodString => z.string(error).regex(kind, { error, abort: true })

/** A game as an address has it: one digit for each guess, so that the score follows from it. */
export const AskRound = AskPrediction.pick({ users: true })
  .extend({
    seed: like(/^[A-Za-z0-9]{1,16}$/, NO_GAME),
    round: like(/^[1-9]\d?$/, NO_ROUND).default('1').transform(Number),
    guesses: like(/^\d*$/, NO_GUESS).max(MAX_ROUNDS, { error: NO_ROUND, abort: true }).default('')
      .transform((digits) => Array.from(digits, Number))
  })
  .refine(({ users, guesses }) => guesses.every((guess) => guess < users.length), NO_GUESS)
  .refine(({ round, guesses }) => guesses.length === round || guesses.length === round - 1, NO_ORDER)

/** The game: whose tweet is it? All of it is in the address; nothing is stored. */
export function playRoutes(services: Services): Router {
  const router = Router()

  router.get('/play', limitedBy(services.rateLimits.predictions), async (request, response) => {
    response.set('X-Robots-Tag', 'noindex, nofollow') // there are more games than a crawler can play
    if (request.query.users === undefined || request.query.seed === undefined) {
      return response.redirect(303, await newGameUrl(services, request.query.users))
    }
    const { users, ...where } = AskRound.parse(request.query)
    const round = await playRound(services, { usernames: users, ...where })
    const game = { ...where, usernames: round.users.map(({ username }) => username) }
    response.format({
      html: () => response.render('play', { ...round, ...linksOf(game) }),
      json: () => response.json(roundJson(round))
    })
  })

  return router
}

/** A first round, of these users or of the first who are here; its seed is nobody's choice. */
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

/** Where the visitor can go from here; a link for each user who can be named. */
function linksOf(game: Game): { guessUrls: string[]; nextUrl: string; againUrl: string } {
  const { usernames, round, guesses } = game
  return {
    guessUrls: usernames.map((_, guess) => gameUrl({ ...game, guesses: [...guesses, guess] })),
    nextUrl: gameUrl({ ...game, round: round + 1 }),
    againUrl: `/play?${stringify({ users: usernames })}`
  }
}

/** A round in JSON; candidates in the order that the digits of `guesses` count in. */
function roundJson({ round, text, users, answer, score }: Round): object {
  const { guess, author, app } = answer ?? {}
  return {
    round,
    text,
    candidates: users.map(({ username }) => username),
    guess: guess?.username,
    author: author?.username,
    app: app && { author: app.author.username, probability: app.probability },
    score
  }
}
