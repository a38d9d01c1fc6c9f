import { hashText } from '../core/hashing.js'
import { sum } from '../model/stacking.js'
import { findCandidates, type Candidates } from './candidates.js'
import { ExpectedError } from '../core/errors.js'
import { argmax, softmaxInPlace } from '../regression/softmax.js'
import type { Services } from '../services/services.js'
import type { StoredUser } from '../storage/users.js'

export const MOST_ROUNDS = 50

/** Where a game stands: all of it, so that nothing need be kept of it. */
export interface Game {
  usernames: string[]
  /** Decides which tweets are dealt, and in which order. */
  seed: string
  /** 1 … 50 */
  round: number
  /** Whom the visitor named in each round so far, as places in {@link Round.users}. */
  guesses: number[]
}

export interface Round {
  round: number
  /** How many rounds the game has. */
  rounds: number
  text: string
  /** In an order of their own, which is the same in every round. */
  users: StoredUser[]
  /** Only when the visitor has guessed. */
  answer?: Answer
  score: Score
}

export interface Answer {
  tweet: { id: string; createdAt: Date | null }
  guess: StoredUser
  author: StoredUser
  app: { author: StoredUser; probability: number }
}

/** Out of so many rounds, how often each was right. */
export interface Score {
  visitor: number
  app: number
  rounds: number
}

/**
 * A round of a game: a real tweet of one of two to four users; once the visitor has guessed whose it is, the truth,
 * what models that had not seen the tweet would have said, and the score.
 * @throws ExpectedError for a user who is not there (404) or has too few tweets (422), and for a round too many (400)
 */
export async function playRound(services: Services, { usernames, seed, round, guesses }: Game): Promise<Round> {
  const candidates = await findCandidates(services, usernames)
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
 * The tweets of a game, none of them twice. Each user's are shuffled and each round is as likely to be any user's, or
 * naming whoever has the most tweets would win. Both hang on hashes and not on a stream of random numbers: so a game
 * that is under way goes on much the same when tweets are added.
 */
function dealTweets({ users, tweets, starts }: Candidates, seed: string): number[] {
  const piles = users.map((_, c) => {
    const own = Array.from({ length: starts[c + 1] - starts[c] }, (_, i) => starts[c] + i)
    return shuffled(own, (i) => `${seed} ${tweets[i].id}`)
  })
  return Array.from({ length: Math.min(MOST_ROUNDS, tweets.length) }, (_, round) => {
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
