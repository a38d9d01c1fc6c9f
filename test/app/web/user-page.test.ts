import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StyleProfile } from '../../../src/text/style-profile.js'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'

describe.each(databases)("a user's page on the $name", ({ open }) => {
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>

  beforeAll(async () => {
    database = await open()
    services = await openTestServices(database)
    app = await serve(services)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
    await database.close()
  })

  const page = async (path: string) => (await fetch(app.url + path, { headers: { accept: 'text/html' } })).text()
  const json = async (path: string) => (await fetch(app.url + path, { headers: { accept: 'application/json' } })).json()
  const habitsOf = async (path: string): Promise<StyleProfile> => ((await json(path)) as { habits: StyleProfile }).habits
  const tables = (html: string) => [...html.matchAll(/<table class="numbers[^]*?<\/table>/g)].map(([table]) => table)

  async function save(username: string, texts: string[]): Promise<void> {
    const user = { id: username, username, name: username, pictureUrl: null, source: 'archive' as const }
    const tweets = texts.map((text, i) => ({
      id: `${username} ${i}`, text, createdAt: null, position: BigInt(i), embedding: Float32Array.of(1)
    }))
    await services.tweetStore.saveTweets(user, null, tweets, 'none')
  }

  test('compares the only user with nobody, and has no chart of hours for tweets without dates', async () => {
    await save('lone_demo', ['one <b>', 'two', 'three'])
    const html = await page('/users/lone_demo')
    expect(html).toContain('Nobody else is here yet to compare @lone_demo with.')
    expect(html).not.toMatch(/When they post|What sets them apart|others’ mean/)
    expect(tables(html)).toHaveLength(1)
    const habits = await habitsOf('/users/lone_demo')
    expect(habits).toMatchObject({ tweets: 3, others: { users: 0, tweets: 0 }, times: { dated: 0 } })
    await services.userStore.reset()
  })

  test('cuts long texts, which the files have whole', async () => {
    const texts = ['a'.repeat(1000), '語'.repeat(24_900), 'short']
    await save('long_demo', texts)
    const { tweets } = (await json('/users/long_demo')) as { tweets: { text: string }[] }
    expect(tweets.map(({ text }) => text)).toEqual(['short', `${'語'.repeat(999)}…`, 'a'.repeat(1000)])
    expect((await page('/users/long_demo')).length).toBeLessThan(30_000)
    expect(await page('/users/long_demo/tweets.jsonl')).toContain('語'.repeat(24_900))
    await services.userStore.reset()
  })

  describe('among the sample users', () => {
    let html: string
    let habits: StyleProfile

    beforeAll(async () => {
      await addSamples(services)
      html = await page('/users/milo_demo')
      habits = await habitsOf('/users/milo_demo')
    })

    test('shows typical words and pieces with the numbers of the JSON', () => {
      expect(habits.others.users).toBe(3)
      expect(habits.words.map(({ text }) => text)).toContain('im')
      const [words, ngrams] = tables(html)
      for (const [table, pieces] of [[words, habits.words], [ngrams, habits.ngrams]] as const) {
        const rows = [...table.matchAll(/<th scope="row"><bdi[^>]*>([^<]*)<\/bdi>[^]*?<\/svg>([\d.]+)<\/td>/g)]
        const shown = rows.map(([, text, weight]) => [text.replaceAll('&#39;', "'"), weight])
        expect(shown).toEqual(pieces.map(({ text, weight }) => [text, weight.toFixed(1)]))
        expect(shown.length).toBeGreaterThan(3)
      }
    })

    test('draws hours and weekdays as labelled pictures, with the same numbers in tables', () => {
      const picture = /<svg [^>]*role="img" aria-labelledby="([^"]*)">\s*<title id="([^"]*)">([^<]*)</g
      const pictures = [...html.matchAll(picture)]
      expect(pictures.map(([, label, id]) => label === id)).toEqual([true, true])
      expect(pictures.map(([, , , title]) => title.replace(/: .*/, ''))).toEqual([
        `Hours of the day of ${habits.times.dated} tweets, UTC`, `Days of the week of ${habits.times.dated} tweets, UTC`
      ])
      const cells = (table: string) => [...table.matchAll(/<td>(\d+)<\/td>/g)].map(([, n]) => Number(n))
      const numbers = tables(html).slice(2, 4).map(cells)
      expect(numbers).toEqual([habits.times.hours, habits.times.weekdays])
    })

    test('lists every habit of the JSON', () => {
      const rows = [...tables(html)[4].matchAll(/<th scope="row">([^<]*)<\/th>/g)].map(([, name]) => name)
      expect(html).toContain('<h3>Habits</h3>')
      expect(rows).toEqual(habits.measures.map(({ name }) => name))
      expect(habits.measures.every(({ theirs, others }) => theirs !== null && others !== null)).toBe(true)
    })

    test('has no inline style or script, and hides pictures from screen readers whose numbers stand beside them', () => {
      expect(html).not.toMatch(/ style=|<style|<script(?! src=)/)
      const svgs = [...html.matchAll(/<svg [^>]*>/g)].map(([svg]) => svg)
      expect(svgs.filter((svg) => !/role="img" aria-labelledby|aria-hidden="true"/.test(svg))).toEqual([])
    })

    test('shows the habits on the first page of tweets only', async () => {
      expect(await page('/users/milo_demo?page=2')).not.toContain('How they write')
      expect(await json('/users/milo_demo?page=2')).not.toHaveProperty('habits')
    })

    test('escapes markup in typical pieces', async () => {
      await save('mark_demo', Array.from({ length: 20 }, (_, i) => `<img src=x> ${i} </td>`))
      const marked = await page('/users/mark_demo')
      expect(marked).toMatch(/<bdi class="chip">[^<]*&lt;/)
      expect(marked).not.toContain('<img src=x')
    })
  })

  test('compares with the newest texts of the users who were collected last', async () => {
    await services.userStore.reset()
    for (const username of ['a_demo', 'b_demo', 'c_demo', 'd_demo']) await save(username, ['old', 'newer', 'newest'])
    await save('empty_demo', [])
    expect(await services.tweetStore.listOthersTexts('d_demo', 3, 2)).toEqual([['newest', 'newer'], ['newest', 'newer']])
    expect(await services.tweetStore.listOthersTexts('nobody', 9, 9)).toHaveLength(4)
  })
})
