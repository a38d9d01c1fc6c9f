// Invented authors and tweets, the same in every run: each author prefers some words, punctuation and capitals, and some
// post links, hashtags and emoji.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { PATHS } from '../src/core/paths.js'
import { randomNumbers } from './datasets.js'

const Samples = z.array(z.object({ tweets: z.array(z.object({ text: z.string() })) }))

const MAX_LENGTH = 280
const TASTE = 0.8 // how far an author's ranking of words is from the common one, in units of the logarithm of the rank
const EMOJI = ['🌱', '🌙', '☕', '🐈', '🥐', '🧦', '🌧', '🚲', '🔥', '😂', '🎉', '🙏', '✨', '📚', '🏔', '🎧']

/** The words of the sample tweets, the most common first. */
const words = readWords()

/** Distinct tweets of an invented author, newest first; authors of different numbers write differently. */
export function tweetsOf(author: number, count: number): string[] {
  const random = randomNumbers(1_000_003 * (author + 1))
  const write = writer(random)
  const tweets = new Set<string>()
  while (tweets.size < count) tweets.add(write())
  return [...tweets]
}

/** n normally distributed numbers (Box and Muller 1958). */
export function normals(n: number, random: () => number): Float64Array {
  return Float64Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
}

/** 4 × `count` tweets of four authors, with their class numbers. */
export function foursome(count: number): { texts: string[]; labels: Int32Array } {
  const authors = [0, 1, 2, 3].map((author) => tweetsOf(author, count))
  return { texts: authors.flat(), labels: Int32Array.from(authors.flat(), (_, i) => Math.floor(i / count)) }
}

function readWords(): string[] {
  const samples = Samples.parse(JSON.parse(readFileSync(PATHS.samples, 'utf8')))
  const counts = new Map<string, number>()
  const found = samples.flatMap(({ tweets }) => tweets.flatMap(({ text }) => text.toLowerCase().match(/[a-z]+(?:'[a-z]+)?/g) ?? []))
  for (const word of found) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts.keys()].sort((one, other) => counts.get(other)! - counts.get(one)!)
}

/** A function that writes tweets of one author, whose habits are drawn first. */
function writer(random: () => number): () => string {
  const chance = (p: number): boolean => random() < p
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]
  const word = wordChooser(random)
  const habits = {
    length: 8 + random() * 14,
    capitals: oneOf([0.02, 0.5, 0.95]), // share of sentences that begin with one
    shouts: oneOf([0, 0.01, 0.06]),
    commas: random() * 0.15,
    ends: [oneOf(['.', '.', '!', '', '…']), oneOf(['.', '?', '!!', '', ' lol'])],
    links: oneOf([0, 0.1, 0.4]),
    tags: oneOf([0, 0.1, 0.3]),
    emoji: oneOf([0, 0.05, 0.5]),
    pictures: [oneOf(EMOJI), oneOf(EMOJI), oneOf(EMOJI)],
    breaks: oneOf([0, 0.05, 0.2])
  }
  const sentence = (size: number): string => {
    const said = Array.from({ length: size }, (_, i) => {
      const plain = word()
      const comma = i < size - 1 && chance(habits.commas) ? ',' : ''
      return (chance(habits.shouts) ? plain.toUpperCase() : plain) + comma
    }).join(' ')
    const start = chance(habits.capitals) ? said[0].toUpperCase() + said.slice(1) : said
    return start + oneOf(habits.ends)
  }
  const link = (): string => `https://t.co/${Array.from({ length: 10 }, () => oneOf([...'abcdefghkmnpqrstuvwxyzABCDEFG23456789'])).join('')}`
  return () => {
    const parts = [sentence(3 + Math.floor(random() * habits.length))]
    if (chance(0.4)) parts.push(sentence(3 + Math.floor((random() * habits.length) / 2)))
    if (chance(habits.tags)) parts.push(`#${word()}`)
    if (chance(habits.emoji)) parts.push(oneOf(habits.pictures))
    if (chance(habits.links)) parts.push(link())
    return parts.join(chance(habits.breaks) ? '\n' : ' ').slice(0, MAX_LENGTH).trim()
  }
}

/** Draws words with a power law over the author's own ranking. */
function wordChooser(random: () => number): () => string {
  const taste = normals(words.length, random)
  const ranks = words.map((_, i) => Math.log(i + 1) + TASTE * taste[i])
  const order = words.map((_, i) => i).sort((a, b) => ranks[a] - ranks[b])
  const power = 0.9 + 0.25 * random()
  const sums = new Float64Array(words.length)
  let total = 0
  for (let rank = 0; rank < sums.length; rank++) sums[rank] = total += (rank + 3) ** -power
  return () => {
    const wanted = random() * total
    let low = 0
    let high = sums.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle] < wanted) low = middle + 1
      else high = middle
    }
    return words[order[low]]
  }
}
