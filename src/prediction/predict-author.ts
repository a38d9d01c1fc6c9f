import { logitsOf, readQuestion, verdictOf, type Verdict } from '../model/question.js'
import { sum } from '../model/stacking.js'
import { placeOn } from '../model/tweet-map.js'
import { dot } from '../core/vectors.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import { findCandidates, type Candidates } from './candidates.js'
import { explain, type CandidateExplanation } from '../model/explanation.js'
import { softmaxInPlace } from '../regression/softmax.js'
import type { Services } from '../services/services.js'
import type { StoredUser } from '../storage/users.js'
import { decodeEntities } from '../text/normalize.js'

export interface Prediction {
  text: string
  /** The most likely user; the verdict tells whether to name them. */
  author: string
  verdict: Verdict
  /** The text by graphemes, links masked. */
  characters: string[]
  /** Most likely first. */
  candidates: Candidate[]
  reliability: HeldOutAccuracy
  map: PredictionMap
}

export interface Candidate extends CandidateExplanation {
  user: StoredUser
  probability: number
  nearest: NearTweet[]
}

export interface NearTweet {
  id: string
  text: string
  createdAt: Date | null
  /** The cosine of the encoder's vectors. */
  similarity: number
}

/** How often answers are right, by cross-validation on the candidates' own tweets. */
export interface HeldOutAccuracy {
  tweets: number
  accuracy: number
  chance: number
  /** confusion[truth][answer], candidates in their order. */
  confusion: number[][]
}

/** Tweets and the text as points on a plane. */
export interface PredictionMap {
  text: [number, number]
  tweets: { username: string; text: string; place: [number, number] }[]
}

const NEAREST = 2
const DOTS = 40 // of each user on the map: more would hide each other

/**
 * STORY 2. Says which of two to four users most likely would have written a text, how sure that is, and why.
 * @throws ExpectedError not-found for a user who is not there, unusable for one with too few tweets
 */
export async function predictAuthor(services: Services, { usernames, text: typed }: { usernames: string[]; text: string }, caller = SOMEBODY): Promise<Prediction> {
  const text = decodeEntities(typed)
  const [candidates, vector] = await Promise.all([findCandidates(services, usernames, caller), services.threads.embed([text])])
  const { attribution, users } = candidates
  const question = readQuestion(attribution, text, vector)
  const logits = logitsOf(attribution, question)
  const probabilities = sum(logits)
  const verdict = verdictOf(attribution, question, probabilities)
  softmaxInPlace(probabilities)
  const order = users.map((_, c) => c).sort((a, b) => probabilities[b] - probabilities[a])
  const explanation = explain(attribution, question)
  return {
    text,
    author: users[order[0]].username,
    verdict,
    characters: explanation.characters,
    candidates: order.map((c) => ({
      user: users[c],
      probability: probabilities[c],
      ...explanation.candidates[c],
      nearest: nearestTweets(candidates, vector, c)
    })),
    reliability: reliabilityFor(candidates, order),
    map: { text: placeOn(attribution.map, logits), tweets: order.flatMap((c) => dotsOf(candidates, c)) }
  }
}

/** A candidate's tweets that are nearest to the text, nearest first. */
function nearestTweets({ tweets, starts, vectors }: Candidates, vector: Float32Array, c: number): NearTweet[] {
  const near: { i: number; similarity: number }[] = []
  for (let i = 0; i < starts[c + 1] - starts[c]; i++) {
    const similarity = dot(vector, vectors[c], i * vector.length) // the cosine: both have length 1
    if (near.length === NEAREST && similarity <= near[NEAREST - 1].similarity) continue
    if (near.length === NEAREST) near.pop()
    near.splice(near.findLastIndex((other) => other.similarity >= similarity) + 1, 0, { i, similarity })
  }
  return near.map(({ i, similarity }) => {
    const { id, text, createdAt } = tweets[starts[c] + i]
    return { id, text, createdAt, similarity }
  })
}

function reliabilityFor({ attribution: { reliability }, tweets, users }: Candidates, order: number[]): HeldOutAccuracy {
  return {
    tweets: tweets.length,
    accuracy: reliability.accuracy,
    chance: 1 / users.length,
    confusion: order.map((truth) => order.map((answer) => reliability.confusion[truth][answer]))
  }
}

/** A candidate's newest tweets on the map. */
function dotsOf({ attribution: { map: { places } }, tweets, starts, users }: Candidates, c: number): PredictionMap['tweets'] {
  return tweets.slice(starts[c], Math.min(starts[c + 1], starts[c] + DOTS)).map(({ text }, i) => {
    const at = 2 * (starts[c] + i)
    return { username: users[c].username, text, place: [places[at], places[at + 1]] }
  })
}
