// Sorts one author's posts into those to keep and those to leave out, and counts both.

import { duplicateKey } from '../../text/normalize.js'
import { createNewest, createSeen } from './newest.js'
import { isToSelf, learnSelf, type Self } from './own-threads.js'
import { MAX_POST_LENGTH, type Post } from './fields/post.js'
import { createExamples, MAX_IMPORTED, noneDropped, type ImportReport, type LeftOut } from './report.js'

export interface CollectorOptions {
  /** Whether replies to others are kept. */
  replies: boolean
  self: Self
}

export type Collector = ReturnType<typeof createCollector>

export function createCollector({ replies, self }: CollectorOptions) {
  const dropped = noneDropped()
  const examples = createExamples()
  const newest = createNewest(MAX_IMPORTED)
  const isRepeated = createSeen()
  const learnt = learnSelf(self)
  const dates: ImportReport['dates'] = { read: 0, none: 0, odd: 0, example: null, order: null }
  let completed = 0

  /** Keeps a post, or says why it is left out. */
  function keep(post: Post): LeftOut | null {
    if (post.text.length > MAX_POST_LENGTH) return 'tooLong'
    if (post.isRepost) return 'retweets'
    if (post.replyTo && !replies && !isToSelf(post.replyTo, post, self)) return 'replies'
    const key = duplicateKey(post.text)
    if (key === '') return 'empty'
    if (isRepeated(key)) return 'duplicates'
    newest.add(post)
    return null
  }

  function countDate({ date, oddDate }: Post): void {
    if (date) dates.read++
    else if (oddDate === null) dates.none++
    else {
      dates.odd++
      dates.example ??= oddDate
    }
  }

  return {
    add(post: Post, line: number): void {
      if (!replies && !post.isRepost) learnt.add(post) // who oneself is decides over replies only
      const reason = keep(post)
      if (reason) {
        dropped[reason]++
        return examples.add(reason, line, post.text)
      }
      countDate(post)
      if (post.isCompleted) completed++
    },
    /** Who the author is, where the posts have told it and it was not known. */
    foundSelf: learnt.found,
    take() {
      const { tweets, beyond, repeated, versions } = newest.take()
      dropped.duplicates += repeated
      dropped.versions += versions
      return { tweets, beyond, dropped, examples: examples.all(), dates, completed }
    }
  }
}
