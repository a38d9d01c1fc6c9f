// One reading of a file: its records become posts, each goes to its author's collector, and what only the whole file tells is
// learnt on the way.

import { askWhose, authorKey, createAuthors, isNamed } from './authors.js'
import type { Encoding } from './bytes/decode.js'
import { attempt, type Fail, type Row } from './bytes/lines.js'
import type { Role } from './bytes/zip.js'
import { createCollector, type Collector } from './collector.js'
import { createDayOrder, type DayOrder } from './fields/dates.js'
import { createRecordReader, isObject, type ImportedTweet, type Post } from './fields/post.js'
import { completeLongPosts } from './long-posts.js'
import { nobody, type Self } from './own-threads.js'
import { createExamples, type ImportReport } from './report.js'
import { ExpectedError } from '../../core/errors.js'

export interface ArchiveOptions {
  /** Whose posts they are, as the visitor calls them: selects the posts of this name in a file of several authors. */
  username?: string
  /** Whether replies to others are kept. */
  replies: boolean
  /** The authors whose posts are wanted, each by itself, where the visitor was asked. */
  authors?: string[]
  /** The column or field of the texts, where the visitor was asked. */
  text?: string
}

/** One author's posts. `name` is null where the file names none. */
export interface ImportedPerson {
  name: string | null
  tweets: ImportedTweet[]
  report: ImportReport
}

/** What earlier readings of the same file have told. */
export interface Known {
  /** By the name of the file in its zip. */
  encodings: Map<string | null, Encoding>
  dayOrder: DayOrder
  /** Who each author is, by their keys. */
  self: Map<string, Self>
  /** Whether the posts without an author are the only author's. */
  isOneAuthor: boolean
}

interface OpenFile {
  name: string | null
  role: Role
  /** As the report calls it. */
  format: string
  fail: Fail
}

export type Reading = ReturnType<typeof createReading>

const MAX_PEOPLE = 4 // of one file: as many as can be compared
const MAX_RECORDS = 2_000_000
const MOST_ODD = 0.1 // of all records
const ENOUGH_ODD = 1_000 // records, after which a file that is odd throughout is given up
const NO_TEXT = 'has no text (text, tweet, full_text or content).'
// What streams and exports hold beside posts: these are no mistakes of the file.
const NO_POST = new Set(['delete', 'limit', 'scrub_geo', 'status_withheld', 'user_withheld', 'disconnect', 'warning', 'friends', 'control', 'meta', 'includes', 'errors'])

const isNoPost = (value: unknown): boolean =>
  isObject(value) && (Object.keys(value).every((name) => NO_POST.has(name)) || [value.type, value.$type, isObject(value.value) && value.value.$type].some((type) => typeof type === 'string'))

