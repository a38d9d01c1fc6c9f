// The users among whom a text is to be given to one, and what is fitted on their tweets.

import type { Attribution } from './attribution.js'
import { VisibleError } from './errors.js'
import type { Kept } from './fitted-models.js'
import type { Parts } from './parts.js'
import { principalPlane, project, type Plane } from './projection.js'
import type { Corpus, StoredUser } from './store.js'
import { joinVectors, slices } from './vectors.js'

export const FEWEST_TWEETS = 20
const MOST_TWEETS = 500 // of each user, the newest: fitting on more takes longer than a visitor waits

export interface Candidates extends Kept {
  users: StoredUser[]
  tweets: CandidateTweet[]
  /** The encoder's vectors of the tweets, end to end. */
  vectors: Float32Array
  attribution: Attribution
  plane: Plane
}

export interface CandidateTweet {
  id: string
  text: string
  createdAt: Date | null
  /** Which of the users wrote it. */
  label: number
  /** Where it lies on the plane. */
  place: [number, number]
}

/**
 * The users of these names, and a model fitted on their tweets or kept from before.
 * @throws VisibleError for a user who is not there (404) or has too few tweets (422)
 */
export async function findCandidates(parts: Parts, usernames: string[]): Promise<Candidates> {
  const users = await Promise.all(usernames.map((username) => findCandidate(parts, username)))
  users.sort((a, b) => (a.id < b.id ? -1 : 1)) // the same users in another order are the same model
  const encoder = await parts.threads.encoderName()
  const versions = users.map(({ id, tweets, collectedAt }) => [id, tweets, collectedAt.getTime()])
  return parts.models.get(JSON.stringify([encoder, versions]), () => fitCandidates(parts, users))
}

async function findCandidate({ store }: Parts, username: string): Promise<StoredUser> {
  const user = await store.findUser(username)
  if (!user) throw new VisibleError(404, `@${username} has not been added here yet.`)
  if (user.tweets < FEWEST_TWEETS) {
    const number = user.tweets === 1 ? '1 tweet' : `${user.tweets} tweets`
    throw new VisibleError(422, `@${user.username} has ${number} here; at least ${FEWEST_TWEETS} are needed to learn how somebody writes.`)
  }
  return user
}

async function fitCandidates(parts: Parts, users: StoredUser[]): Promise<Candidates> {
  const corpora = await Promise.all(users.map((user) => loadCorpus(parts, user)))
  const vectors = joinVectors(corpora.flatMap((corpus) => corpus.vectors))
  const texts = corpora.flatMap((corpus) => corpus.texts)
  const labels = Int32Array.from(corpora.flatMap((corpus, label) => corpus.texts.map(() => label)))
  const attribution = await parts.threads.fit({ texts, vectors, labels })
  const scores = texts.map((_, i) => scoresOf(attribution.heldOut, i, users.length))
  const plane = principalPlane(scores)
  const facts = corpora.flatMap(({ ids, dates }) => ids.map((id, i) => ({ id, createdAt: dates[i] })))
  const tweets = texts.map((text, i) => ({ ...facts[i], text, label: labels[i], place: project(plane, scores[i]) }))
  return { users, tweets, vectors, attribution, plane, bytes: bytesOf(texts, vectors, attribution) }
}

/** How much memory it takes to keep them, about. */
function bytesOf(texts: string[], vectors: Float32Array, { columns, ngrams, ngramModel, heldOut }: Attribution): number {
  const { buckets, idf, texts: found } = columns
  const { starts, indices, values } = ngrams
  const arrays = [vectors, buckets, idf, found, starts, indices, values, ngramModel.weights, heldOut.ngrams, heldOut.encoder]
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0) + texts.reduce((sum, text) => sum + 2 * text.length + 300, 0)
}

/** Row i of both models' logits, each relative to its mean, side by side. */
export function scoresOf({ ngrams, encoder }: Attribution['heldOut'], i: number, k: number): number[] {
  return [ngrams, encoder].flatMap((logits) => {
    const row = Array.from(logits.subarray(i * k, i * k + k))
    const mean = row.reduce((sum, z) => sum + z, 0) / k
    return row.map((z) => z - mean)
  })
}

/** A user's tweets; vectors that another encoder made are made anew first. */
async function loadCorpus({ store, threads }: Parts, user: StoredUser): Promise<Corpus> {
  const encoder = await threads.encoderName()
  const corpus = await store.loadCorpus(user.id, encoder, MOST_TWEETS)
  if (corpus.stale.length === 0) return corpus
  const vectors = slices(await threads.embed(corpus.stale.map(({ text }) => text)), corpus.stale.length)
  await store.saveVectors(user.id, corpus.stale.map(({ id }, i) => ({ id, embedding: vectors[i] })), encoder)
  return store.loadCorpus(user.id, encoder, MOST_TWEETS)
}
