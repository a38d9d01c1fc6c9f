import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../support/databases.js'
import { end, startProcess } from '../support/processes.js'

const USERS = ['ruth_demo', 'milo_demo']

describe.each(databases)('two processes of the app on one $name', ({ open }) => {
  let database: TestDatabase
  let children: ChildProcess[]
  let urls: string[]

  beforeAll(async () => {
    database = await open()
    children = []
    urls = []
    for (let i = 0; i < 2; i++) {
      const { child, said } = await startProcess('server', { DATABASE_URL: database.url }, /http:\/\/localhost:(\d+)/)
      children.push(child)
      urls.push(`http://127.0.0.1:${said[1]}`)
    }
  })
  afterAll(async () => {
    await Promise.all(children.map((child) => end(child, 'SIGTERM')))
    await database.close()
  })

  /** How many tweets a process's model was fitted on. */
  async function learntFrom(url: string, users: string[]): Promise<number> {
    const query = new URLSearchParams([...users.map((name): [string, string] => ['users', name]), ['text', 'the kettle is on again']])
    const answer = await fetch(`${url}/predictions?${query}`, { headers: { accept: 'application/json' } })
    expect(answer.status).toBe(200)
    return ((await answer.json()) as { reliability: { tweets: number } }).reliability.tweets
  }

  async function importTweets(url: string, username: string, count: number, word: string): Promise<void> {
    const lines = Array.from({ length: count }, (_, i) => `${word} the ferry ${i} is late, says nobody at pier ${i % 7}`)
    const form = new FormData()
    form.set('username', username)
    form.set('file', new File([lines.join('\n')], 'tweets.txt'))
    expect((await fetch(`${url}/users/import`, { method: 'POST', body: form, redirect: 'manual' })).status).toBe(200)
  }

  test('answer from the tweets that are stored now, whichever process changed them', async () => {
    const [one, other] = urls
    const before = await learntFrom(one, USERS)
    expect(await learntFrom(other, USERS)).toBe(before)
    await importTweets(other, 'ferry_demo', 25, 'Well,')
    const three = [...USERS, 'ferry_demo']
    expect(await learntFrom(one, three)).toBe(before + 25)
    for (const [i, count] of [30, 25, 41].entries()) {
      await importTweets(urls[i % 2], 'ferry_demo', count, `Again ${i},`)
      for (const url of urls) expect(await learntFrom(url, three)).toBe(before + count)
    }
  })
})
