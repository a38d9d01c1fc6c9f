// The candidates of a question: two to four users, and the attribution that is fitted on their tweets.

import type { Attribution, TextsRead } from '../model/attribution.js'
import type { Cached } from '../services/cache.js'
import { ExpectedError } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { slices } from '../core/vectors.js'
import type { Corpus } from '../storage/tweets.js'
import type { StoredUser } from '../storage/users.js'
import { SOMEBODY } from '../threads/fair-queue.js'

export const MIN_TWEETS_TO_FIT = 20
// The newest tweets of each user that a fit learns from: fitting on more takes longer than visitors wait. A fit's work grows
// with the characters, so posts of 25,000 characters are bounded by them.
const CORPUS_LIMITS = { tweets: 500, characters: 2 ** 17, charactersEach: 1000 }
const TWEET_OVERHEAD = 200 // bytes of memory for each tweet besides its text and numbers
const MAX_TRIES = 5 // at reading tweets that are changed or embedded meanwhile

export interface Candidates extends Cached {
  users: StoredUser[]
  /** User by user, each user's newest first. */
  tweets: CandidateTweet[]
  /** User c's tweets are tweets[starts[c]] … tweets[starts[c + 1] − 1]. */
  starts: number[]
  /** Each user's vectors by the encoder, end to end in the order of the tweets; shared with the cache of corpora. */
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
 * The users of these names, and an attribution fitted on their tweets or cached from before.
 * @throws ExpectedError not-found for a user who is not there, unusable for one with too few tweets; Overloaded where too
 * many fits wait; the signal's reason where the caller has gone
 */
export async function findCandidates(services: Services, usernames: string[], caller = SOMEBODY): Promise<Candidates> {
  const users = await findUsers(services, usernames)
  await services.userStore.saveAsked(users)
  const encoder = await services.threads.encoderName()
  const fit = (signal: AbortSignal): Promise<Candidates> =>
    services.heavyWork.run({ ...caller, signal }, () => fitCandidates(services, users, encoder))
  return services.models.get([encoder, ...users.map(versionOf)].join(), fit, caller.signal)
}

/** Names a user with the version of their stored tweets, which never comes again; part of the keys in the caches. */
export function versionOf({ id, version }: StoredUser): string {
  return JSON.stringify([id, String(version)])
}

/** The users of these names, in an order of their own: another order of the names finds the same cached model. */
async function findUsers({ userStore }: Services, usernames: string[]): Promise<StoredUser[]> {
  const found = await userStore.findUsers(usernames)
  return found.map((user, i) => checkCandidate(user, usernames[i])).sort((a, b) => (a.id < b.id ? -1 : 1))
}

function checkCandidate(user: StoredUser | undefined, username: string): StoredUser {
  if (!user) throw new ExpectedError('not-found', `@${username} has not been added here yet.`)
  if (user.tweets < MIN_TWEETS_TO_FIT) {
    const number = user.tweets === 1 ? '1 tweet' : `${user.tweets} tweets`
    throw new ExpectedError('unusable', `@${user.username} has ${number} here; at least ${MIN_TWEETS_TO_FIT} are needed to learn how somebody writes.`)
  }
  return user
}

async function fitCandidates(services: Services, asked: StoredUser[], encoder: string): Promise<Candidates> {
  const { users, corpora } = await readCorpora(services, asked, encoder)
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

/** About how much memory they take in the cache, without texts and vectors, which lie in the cache of corpora. */
function bytesOf(tweets: CandidateTweet[], { columns, ngrams, ngramModel, heldOut, map }: Attribution): number {
  const { buckets, idf, texts: found } = columns
  const { starts, indices, values } = ngrams
  const arrays = [buckets, idf, found, starts, indices, values, ngramModel.weights, heldOut.ngrams, heldOut.encoder, map.places]
  return sizeOf(arrays) + TWEET_OVERHEAD * tweets.length
}

function sizeOf(arrays: { byteLength: number }[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

type ReadCorpus = Corpus & TextsRead & Cached

/**
 * The users with the tweets of just these versions: whoever has changed since they were asked for, while the fit waited for
 * its turn, is looked up again.
 */
async function readCorpora(services: Services, users: StoredUser[], encoder: string): Promise<{ users: StoredUser[]; corpora: ReadCorpus[] }> {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const corpora = await Promise.all(
      users.map((user) => services.corpora.get([encoder, versionOf(user)].join(), () => readCorpus(services, user, encoder)).catch(undefinedIfChanged))
    )
    if (corpora.every((corpus) => corpus !== undefined)) return { users, corpora }
    users = await findUsers(services, users.map(({ username }) => username))
  }
  throw new ExpectedError('unavailable', 'The tweets of these users keep changing at the moment. Please try again in a minute.', {})
}

/** The user's tweets are no longer those of the version that was asked for. */
class Changed extends Error {}

function undefinedIfChanged(error: unknown): undefined {
  if (!(error instanceof Changed)) throw error
}

/**
 * Loads and reads a user's tweets of this version. Where another encoder made their vectors, new ones are stored first.
 * @throws Changed where the stored version is another, also because of the new vectors
 */
async function readCorpus({ tweetStore, threads }: Services, { id: userId, version }: StoredUser, encoder: string): Promise<ReadCorpus> {
  const corpus = await tweetStore.loadCorpus(userId, encoder, CORPUS_LIMITS)
  if ('stale' in corpus) {
    const { stale } = corpus
    const vectors = slices(await threads.embed(stale.map(({ text }) => text)), stale.length)
    await tweetStore.saveVectors(userId, stale.map(({ id }, i) => ({ id, embedding: vectors[i] })), encoder)
    throw new Changed()
  }
  if (corpus.version !== version) throw new Changed()
  const { counts, templates } = await threads.readTexts(corpus.texts)
  const texts = corpus.texts.reduce((sum, text) => sum + 2 * text.length + TWEET_OVERHEAD, 0)
  return { ...corpus, counts, templates, bytes: sizeOf([corpus.vectors, ...Object.values(counts)]) + texts }
}
