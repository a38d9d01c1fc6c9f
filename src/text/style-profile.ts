// How somebody writes compared with others: typical words and n-grams, when they post, and habits in numbers.

import { createTweetTokenizer, type TokenizedTweet } from './tokens.js'
import { typicalPieces, type TypicalPiece } from './keyness.js'

export const MAX_PROFILED_USERS = 20
export const MAX_PROFILED_TWEETS = 400 // of each user, the newest
const MAX_OTHERS = 2000 // tweets of all others together, an equal share of each: some 50 ms of work

/** A habit in numbers: theirs, and the mean over the other users; null where there is nothing to count. */
export interface Measure {
  name: string
  unit: 'number' | 'share'
  theirs: number | null
  others: number | null
}

/** How many of the `dated` tweets (those with a date) were posted in each hour (24, from midnight) and on each weekday (7, from Monday), UTC. */
export interface Times {
  dated: number
  hours: number[]
  weekdays: number[]
}

export interface StyleProfile {
  tweets: number
  others: { users: number; tweets: number }
  words: TypicalPiece[]
  ngrams: TypicalPiece[]
  times: Times
  measures: Measure[]
}

/** How many tweets of each of so many others are read. */
export const tweetsOfEachOther = (users: number): number => Math.min(MAX_PROFILED_TWEETS, Math.ceil(MAX_OTHERS / users))

/**
 * Compares somebody's tweets with the texts of others.
 * @param own their tweets, newest first
 * @param others a list of texts for each other user, newest first
 */
export function describeStyle(own: { text: string; createdAt: Date | null }[], others: string[][]): StyleProfile {
  const reader = createTweetTokenizer()
  const mine = own.slice(0, MAX_PROFILED_TWEETS)
  const read = mine.map(({ text }) => reader.read(text))
  const there = others.filter(({ length }) => length > 0).slice(0, MAX_PROFILED_USERS)
  const users = there.map((texts) => texts.slice(0, tweetsOfEachOther(there.length)).map(reader.read))
  const rest = users.flat()
  return {
    tweets: read.length,
    others: { users: users.length, tweets: rest.length },
    ...typicalPieces(read, rest, reader),
    times: timesOf(mine.flatMap(({ createdAt }) => createdAt ?? [])),
    measures: compare(measure(read), users.map(measure))
  }
}

function timesOf(dates: Date[]): Times {
  const hours = new Array<number>(24).fill(0)
  const weekdays = new Array<number>(7).fill(0)
  for (const date of dates) {
    hours[date.getUTCHours()]++
    weekdays[(date.getUTCDay() + 6) % 7]++
  }
  return { dated: dates.length, hours, weekdays }
}

const NAMES: [name: string, unit: Measure['unit']][] = [
  ['Characters in a tweet (median)', 'number'],
  ['Emoji per tweet', 'number'],
  ['Exclamation marks per tweet', 'number'],
  ['Question marks per tweet', 'number'],
  ['Links per tweet', 'number'],
  ['Hashtags per tweet', 'number'],
  ['Mentions per tweet', 'number'],
  ['Line breaks per tweet', 'number'],
  ['Capitals among the letters', 'share'],
  ['Tweets that end without punctuation', 'share']
]

/** A number for each of NAMES; NaN where there is nothing to count. */
function measure(tweets: TokenizedTweet[]): number[] {
  const total = (numberIn: (tweet: TokenizedTweet) => number) => tweets.reduce((sum, tweet) => sum + numberIn(tweet), 0)
  const starting = (sign: string) => total(({ words }) => words.filter((word) => word[0] === sign).length)
  const counts = COUNTED.map((mark) => total(({ marks }) => marks[mark]))
  const [emoji, exclamations, questions, links, breaks, capitals, small] = counts
  const perTweet = [emoji, exclamations, questions, links, starting('#'), starting('@'), breaks]
    .map((n) => n / tweets.length)
  const open = total(({ punctuated }) => (punctuated ? 0 : 1))
  return [median(tweets.map(({ length }) => length)), ...perTweet, capitals / (capitals + small), open / tweets.length]
}

const COUNTED = ['emoji', 'exclamations', 'questions', 'links', 'breaks', 'capitals', 'small'] as const

function compare(theirs: number[], others: number[][]): Measure[] {
  return NAMES.map(([name, unit], i) => {
    const known = others.map((values) => values[i]).filter((value) => !Number.isNaN(value))
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length
    return { name, unit, theirs: Number.isNaN(theirs[i]) ? null : theirs[i], others: known.length > 0 ? mean : null }
  })
}

/** NaN for no values. */
function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
