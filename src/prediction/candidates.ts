// The users among whom a text is to be given to one, and what is fitted on their tweets.

import type { Attribution, TextsRead } from '../model/attribution.js'
import type { Cached } from '../services/cache.js'
import { ExpectedError } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { slices } from '../core/vectors.js'
import type { Corpus } from '../storage/tweets.js'
import type { StoredUser } from '../storage/users.js'

export const MIN_TWEETS_TO_FIT = 20
const MAX_FITTED_TWEETS = 500 // of each user, the newest: fitting on more takes longer than a visitor waits
const BESIDE = 200 // bytes that a tweet takes beside its text and numbers
const TRIES = 3 // at embedding what was collected meanwhile

export interface Candidates extends Cached {
  users: StoredUser[]
  /** One user's behind the other's, each user's newest first. */
  tweets: CandidateTweet[]
  /** User c's tweets are those from starts[c] up to starts[c + 1]. */
  starts: number[]
  /** Each user's vectors by the encoder, end to end in the order of the tweets; shared with the kept tweets. */
  vectors: Float32Array[]
  attribution: Attribution
}

export interface CandidateTweet {
  id: string
  text: string
  createdAt: Date | null
  /** Which of the users wrote it. */
  label: number
}

/**
 * The users of these names, and a model fitted on their tweets or kept from before.
 * @throws ExpectedError for a user who is not there (404) or has too few tweets (422)
 */
export async function findCandidates(services: Services, usernames: string[]): Promise<Candidates> {
  const found = await services.userStore.findUsers(usernames)
  const users = found.map((user, i) => checkCandidate(user, usernames[i]))
  users.sort((a, b) => (a.id < b.id ? -1 : 1)) // the same users in another order are the same model
  const encoder = await services.threads.encoderName()
  return services.models.get([encoder, ...users.map(versionOf)].join(), () => fitCandidates(services, users, encoder))
}

/** A version of a user's stored tweets, which changes whenever they do; part of the keys in the caches. */
export function versionOf({ id, tweets, collectedAt }: StoredUser): string {
  return JSON.stringify([id, tweets, collectedAt.getTime()])
}

function checkCandidate(user: StoredUser | undefined, username: string): StoredUser {
  if (!user) throw new ExpectedError('not-found', `@${username} has not been added here yet.`)
  if (user.tweets < MIN_TWEETS_TO_FIT) {
    const number = user.tweets === 1 ? '1 tweet' : `${user.tweets} tweets`
    throw new ExpectedError('unusable', `@${user.username} has ${number} here; at least ${MIN_TWEETS_TO_FIT} are needed to learn how somebody writes.`)
  }
  return user
}

async function fitCandidates(services: Services, users: StoredUser[], encoder: string): Promise<Candidates> {
  const corpora = await Promise.all(
    users.map((user) => services.corpora.get([encoder, versionOf(user)].join(), () => loadCorpus(services, user, encoder)))
  )
  const vectors = corpora.map((corpus) => corpus.vectors)
  const tweets = corpora.flatMap(({ ids, texts, dates }, label) => texts.map((text, i) => ({ id: ids[i], text, createdAt: dates[i], label })))
  const attribution = await services.threads.fit({
    counts: corpora.map(({ counts }) => counts),
    templates: corpora.flatMap(({ templates }) => templates),
    vectors,
    labels: Int32Array.from(tweets, ({ label }) => label)
  })
  const starts = corpora.reduce((ends, { texts }) => [...ends, ends.at(-1)! + texts.length], [0])
  return { users, tweets, starts, vectors, attribution, bytes: bytesOf(tweets, attribution) }
}

/** How much memory it takes to keep them, about; the texts and the vectors are the kept tweets'. */
function bytesOf(tweets: CandidateTweet[], { columns, ngrams, ngramModel, heldOut, map }: Attribution): number {
  const { buckets, idf, texts: found } = columns
  const { starts, indices, values } = ngrams
  const arrays = [buckets, idf, found, starts, indices, values, ngramModel.weights, heldOut.ngrams, heldOut.encoder, map.places]
  return sizeOf(arrays) + BESIDE * tweets.length
}

function sizeOf(arrays: { byteLength: number }[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

type ReadCorpus = Corpus & TextsRead & Cached

/** Loads a user's tweets; vectors that another encoder made are made anew first. */
async function loadCorpus({ tweetStore, threads }: Services, { id: userId, username }: StoredUser, encoder: string): Promise<ReadCorpus> {
  let corpus = await tweetStore.loadCorpus(userId, encoder, MAX_FITTED_TWEETS)
  for (let tries = 1; 'stale' in corpus; tries++) {
    if (tries > TRIES) throw new ExpectedError('unavailable', `@${username}'s tweets keep changing at the moment. Please try again in a minute.`)
    const { stale } = corpus
    const vectors = slices(await threads.embed(stale.map(({ text }) => text)), stale.length)
    await tweetStore.saveVectors(userId, stale.map(({ id }, i) => ({ id, embedding: vectors[i] })), encoder)
    corpus = await tweetStore.loadCorpus(userId, encoder, MAX_FITTED_TWEETS)
  }
  const { counts, templates } = await threads.readTexts(corpus.texts)
  const texts = corpus.texts.reduce((sum, text) => sum + 2 * text.length + BESIDE, 0)
  return { ...corpus, counts, templates, bytes: sizeOf([corpus.vectors, ...Object.values(counts)]) + texts }
}
