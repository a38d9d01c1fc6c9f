// What the JSON answers are, each under the name that the interface's description (/api) gives it.

import { z } from 'zod'

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
  words: z.string().describe('The same in words, for people.'),
  read: Count,
  embedded: Count,
  toRead: Count,
  ended: z.boolean().describe('Whether nothing more will happen: it is done or has failed.')
})

const Share = z.number().min(0).max(100)

const TypicalPiece = z.strictObject({
  text: z.string(),
  weight: z.number(),
  theirs: Share.describe('In how many of 100 tweets of theirs it is.'),
  others: Share.describe('In how many of 100 tweets of the others it is.')
})

const StyleProfile = z.strictObject({
  tweets: Count,
  others: z.strictObject({ users: Count, tweets: Count }),
  words: z.array(TypicalPiece),
  ngrams: z.array(TypicalPiece),
  times: z.strictObject({ dated: Count, hours: z.array(Count).length(24), weekdays: z.array(Count).length(7) })
    .describe('When they post, in UTC; weekdays from Monday.'),
  measures: z.array(z.strictObject({
    name: z.string(), unit: z.enum(['number', 'share']), theirs: z.number().nullable(), others: z.number().nullable()
  }))
})

const Candidate = z.strictObject({
  username: z.string(),
  probability: z.number().min(0).max(1),
  score: z.number().describe('ngrams + encoder + intercept, relative to the mean over the candidates.'),
  ngrams: z.number(),
  encoder: z.number(),
  intercept: z.number(),
  characters: z.array(z.number()).describe('What each of the characters adds to ngrams.'),
  pieces: z.array(z.strictObject({ text: z.string(), weight: z.number() })),
  nearest: z.array(Tweet.extend({ similarity: z.number() })).describe('Their tweets that are most like the text.')
})

const Prediction = z.strictObject({
  text: z.string(),
  author: z.string().describe('The most likely user; the verdict says whether that is to be said.'),
  verdict: z.enum(['named', 'too close to call', 'unlike any of them']),
  characters: z.array(z.string()).describe('The text, links masked.'),
  candidates: z.array(Candidate).describe('Most likely first.'),
  reliability: z.strictObject({
    tweets: Count,
    accuracy: z.number().min(0).max(1),
    chance: z.number().min(0).max(1),
    confusion: z.array(z.array(Count)).describe('By truth, then by answer; candidates in their order.')
  }).describe('How often such an answer is right on their own tweets, held out.'),
  map: z.strictObject({ text: Place, tweets: z.array(z.strictObject({ username: z.string(), text: z.string(), place: Place })) })
})

const Round = z.strictObject({
  round: z.int().min(1),
  text: z.string(),
  candidates: z.array(z.string()).describe('In the order that the digits of guesses count in, from 0.'),
  guess: z.string().optional().describe('With author and app only after a guess for this round.'),
  author: z.string().optional(),
  app: z.strictObject({ author: z.string(), probability: z.number().min(0).max(1) }).optional(),
  score: z.strictObject({ visitor: Count, app: Count, rounds: Count })
})

const ImportReport = z.strictObject({
  read: Count,
  kept: Count,
  beyond: Count.describe('Older than the newest 3,200.'),
  dropped: z.strictObject({ retweets: Count, replies: Count, duplicates: Count, empty: Count, tooLong: Count })
})

/** Every answer and what it is made of. Strict: what is not named here is not answered. */
export const answers = {
  User,
  Users: z.strictObject({ users: z.array(User) }),
  UserPage: z.union([
    z.strictObject({
      user: User,
      tweets: z.array(Tweet).describe('Newest first.'),
      page: z.int().min(1),
      pages: z.int().min(1),
      habits: StyleProfile.optional().describe('Only on the first page.'),
      collecting: Progress.optional().describe('Only where the user was read from X, or is being read.')
    }),
    z.strictObject({ collecting: Progress }).describe('Nothing is stored of the user yet.')
  ]),
  Progress,
  Collecting: z.strictObject({ collecting: z.array(Progress) }),
  ProgressList: z.array(Progress),
  Tweet,
  StyleProfile,
  Imported: z.strictObject({ user: User, report: ImportReport }),
  Prediction,
  Round,
  Health: z.strictObject({ ready: z.boolean(), database: z.enum(['ok', 'unreachable']), encoder: z.string() }),
  Alive: z.strictObject({ alive: z.literal(true) }),
  Error: z.strictObject({ error: z.string().describe('What went wrong, in words for people.') })
}

export type AnswerName = keyof typeof answers
