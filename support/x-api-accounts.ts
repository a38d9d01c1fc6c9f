// The invented accounts of the X API's stand-in, and their posts.

import { FAILURES } from './x-api-failures.js'

export interface User { id: string; username: string; name: string; protected: boolean; profile_image_url: string }
export interface Post { id: string; text: string; created_at: string; note_tweet?: { text: string } }
export interface Account { user: User; posts: Post[] }

/** What of the stand-in the accounts are made with. */
export interface Accounts {
  addUser(username: string, fields?: Partial<Omit<User, 'id' | 'username'>>): User
  addPosts(username: string, texts: string[]): void
  find(username: string): Account
}

/** Adds all invented accounts. */
export function fill({ addUser, addPosts, find }: Accounts): void {
  for (const [username, name, write, count] of STYLES) {
    addUser(username, { name })
    addPosts(username, Array.from({ length: count }, (_, i) => withOthers(write, i)))
  }
  for (const username of [...Object.keys(FAILURES), 'nobody', 'empty', 'emptypage', 'partial']) {
    addUser(username, { protected: username === 'protected' })
    if (username !== 'empty') addPosts(username, Array.from({ length: 70 }, (_, i) => formal(i)))
  }
  addUser('oddpicture', { profile_image_url: 'https://pbs.twimg.com.example.org/a.png' })
  addUser('onlyreplies')
  addPosts('onlyreplies', Array.from({ length: 40 }, (_, i) => `${i % 2 ? '@' : 'RT @'}Fell_Example ${formal(i)}`))
  fillLongPosts({ addUser, addPosts, find })
}

function fillLongPosts({ addUser, addPosts, find }: Accounts): void {
  addUser('longposts')
  addPosts('longposts', Array.from({ length: 60 }, (_, i) => `Tea &amp; toast &lt;3 ${formal(i)}`))
  for (const post of find('longposts').posts) {
    post.note_tweet = { text: `${post.text} ${'And so it went on &amp; on. '.repeat(12)}The end.` }
    post.text = `${post.text.slice(0, 100)}…`
  }
}

/** Every tenth post is a reply or a retweet: these must not be collected. */
function withOthers(write: (i: number) => string, i: number): string {
  if (i % 20 === 9) return `@Query_Example ${write(i)}`
  return i % 20 === 19 ? `RT @Query_Example: ${write(i)}` : write(i)
}

/** The i-th word of a list, cyclically. The lists of a style have lengths without a common divisor, so that no two posts are equal. */
function pick(list: readonly string[], i: number): string {
  return list[i % list.length]
}

function quiet(i: number): string {
  const feeling = ['so sleepy', 'kinda happy', 'a bit lost', 'very soft', 'not ready', 'all cosy', 'mostly fine']
  const thing = ['the kettle', 'my plants', 'this rain', 'the moon', 'old socks', 'the cat', 'warm bread', 'my bike',
    'the bus home']
  const end = ['lol', 'tbh', 'ngl', 'idk', 'anyway']
  const emoji = ['🌱', '🌙✨', '☕️', '🐈', '🥐', '🧦', '🌧️', '🚲']
  return `${pick(feeling, i)} about ${pick(thing, i)} today ${pick(end, i)} ${pick(emoji, i)}`
}

function formal(i: number): string {
  const opening = ['I am pleased to report that', 'It must be noted that', 'After careful reflection,',
    'The committee has found that', 'With some regret, I observe that']
  const subject = ['the county archive', 'our reading society', 'the bridge survey', 'the winter lecture',
    'the botanical index', 'the printing office', 'the night ferry']
  const verb = ['has concluded its work', 'remains under review', 'exceeded all expectations', 'will resume in spring',
    'deserves wider attention', 'requires further funds', 'was received most warmly', 'proved rather instructive',
    'has been postponed']
  return `${pick(opening, i)} ${pick(subject, i)} ${pick(verb, i)}; further particulars will follow in due course.`
}

function loud(i: number): string {
  const cry = ['LETS GOOO', 'NO WAY', 'BIG NEWS', 'HUGE WIN', 'WAKE UP']
  const what = ['GAME NIGHT', 'THE FINALS', 'LEG DAY', 'PIZZA FRIDAY', 'ROAD TRIP', 'THE DERBY', 'NEW SNEAKERS']
  const when = ['TODAY', 'TONIGHT', 'AT NOON', 'THIS WEEK', 'RIGHT NOW', 'AGAIN', 'FOREVER', 'AT LAST', 'TOMORROW']
  const tag = ['#WINNING', '#NoDaysOff', '#LoudAndProud', '#GameOn']
  return `${pick(cry, i)}!!! ${pick(what, i)} ${pick(when, i)}!! ${pick(tag, i)} #LETSGO`
}

function asking(i: number): string {
  const who = ['has anyone', 'did somebody', 'would you', 'could we', 'why does nobody']
  const what = ['ever count', 'really understand', 'want to trade', 'still remember', 'secretly like', 'name',
    'draw a map of']
  const which = ['the stairs at work', 'their first password', 'a cloud', 'the letter q', 'every lamp post',
    'left-handed scissors', 'a Tuesday', 'the smell of chalk', 'borrowed umbrellas']
  const end = ['Or is it just me?', 'How would one even tell?', 'What then?', 'Asking for a friend?']
  return `Wait, ${pick(who, i)} ${pick(what, i)} ${pick(which, i)}? ${pick(end, i)}`
}

const STYLES: [username: string, name: string, write: (i: number) => string, posts: number][] = [
  ['Tansy_Example', 'tansy 🌱', quiet, 300],
  ['Fell_Example', 'Ambrose Fell', formal, 120],
  ['Bangs_Example', 'BANGS', loud, 120],
  ['Query_Example', 'Quentin Query', asking, 120]
]
