import { hashText } from '../core/hashing.js'
import { sum } from '../model/stacking.js'
import { findCandidates, type Candidates } from './candidates.js'
import { ExpectedError } from '../core/errors.js'
import { argmax, softmaxInPlace } from '../regression/softmax.js'
import type { Services } from '../services/services.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import type { StoredUser } from '../storage/users.js'

export const MAX_ROUNDS = 50

/** The whole state of a game: nothing of it is stored. */
export interface Game {
  usernames: string[]
  /** Decides which tweets are dealt and in which order. */
  seed: string
  /** 1 … 50 */
  round: number
  /** Whom the visitor has named in each round so far, as indices of {@link Round.users}. */
  guesses: number[]
}

export interface Round {
  round: number
  /** How many rounds the game has. */
  rounds: number
  text: string
  /** In the same order in every round. */
  users: StoredUser[]
  /** Only after the visitor's guess. */
  answer?: Answer
  score: Score
}

export interface Answer {
  tweet: { id: string; createdAt: Date | null }
  guess: StoredUser
  author: StoredUser
  app: { author: StoredUser; probability: number }
}

/** How often each was right in so many rounds. */
export interface Score {
  visitor: number
  app: number
  rounds: number
}

/**
 * A round of the game: a real tweet of one of two to four users. After the visitor's guess also who wrote it, what models
 * that have not seen the tweet say, and the score.
 * @throws ExpectedError not-found for a user who is not there, unusable for one with too few tweets, invalid for a round
 * that the game does not have
 */
export async function playRound(services: Services, { usernames, seed, round, guesses }: Game, caller = SOMEBODY): Promise<Round> {
  const candidates = await findCandidates(services, usernames, caller)
  const dealt = dealTweets(candidates, seed)
  if (round > dealt.length) throw new ExpectedError('invalid', `This game has ${dealt.length} rounds.`)
  const answers = guesses.map((guess, i) => answerTo(candidates, dealt[i], guess))
  return {
    round,
    rounds: dealt.length,
    text: candidates.tweets[dealt[round - 1]].text,
    users: candidates.users,
    answer: answers[round - 1],
    score: scoreOf(answers)
  }
}

/**
 * The tweets of a game, none of them twice. Each user's tweets are shuffled, and each round is equally likely to be any
 * user's: otherwise naming whoever has most tweets would win. Both depend on hashes and not on a stream of random numbers,
 * so that a game that has begun changes little when tweets are added.
 */
function dealTweets({ users, tweets, starts }: Candidates, seed: string): number[] {
  const piles = users.map((_, c) => {
    const own = Array.from({ length: starts[c + 1] - starts[c] }, (_, i) => starts[c] + i)
    return shuffled(own, (i) => `${seed} ${tweets[i].id}`)
  })
  return Array.from({ length: Math.min(MAX_ROUNDS, tweets.length) }, (_, round) => {
    const left = piles.filter((pile) => pile.length > 0)
    return left[hashText(`${seed} ${round}`) % left.length].pop()!
  })
}

function shuffled(items: number[], keyOf: (item: number) => string): number[] {
  const keys = new Map(items.map((item) => [item, hashText(keyOf(item))]))
  return items.sort((a, b) => keys.get(a)! - keys.get(b)!)
}

/** Tweet i's author, and whom the visitor and the models that did not see it name. */
function answerTo({ users, tweets, attribution: { heldOut } }: Candidates, i: number, guess: number): Answer {
  const rowOf = (logits: Float64Array): Float64Array => logits.subarray(i * users.length, (i + 1) * users.length)
  const probabilities = sum({ ngrams: rowOf(heldOut.ngrams), encoder: rowOf(heldOut.encoder) })
  softmaxInPlace(probabilities)
  const best = argmax(probabilities)
  const { id, createdAt, label } = tweets[i]
  const app = { author: users[best], probability: probabilities[best] }
  return { tweet: { id, createdAt }, guess: users[guess], author: users[label], app }
}

function scoreOf(answers: Answer[]): Score {
  return {
    visitor: answers.filter(({ guess, author }) => guess.id === author.id).length,
    app: answers.filter(({ app, author }) => app.author.id === author.id).length,
    rounds: answers.length
  }
}
