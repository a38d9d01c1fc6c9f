import type { Verdict } from './attribution.js'
import { VisibleError } from './errors.js'
import type { Parts } from './parts.js'
import type { Corpus, StoredUser } from './store.js'
import { joinVectors, slices } from './vectors.js'

export const FEWEST_TWEETS = 20

export interface Prediction {
  text: string
  /** The most likely user; whether that should be said is the verdict's. */
  author: string
  verdict: Verdict
  candidates: { user: StoredUser; probability: number }[]
}

/**
 * STORY 2. Says which of two to four users most likely would have written a text, most likely first.
 * @throws VisibleError for a user who is not there (404) or has too few tweets (422)
 */
export async function predictAuthor(parts: Parts, { usernames, text }: { usernames: string[]; text: string }): Promise<Prediction> {
  const users = await Promise.all(usernames.map((username) => findCandidate(parts, username)))
  const corpora = await Promise.all(users.map((user) => loadCorpus(parts, user)))
  const texts = corpora.flatMap((corpus) => corpus.texts)
  const vectors = joinVectors(corpora.flatMap((corpus) => corpus.vectors))
  const labels = Int32Array.from(corpora.flatMap((corpus, c) => corpus.texts.map(() => c)))
  const vector = await parts.threads.embed([text])
  const { verdict, probabilities } = await parts.threads.predict({ texts, vectors, labels }, text, vector)
  const candidates = users.map((user, c) => ({ user, probability: probabilities[c] })).sort((a, b) => b.probability - a.probability)
  return { text, author: candidates[0].user.username, verdict, candidates }
}

async function findCandidate({ store }: Parts, username: string): Promise<StoredUser> {
  const user = await store.findUser(username)
  if (!user) throw new VisibleError(404, `@${username} has not been added here yet.`)
  if (user.tweets < FEWEST_TWEETS) {
    throw new VisibleError(422, `@${user.username} has ${user.tweets} ${user.tweets === 1 ? 'tweet' : 'tweets'} here; at least ${FEWEST_TWEETS} are needed to learn how somebody writes.`)
  }
  return user
}

/** A user's texts and vectors; vectors that another encoder made are made anew first. */
async function loadCorpus({ store, threads }: Parts, user: StoredUser): Promise<Corpus> {
  const encoder = await threads.encoderName()
  const corpus = await store.loadCorpus(user.id, encoder)
  if (corpus.stale.length === 0) return corpus
  const vectors = slices(await threads.embed(corpus.stale.map(({ text }) => text)), corpus.stale.length)
  await store.saveVectors(corpus.stale.map(({ id }, i) => ({ id, embedding: vectors[i] })), encoder)
  return store.loadCorpus(user.id, encoder)
}
