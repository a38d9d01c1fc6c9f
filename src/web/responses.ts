// The JSON answers: their schemas, by their names in the OpenAPI document (GET /api), and functions that make them. The
// schemas are strict: an answer has no field that is not named here.

import { z } from 'zod'
import type * as game from '../prediction/play-round.js'
import type * as prediction from '../prediction/predict-author.js'
import type * as userPage from '../prediction/user-page.js'
import type { Imported as ImportedUser } from '../collecting/import-tweets.js'
import { LEFT_OUT, type LeftOut } from '../sources/archive/report.js'
import type { CollectJob } from '../storage/collect-jobs.js'
import type { StoredUser } from '../storage/users.js'
import { isUnderWay, progressInWords } from './view-helpers.js'

const Count = z.int().min(0)
const Time = z.iso.datetime()
const Place = z.tuple([z.number(), z.number()])

const User = z.strictObject({
  username: z.string(), name: z.string(), source: z.enum(['x', 'archive', 'sample']), tweets: Count, collectedAt: Time
})

const Tweet = z.strictObject({ id: z.string(), text: z.string(), createdAt: Time.nullable() })

const Progress = z.strictObject({
  username: z.string(),
  state: z.enum(['queued', 'working', 'waiting', 'done', 'failed']),
  words: z.string().meta({ description: 'The same in words, for people.' }),
  read: Count,
  embedded: Count,
  toRead: Count,
  ended: z.boolean().meta({ description: 'Whether nothing more will happen: it is done or has failed.' })
})

const Share = z.number().min(0).max(100)

const TypicalPiece = z.strictObject({
  text: z.string(),
  weight: z.number(),
  theirs: Share.meta({ description: 'How many of 100 of their tweets have it.' }),
  others: Share.meta({ description: 'How many of 100 of the others\' tweets have it.' })
})

const StyleProfile = z.strictObject({
  tweets: Count,
  others: z.strictObject({ users: Count, tweets: Count }),
  words: z.array(TypicalPiece),
  ngrams: z.array(TypicalPiece),
  times: z.strictObject({ dated: Count, hours: z.array(Count).length(24), weekdays: z.array(Count).length(7) })
    .meta({ description: 'When they post, in UTC; weekdays from Monday.' }),
  measures: z.array(z.strictObject({
    name: z.string(), unit: z.enum(['number', 'share']), theirs: z.number().nullable(), others: z.number().nullable()
  }))
})

const Candidate = z.strictObject({
  username: z.string(),
  probability: z.number().min(0).max(1),
  score: z.number().meta({ description: 'ngrams + encoder + intercept, relative to the mean over the candidates.' }),
  ngrams: z.number(),
  encoder: z.number(),
  intercept: z.number(),
  characters: z.array(z.number()).meta({ description: 'What each character adds to ngrams.' }),
  pieces: z.array(z.strictObject({ text: z.string(), weight: z.number() })),
  nearest: z.array(Tweet.extend({ similarity: z.number() })).meta({ description: 'Their tweets that are most similar to the text.' })
})

const Prediction = z.strictObject({
  text: z.string(),
  author: z.string().meta({ description: 'The most likely user; the verdict says whether the answer is sure enough to name them.' }),
  verdict: z.enum(['named', 'too close to call', 'unlike any of them']),
  characters: z.array(z.string()).meta({ description: 'The text, links masked.' }),
  candidates: z.array(Candidate).meta({ description: 'Most likely first.' }),
  reliability: z.strictObject({
    tweets: Count,
    accuracy: z.number().min(0).max(1),
    chance: z.number().min(0).max(1),
    confusion: z.array(z.array(Count)).meta({ description: 'Rows by truth, columns by answer; candidates in their order.' })
  }).meta({ description: 'How often such an answer is right on their own held-out tweets.' }),
  map: z.strictObject({ text: Place, tweets: z.array(z.strictObject({ username: z.string(), text: z.string(), place: Place })) })
})

const Round = z.strictObject({
  round: z.int().min(1),
  text: z.string(),
  candidates: z.array(z.string()).meta({ description: 'In the order that the digits of guesses count in, from 0.' }),
  guess: z.string().optional().meta({ description: 'With author and app only after a guess for this round.' }),
  author: z.string().optional(),
  app: z.strictObject({ author: z.string(), probability: z.number().min(0).max(1) }).optional(),
  score: z.strictObject({ visitor: Count, app: Count, rounds: Count })
})

