import type { NewTweet } from '../../src/storage/tweets.js'
import type { UserProfile } from '../../src/storage/users.js'

/** A user as collecting and imports hand them to the stores. */
export function profile(username: string, fields: Partial<UserProfile> = {}): UserProfile {
  return { id: `id of ${username}`, username, name: username, pictureUrl: null, source: 'x', ...fields }
}

/** Tweets 1 … n of a user, the last one the newest. */
export function tweetsOf(username: string, n: number, fields: Partial<NewTweet> = {}): NewTweet[] {
  return Array.from({ length: n }, (_, i) => ({
    id: `${username} ${i + 1}`,
    text: `${username} says ${i + 1}`,
    createdAt: new Date(Date.UTC(2024, 0, 1, 0, i)),
    position: BigInt(i + 1),
    embedding: Float32Array.of(i, 1),
    ...fields
  }))
}
