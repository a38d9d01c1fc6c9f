// X's archive has posts of more than 280 characters cut in tweets.js, and whole in note-tweet.js, under other ids: they belong
// together where they were posted in the same second and begin alike.

import type { ImportedTweet, Post } from './fields/post.js'

const CUT = /\s*(?:…|\.\.\.)\s*(?:https:\/\/t\.co\/\w+)?$/
const LEAST = 100 // characters that a cut post has at least

const second = (date: Date | null): number => Math.floor((date?.getTime() ?? -1) / 1000)
const beginning = (text: string): string => text.replace(/\s+/g, ' ').slice(0, LEAST)

/** Completes the posts that stand cut in `tweets`. */
export function completeLongPosts(tweets: ImportedTweet[]) {
  const cut = new Map<number, ImportedTweet[]>()
  for (const tweet of tweets) {
    if (tweet.text.length >= LEAST && CUT.test(tweet.text)) cut.set(second(tweet.createdAt), [...(cut.get(second(tweet.createdAt)) ?? []), tweet])
  }
  let completed = 0
  return {
    add({ text, createdAt }: Post): void {
      const at = second(createdAt)
      const tweet = [at, at - 1, at + 1].flatMap((time) => cut.get(time) ?? []).find((tweet) => beginning(tweet.text) === beginning(text))
      if (!tweet || text.length <= tweet.text.replace(CUT, '').length) return
      tweet.text = text
      completed++
    },
    completed: (): number => completed
  }
}