const REASONS = Object.keys(LEFT_OUT) as LeftOut[]
const Author = z.strictObject({ name: z.string(), posts: Count })

const ImportReport = z.strictObject({
  read: Count,
  kept: Count,
  beyond: Count.meta({ description: 'Older than the newest 3,200, or than the newest 1,000,000 characters.' }),
  dropped: z.strictObject(Object.fromEntries(REASONS.map((reason) => [reason, Count.meta({ description: LEFT_OUT[reason] })]))),
  examples: z.partialRecord(z.enum(REASONS), z.array(z.strictObject({ line: Count, text: z.string() })))
    .meta({ description: 'Some records that were left out, with their lines in the file; of what is not readable the reason.' }),
  completed: Count.meta({ description: 'Posts that stood cut in the file, and whole in another place of it.' }),
  authors: z.array(Author).meta({ description: 'All that the file names, most posts first.' }),
  format: z.string(),
  encoding: z.string(),
  dates: z.strictObject({
    read: Count, none: Count, odd: Count, example: z.string().nullable().meta({ description: 'A date that was not understood.' }),
    order: z.enum(['day', 'month']).nullable().meta({ description: 'Which comes first in dates such as 3/10/2017, if there are any.' })
  })
})

const Imported = z.strictObject({ user: User, report: ImportReport })

/** The schemas of all answers and their parts. */
export const answers = {
  User,
  Users: z.strictObject({ users: z.array(User) }),
  UserPage: z.union([
    z.strictObject({
      user: User,
      tweets: z.array(Tweet).meta({ description: 'Newest first.' }),
      page: z.int().min(1),
      pages: z.int().min(1),
      habits: StyleProfile.optional().meta({ description: 'Only on the first page.' }),
      collecting: Progress.optional().meta({ description: 'Only where the user was read from X, or is being read.' })
    }),
    z.strictObject({ collecting: Progress }).meta({ description: 'Nothing is stored of the user yet.' })
  ]),
  Progress,
  Collecting: z.strictObject({ collecting: z.array(Progress) }),
  ProgressList: z.array(Progress),
  Tweet,
  StyleProfile,
  Imported: Imported.extend({ more: z.array(Imported).optional().meta({ description: 'The other authors, where several were chosen.' }) }),
  Prediction,
  Round,
  Health: z.strictObject({ ready: z.boolean(), database: z.enum(['ok', 'unreachable']), encoder: z.string() }),
  Alive: z.strictObject({ alive: z.literal(true) }),
  Error: z.strictObject({
    error: z.string().meta({ description: 'What went wrong, in words for people.' }),
    question: z.strictObject({
      about: z.enum(['authors', 'text']),
      choices: z.array(z.strictObject({ name: z.string(), posts: Count.optional(), example: z.string().optional() })),
      upload: z.string().meta({ description: 'The file, which is kept for a quarter of an hour: send it back with the answer.' })
    }).optional().meta({ description: 'What a file does not tell by itself: whose posts, or which column of texts.' })
  })
}

export function userJson({ username, name, source, tweets, collectedAt }: StoredUser): object {
  return { username, name, source, tweets, collectedAt }
}

/** The users that were imported from a file, and what became of it. */
export function importedJson([first, ...more]: ImportedUser[]): object {
  const one = ({ user, report }: ImportedUser): object => ({ user: userJson(user), report })
  return { ...one(first), ...(more.length > 0 && { more: more.map(one) }) }
}

/** How far the collecting of a user has come. */
export function progressJson(collectJob: CollectJob): {
  username: string; state: CollectJob['state']; words: string; read: number; embedded: number; toRead: number; ended: boolean
} {
  const { username, state, read, embedded, toRead } = collectJob
  return { username, state, words: progressInWords(collectJob), read, embedded, toRead, ended: !isUnderWay(collectJob) }
}

/** A user's page: the user, a page of tweets, the style profile and how far collecting has come. */
export function userPageJson({ user, collectJob, ...page }: Extract<userPage.UserPage, { user: StoredUser }>): object {
  return { user: userJson(user), ...page, ...(collectJob && { collecting: progressJson(collectJob) }) }
}

/** A prediction with every number that the page draws; candidates most likely first. */
export function predictionJson({ candidates, ...prediction }: prediction.Prediction): object {
  return { ...prediction, candidates: candidates.map(({ user, ...candidate }) => ({ username: user.username, ...candidate })) }
}

/** A round of the game; candidates in the order that the digits of `guesses` count in. */
export function roundJson({ round, text, users, answer, score }: game.Round): object {
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
