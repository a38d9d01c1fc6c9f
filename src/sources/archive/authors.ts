// Who has written a file's posts. Posts of several people must not be mixed.

import { FileQuestion } from './question.js'
import type { Post } from './fields/post.js'
import type { ImportReport } from './report.js'

const MAX_AUTHORS = 10_000 // that are told apart; of more, the posts are counted only
const MAX_CHOICES = 50

/** How names compare: without @, in any case. */
export const authorKey = (name: string): string => name.replace(/^@/, '').toLowerCase()

/** Whether a name in a file is this username: also where the file has the server with it. */
export const isNamed = (key: string, username: string): boolean => key === authorKey(username) || key.split('@')[0] === authorKey(username)

/** Counts the posts of each author. */
export function createAuthors() {
  const counts = new Map<string, { name: string; posts: number }>()
  return {
    /** @returns the author's key; '' for a post without one, and null for one of too many */
    add({ author, authorId }: Post): string | null {
      const name = author ?? authorId
      if (name === null) return ''
      const key = authorKey(name)
      const known = counts.get(key)
      if (known) known.posts++
      else if (counts.size < MAX_AUTHORS) counts.set(key, { name: Buffer.from(name).toString(), posts: 1 })
      else return null
      return key
    },
    list: (): ImportReport['authors'] => [...counts.values()].sort((a, b) => b.posts - a.posts),
    keys: (): string[] => [...counts.keys()]
  }
}

/** @throws FileQuestion with the authors, those with most posts first */
export function askWhose(authors: ImportReport['authors'], why: string): never {
  throw new FileQuestion(`${why} Whose are to be imported?`, 'authors', authors.slice(0, MAX_CHOICES))
}
