import { logitsOf, sum, verdictOf, type Verdict } from './attribution.js'
import { findCandidates, scoresOf, type Candidates } from './candidates.js'
import { explain, type CandidateExplanation } from './explanation.js'
import { softmaxInPlace } from './logistic-regression.js'
import type { Parts } from './parts.js'
import { project } from './projection.js'
import type { StoredUser } from './store.js'
import { dot } from './vectors.js'

export interface Prediction {
  text: string
  /** The most likely user; whether that should be said is the verdict's. */
  author: string
  verdict: Verdict
  /** The text as the n-grams see it: characters, links masked. */
  characters: string[]
  /** Most likely first. */
  candidates: Candidate[]
  reliability: Reliability
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

/** Five-fold cross-validation on the candidates' own tweets. */
export interface Reliability {
  tweets: number
  accuracy: number
  chance: number
  /** confusion[truth][answer], candidates in their order. */
  confusion: number[][]
}

/** Tweets as points on a plane; the text among them. */
export interface PredictionMap {
  text: [number, number]
  tweets: { username: string; text: string; place: [number, number] }[]
}

const NEAREST = 2
const DOTS = 40 // of each candidate: more hide each other

/**
 * STORY 2. Says which of two to four users most likely would have written a text, how sure that is, and why.
 * @throws VisibleError for a user who is not there (404) or has too few tweets (422)
 */
export async function predictAuthor(parts: Parts, { usernames, text }: { usernames: string[]; text: string }): Promise<Prediction> {
  const [candidates, vector] = await Promise.all([findCandidates(parts, usernames), parts.threads.embed([text])])
  const { attribution, users, plane } = candidates
  const logits = logitsOf(attribution, [text], vector)
  const probabilities = sum(logits)
  const verdict = verdictOf(attribution, text, probabilities)
  softmaxInPlace(probabilities)
  const order = users.map((_, c) => c).sort((a, b) => probabilities[b] - probabilities[a])
  const explanation = explain(attribution, text, vector)
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
    map: { text: project(plane, scoresOf(logits, 0, users.length)), tweets: order.flatMap((c) => dotsOf(candidates, c)) }
  }
}

/** A candidate's tweets that are nearest to the text, nearest first. */
function nearestTweets({ tweets, vectors }: Candidates, vector: Float32Array, c: number): NearTweet[] {
  const d = vector.length
  return tweets
    .flatMap(({ id, text, createdAt, label }, i) =>
      label === c ? [{ id, text, createdAt, similarity: dot(vector, vectors.subarray(i * d, (i + 1) * d)) }] : []
    )
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, NEAREST)
}

function reliabilityFor({ attribution: { reliability }, tweets, users }: Candidates, order: number[]): Reliability {
  return {
    tweets: tweets.length,
    accuracy: reliability.accuracy,
    chance: 1 / users.length,
    confusion: order.map((truth) => order.map((answer) => reliability.confusion[truth][answer]))
  }
}

/** A candidate's newest tweets on the map. */
function dotsOf({ tweets, users }: Candidates, c: number): PredictionMap['tweets'] {
  const own = tweets.filter(({ label }) => label === c).slice(0, DOTS)
  return own.map(({ text, place }) => ({ username: users[c].username, text, place }))
}
