// What visitors ask the measured server for: predictions about sets of four users, and users to be collected.

import { setTimeout as pause } from 'node:timers/promises'
import { randomNumbers, shuffled } from '../support/datasets.js'
import type { Served } from './served.js'
import type { World } from './world.js'

const WORDS = 'the tea rain is on my way to work again today and nobody told me about it yet so here we are'.split(' ')

export const random = randomNumbers(21)

export const oneOf = <T>(list: T[]): T => list[Math.floor(random() * list.length)]

export const anyFour = (users: string[]): string[] => shuffled(users, random).slice(0, 4)

/** The users in sets of four, each user in one of them. */
export const foursomes = (users: string[]): string[][] => Array.from({ length: Math.floor(users.length / 4) }, (_, i) => users.slice(i * 4, i * 4 + 4))

/** A new text of some words. */
export const anyText = (words = 8 + Math.floor(random() * 12)): string => Array.from({ length: words }, () => oneOf(WORDS)).join(' ')

/** The address of a prediction for these users and a text. */
export function predictionPath(users: string[], text = anyText()): string {
  return `/predictions?${new URLSearchParams([...users.map((name): [string, string] => ['users', name]), ['text', text]])}`
}

/** How many requests a second are answered, asked by some clients who each ask again as soon as they have an answer. */
export async function perSecond(server: Served, path: () => string, ms: number, clients = 16): Promise<number> {
  const start = performance.now()
  let answered = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < start + ms) {
        await server.ask(path(), client)
        answered++
      }
    })
  )
  return (1000 * answered) / (performance.now() - start)
}

/** Has the server collect a new user with so many posts, through the form, and waits until all are stored; ms. */
export async function collect(server: Served, { addToX }: World, name: string, posts: number): Promise<number> {
  addToX(name, posts)
  const start = performance.now()
  const answer = await fetch(`${server.url}/users`, { method: 'POST', body: new URLSearchParams({ username: name }), redirect: 'manual' })
  if (answer.status >= 400) throw new Error(`Adding @${name} answered ${answer.status}`)
  const isStored = async (): Promise<boolean> => (await (await fetch(`${server.url}/health`)).text(), (await storedTweets(server, name)) >= posts)
  while (!(await isStored())) await pause(200)
  return performance.now() - start
}

async function storedTweets(server: Served, name: string): Promise<number> {
  const answer = await fetch(`${server.url}/users/${name}/tweets.jsonl`)
  return answer.ok ? (await answer.text()).split('\n').length - 1 : 0
}