export function createReading(options: ArchiveOptions, known: Known) {
  const authors = createAuthors()
  const wanted = options.authors && [...new Set(options.authors.map(authorKey))]
  const collectors = new Map<string, Collector>()
  const added = new Map<string, number>() // posts, by their author's key
  const days = createDayOrder()
  const examples = createExamples()
  const accountNames: string[] = []
  const counts = { read: 0, odd: 0, noPost: 0, cut: 0, tooLong: 0 }
  let firstOdd: (() => never) | undefined
  let file: OpenFile
  const formats = new Set<string>()
  const encodings = new Set<string>()
  let readRecord: (value: unknown) => Post | null
  let people: ImportedPerson[] | undefined
  let completers: ReturnType<typeof completeLongPosts>[] = []

  function addOdd({ line, odd = NO_TEXT, isCut = false, value }: Row): void {
    const { fail } = file
    const isOther = odd === NO_TEXT && isNoPost(value)
    counts.odd++
    if (isOther) counts.noPost++
    else if (isCut) counts.cut++
    if (!isOther) firstOdd ??= () => fail(line, odd)
    examples.add('odd', line, isOther ? 'is no post.' : odd)
    if (counts.odd >= ENOUGH_ODD && isTooOdd() && counts.odd * 2 > counts.read) firstOdd?.()
  }

  const isTooOdd = (): boolean => counts.odd - counts.noPost - counts.cut > MOST_ODD * counts.read

  /** The author's collector; undefined for an author whose posts are not wanted. */
  function collectorOf(key: string): Collector | undefined {
    const found = collectors.get(key)
    if (found) return found
    const isWanted = wanted ? wanted.length <= MAX_PEOPLE && wanted.includes(key) : collectors.size === 0 || (options.username !== undefined && isNamed(key, options.username))
    if (!isWanted) return undefined
    const names = [...accountNames, ...(options.username && !wanted ? [options.username] : [])]
    const made = createCollector({ replies: options.replies, self: known.self.get(key) ?? nobody(names) })
    collectors.set(key, made)
    return made
  }

  function addPost(post: Post, line: number): void {
    const own = authors.add(post)
    const key = known.isOneAuthor ? '' : own
    if (post.date) days.add(post.date)
    if (key === null) return
    added.set(key, (added.get(key) ?? 0) + 1)
    collectorOf(key)?.add(post, line)
  }

  /** Whose posts are the result. */
  function chosen(): string[] {
    if (wanted && wanted.length > MAX_PEOPLE) askWhose(authors.list(), 'Four people at a time, no more.')
    const found = wanted?.filter((key) => collectors.has(key)) ?? []
    if (found.length > 0) return found
    const keys = [...added.keys()]
    if (keys.length === 0) return ['']
    if (keys.length === 1 && !wanted) return keys
    const named = keys.find((key) => key !== '' && options.username !== undefined && isNamed(key, options.username))
    return named === undefined ? askWhose(authors.list(), 'Several people have written the posts in this file.') : [named]
  }

  function reportOf(key: string, { beyond, dropped, dates, completed, ...taken }: ReturnType<Collector['take']>): ImportReport {
    dropped.odd = counts.odd
    dropped.tooLong += counts.tooLong
    dropped.others = counts.read - counts.odd - counts.tooLong - (added.get(key) ?? 0)
    return {
      read: counts.read, kept: taken.tweets.length, beyond, dropped, examples: { ...taken.examples, ...examples.all() }, completed, authors: authors.list(),
      format: [...formats].join(' and '), encoding: [...encodings].join(' and '), dates: { ...dates, order: days.order() }
    }
  }

  function take(): ImportedPerson[] {
    if (counts.read === 0) throw new ExpectedError('unusable', 'This file holds no tweets.')
    if (counts.odd === counts.read || isTooOdd()) firstOdd?.()
    const names = new Map(authors.list().map(({ name }) => [authorKey(name), name]))
    return chosen().map((key) => {
      const taken = (collectors.get(key) ?? createCollector({ replies: options.replies, self: nobody() })).take()
      return { name: names.get(key) ?? (names.size === 1 ? [...names.values()][0] : null), tweets: taken.tweets, report: reportOf(key, taken) }
    })
  }

  return {
    /** The following records come from this file. */
    begin(next: OpenFile): void {
      file = next
      formats.add(next.format)
      readRecord = createRecordReader({ dayOrder: known.dayOrder })
      if (next.role === 'long posts' && counts.read > 0) {
        people ??= take()
        completers = people.map(({ tweets }) => completeLongPosts(tweets))
      } else if (next.role === 'long posts') file = { ...next, role: 'posts' }
    },
    addEncoding: (encoding: Encoding): void => void encodings.add(encoding),
    /** The texts of the following records stand in this field. */
    readTextsFrom(textName: string | undefined): void {
      if (textName !== undefined) readRecord = createRecordReader({ dayOrder: known.dayOrder, textName })
    },
    isPost: (value: unknown): boolean => readRecord(value) !== null,
    /** X's own statement of who the archive is of. */
    addAccount(script: string): void {
      const parsed = attempt(() => JSON.parse(script.slice(script.indexOf('['))) as { account?: { username?: unknown; accountId?: unknown } }[])
      const { username, accountId } = (Array.isArray(parsed) && parsed[0]?.account) || {}
      accountNames.push(...[username, accountId].filter((name) => typeof name === 'string'))
    },
    add(row: Row): void {
      const post = row.odd === undefined && row.value !== undefined ? readRecord(row.value) : null
      if (file.role === 'long posts') return void (post && completers.forEach((completer) => completer.add(post)))
      if (++counts.read > MAX_RECORDS) throw new ExpectedError('unusable', 'This file holds more than 2,000,000 tweets.')
      const isDamaged = post !== null && known.encodings.get(file.name) === 'damaged UTF-8' && post.text.includes('\ufffd')
      if (row.value === undefined) counts.tooLong++
      else if (post === null || isDamaged) addOdd(isDamaged ? { ...row, odd: 'holds bytes that are not UTF-8.' } : row)
      else addPost(post, row.line)
    },
    /** Takes over what this reading has told of the file. @returns whether it was read wrongly without that */
    learn(): boolean {
      const order = days.order()
      const isOtherOrder = order !== null && order !== known.dayOrder
      if (order) known.dayOrder = order
      const isOneAuthor = authors.keys().length === 1 && added.has('') && !known.isOneAuthor
      if (isOneAuthor) known.isOneAuthor = true
      let isNewSelf = false
      for (const [key, collector] of collectors) {
        const self = collector.foundSelf()
        if (self) known.self.set(isOneAuthor ? '' : key, self)
        isNewSelf ||= self !== null
      }
      return isOtherOrder || isOneAuthor || isNewSelf
    },
    /** @throws ExpectedError where there is nothing to read, or too much of it is odd; FileQuestion where there are several authors */
    people(): ImportedPerson[] {
      people ??= take()
      completers.forEach((completer, i) => (people![i].report.completed += completer.completed()))
      return people
    }
  }
}
