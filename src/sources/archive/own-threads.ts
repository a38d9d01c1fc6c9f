// A reply to oneself is one's own post: the next part of a thread. Files say whom a reply is to, but not always who its author is;
// who has written the post that is answered, and the post is in the file too, is the author.

import { authorKey } from './authors.js'
import { hashText } from '../../core/hashing.js'
import { PairTable } from '../../core/pair-table.js'
import type { Post, ReplyTo } from './fields/post.js'

const MAX_AWAITED = 50_000 // answered posts that have not come yet
const SECOND_MULTIPLIER = 0x85ebca6b

/** The author's ids and names in lower case, and which posts are theirs. */
export interface Self {
  names: Set<string>
  posts: PairTable
}

export const nobody = (names: string[] = []): Self => ({ names: new Set(names.map(authorKey)), posts: new PairTable() })

const has = ({ posts }: Self, id: string): boolean => posts.get(hashText(id, 0), hashText(id, 1, SECOND_MULTIPLIER)) >= 0

/** Whether the answered post or person is the author's own. */
export function isToSelf({ post, person }: ReplyTo, author: Pick<Post, 'author' | 'authorId'>, self: Self): boolean {
  const own = [author.author, author.authorId].flatMap((name) => (name === null ? [] : authorKey(name)))
  const isOwn = (name: string): boolean => self.names.has(authorKey(name)) || own.includes(authorKey(name)) || own.some((id) => id.startsWith('did:') && name.includes(id))
  return person.some(isOwn) || (post !== null && (has(self, post) || own.some((id) => id.startsWith('did:') && post.includes(id))))
}

/** Learns from one author's posts who the author is: to be asked at the end of the file. */
export function learnSelf(known: Self) {
  const awaited = new Map<string, string[]>() // persons, by the answered post
  const self: Self = { names: new Set(known.names), posts: new PairTable() }
  let isNew = false

  function meet(persons: string[]): void {
    for (const person of persons) self.names.add(authorKey(person))
    isNew = true
  }

  return {
    add({ id, replyTo }: Post): void {
      if (id !== null) {
        self.posts.getOrAdd(hashText(id, 0), hashText(id, 1, SECOND_MULTIPLIER), 0)
        const persons = awaited.get(id)
        if (persons) meet(persons)
      }
      if (!replyTo?.post || known.posts.size > 0) return
      if (has(self, replyTo.post)) meet(replyTo.person)
      else if (awaited.size < MAX_AWAITED) awaited.set(replyTo.post, replyTo.person)
    },
    /** What has been found that was not known; null for nothing. */
    found: (): Self | null => (isNew && known.posts.size === 0 ? self : null)
  }
}
