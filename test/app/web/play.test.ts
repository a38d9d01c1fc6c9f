import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'
import { percent } from '../../../src/text/format.js'
import { sharedThreads } from '../../support/threads.js'

const EVERYBODY = ['ivo_demo', 'milo_demo', 'ruth_demo', 'tara_demo']
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const JSON_TYPE = 'application/json'
const ROUNDS = 50

interface RoundJson {
  round: number
  text: string
  candidates: string[]
  guess?: string
  author?: string
  app?: { author: string; probability: number }
  score: { visitor: number; app: number; rounds: number }
}

const threads = sharedThreads()

const usersIn = (names: string[]): string => names.map((name) => `users=${name}`).join('&')
const address = (seed: string, round: number, guesses = '', names = EVERYBODY): string =>
  `/play?${usersIn(names)}&seed=${seed}&round=${round}&guesses=${guesses}`

function decode(html: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', '#34': '"', '#39': "'", amp: '&' }
  return html.replace(/&(lt|gt|#34|#39|amp);/g, (_, name: string) => entities[name])
}

const linksIn = (body: string, name: string): string[] =>
  [...body.matchAll(new RegExp(`<a class="${name}" href="([^"]*)"`, 'g'))].map(([, href]) => decode(href))
const textIn = (body: string): string => decode(/<blockquote[^>]*><p>([^]*?)<\/p>/.exec(body)?.[1] ?? '')
const statusIn = (body: string): string => decode(/role="status">([^]*?)<\/p>/.exec(body)?.[1] ?? '')
const scoreIn = (body: string): number[] =>
  (/<p class="score">([^]*?)<\/p>/.exec(body)?.[1].match(/\d+/g) ?? []).map(Number)

/** A text that has nothing to do with its author. */
const noise = (seed: string): string => createHash('sha256').update(seed).digest('hex').replace(/.{7}/g, '$& ')

describe.each(databases)('the game on the $name', ({ open }) => {
  let database: TestDatabase
  let services: TestServices
  let app: Awaited<ReturnType<typeof serve>>

  beforeAll(async () => {
    database = await open()
    services = await openTestServices(database, {}, threads)
    app = await serve(services)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
    await database.close()
  })

  async function get(path: string, accept = HTML) {
    const response = await fetch(new URL(path, app.url), { redirect: 'manual', headers: { accept } })
    return { status: response.status, headers: response.headers, body: await response.text() }
  }

  async function getJson(path: string): Promise<RoundJson> {
    const { status, body } = await get(path, JSON_TYPE)
    expect([status, body]).toEqual([200, body])
    return JSON.parse(body)
  }

  async function expectRefusal(path: string, status: number, words: RegExp): Promise<void> {
    const [page, json] = await Promise.all([get(path), get(path, JSON_TYPE)])
    expect([page.status, json.status], path).toEqual([status, status])
    expect(JSON.parse(json.body)).toEqual({ error: expect.stringMatching(words) })
    expect(decode(/role="alert">([^]*?)<\/p>/.exec(page.body)?.[1] ?? '')).toMatch(words)
  }

  test('needs two users with enough tweets', async () => {
    await expectRefusal('/play', 422, /two users with at least 20 tweets/)
    expect((await get('/')).body).not.toContain('href="/play"')
  })

  describe('of the sample users', () => {
    const writers = new Map<string, string>()

    beforeAll(async () => {
      await addSamples(services)
      for (const { text, user } of await services.prisma.tweet.findMany({ select: { text: true, user: true } })) {
        writers.set(text, user.username)
      }
    })

    /** Plays a whole game with these guesses; returns the answered rounds. */
    async function play(seed: string, guessOf: (round: RoundJson) => number, names = EVERYBODY): Promise<RoundJson[]> {
      const answered: RoundJson[] = []
      let guesses = ''
      for (let round = 1; round <= ROUNDS; round++) {
        guesses += guessOf(await getJson(address(seed, round, guesses, names)))
        answered.push(await getJson(address(seed, round, guesses, names)))
      }
      return answered
    }

    test('is linked from the home page and from a prediction', async () => {
      expect((await get('/')).body).toContain('<a href="/play">Play: who wrote it?</a>')
      const { body } = await get(`/predictions?${usersIn(['ruth_demo', 'milo_demo'])}&text=tea`)
      const link = /<a href="([^"]*)">Play: who wrote it\?<\/a>/.exec(body)?.[1] ?? ''
      expect(decode(link)).toMatch(/^\/play\?users=(ruth_demo&users=milo_demo|milo_demo&users=ruth_demo)$/)
    })

    test.each([
      ['/play', EVERYBODY],
      ['/play?seed=abc', EVERYBODY],
      ['/play?users=ruth_demo&users=ivo_demo', ['ivo_demo', 'ruth_demo']]
    ])('%s redirects to a new game, each time another', async (path, users) => {
      const answers = await Promise.all([get(path), get(path, JSON_TYPE)])
      const addresses = answers.map(({ status, headers }) => {
        expect(status).toBe(303)
        return new URL(headers.get('location') ?? '', app.url)
      })
      for (const { searchParams } of addresses) {
        expect(searchParams.getAll('users').sort()).toEqual(users)
        expect([searchParams.get('round'), searchParams.get('guesses')]).toEqual(['1', null])
      }
      expect(addresses[0].searchParams.get('seed')).not.toBe(addresses[1].searchParams.get('seed'))
      const { status, headers } = await get(addresses[0].href)
      expect([status, headers.get('set-cookie'), headers.get('x-robots-tag')]).toEqual([200, null, 'noindex, nofollow'])
    })

    test('deals fifty different tweets, about as many of each user, and others for another seed', async () => {
      const [first, other] = await Promise.all(['one', 'two'].map((seed) => play(seed, () => 0)))
      for (const rounds of [first, other]) {
        expect(new Set(rounds.map(({ text }) => text)).size).toBe(ROUNDS)
        for (const name of EVERYBODY) {
          const own = rounds.filter(({ author }) => author === name).length
          expect(own).toBeGreaterThanOrEqual(5)
          expect(own).toBeLessThanOrEqual(22)
        }
        for (const { text, author, candidates } of rounds) {
          expect(author).toBe(writers.get(text))
          expect(candidates).toEqual(EVERYBODY)
        }
      }
      expect(first.map(({ text }) => text)).not.toEqual(other.map(({ text }) => text))
    })

    test('counts each round once, for the visitor and for the app', async () => {
      const rounds = await play('score', ({ round, text, candidates }) =>
        round % 3 === 0 ? 0 : candidates.indexOf(writers.get(text)!))
      let [visitor, machine] = [0, 0]
      rounds.forEach(({ round, guess, author, app, score }, i) => {
        if (guess === author) visitor++
        if (app!.author === author) machine++
        expect(round).toBe(i + 1)
        expect(score).toEqual({ visitor, app: machine, rounds: i + 1 })
        expect(app!.probability).toBeGreaterThan(1 / EVERYBODY.length)
        expect(app!.probability).toBeLessThanOrEqual(1)
      })
      expect(visitor).toBeGreaterThanOrEqual(33)
      expect(machine).toBeGreaterThan(ROUNDS / 2)
    })

    test('is the same game for any order and case of the usernames', async () => {
      const before = await getJson(address('order', 2, '03'))
      const users = ['TARA_demo', 'ruth_demo', 'ivo_demo', 'Milo_Demo']
      expect(await getJson(address('order', 2, '03', users))).toEqual(before)
    })

    test('deals nearly the same tweets after others have been added', async () => {
      const before = await play('added', () => 0)
      const { id: userId } = (await services.userStore.findUser('ruth_demo'))!
      const encoder = await threads.encoderName()
      const { embedding } = await services.prisma.tweet.findFirstOrThrow({ where: { userId } })
      const tweet = { id: 'added', text: 'One more of hers.', userId, position: 1n, embedding, encoder }
      await services.prisma.tweet.create({ data: tweet })
      const after = await play('added', () => 0)
      await services.prisma.tweet.deleteMany({ where: { id: 'added' } })
      expect(after.map(({ author }) => author)).toEqual(before.map(({ author }) => author))
      const texts = new Set(after.map(({ text }) => text))
      expect(before.filter(({ text }) => !texts.has(text)).length).toBeLessThanOrEqual(1)
    })

    test('shows a round without its author, with a link for each candidate', async () => {
      const { body } = await get(address('page', 1))
      const { text, author, app: machine, candidates } = await getJson(address('page', 1))
      expect([author, machine, candidates]).toEqual([undefined, undefined, EVERYBODY])
      expect(textIn(body)).toBe(text)
      const tweet = await services.prisma.tweet.findFirstOrThrow({ where: { text } })
      expect(body).not.toContain(tweet.id)
      expect(body).not.toContain(tweet.createdAt!.toISOString())
      expect(/<blockquote[^]*<\/blockquote>/.exec(body)?.[0]).not.toContain('_demo')
      expect(body).not.toMatch(/role="status"|wrote it<\/span>|class="next"/)
      const links = linksIn(body, 'guess')
      expect(links).toEqual(EVERYBODY.map((_, i) => `/play?${usersIn(EVERYBODY)}&seed=page&round=1&guesses=${i}`))
      for (const name of EVERYBODY) expect(body.split(`@${name}`)).toHaveLength(2) // once, in the link
      expect(scoreIn(body)).toEqual([0, 0])
    })

    test('has nothing on the page of an open round that depends on the author, but the tweet', async () => {
      const skeleton = async (round: number) => {
        const { body } = await get(address('same', round, '0'.repeat(round - 1)))
        return body
          .replace(/<blockquote[^]*<\/blockquote>|<p class="score">[^]*?<\/p>/g, '')
          .replace(/(round[ =])\d+/gi, '$1').replace(/guesses=\d*(\d)"/g, 'guesses=$1"')
      }
      const pages = await Promise.all(Array.from({ length: 12 }, (_, i) => skeleton(i + 1)))
      expect(new Set(pages).size).toBe(1)
    })

    test('shows after a guess the author, what the app would have said, the score and the link to the next round', async () => {
      const { text } = await getJson(address('page', 1))
      const truth = EVERYBODY.indexOf(writers.get(text)!)
      for (const guess of EVERYBODY.keys()) {
        const { author, app: machine, score, ...json } = await getJson(address('page', 1, String(guess)))
        expect([json.guess, author]).toEqual([EVERYBODY[guess], EVERYBODY[truth]])
        expect(score.visitor).toBe(Number(guess === truth))
        const { body } = await get(address('page', 1, String(guess)))
        expect(textIn(body)).toBe(text)
        const outcome = `${guess === truth ? 'Right' : 'No'}: @${author} wrote it`
        expect(body).toContain(`<h1 id="question">${outcome}</h1>`)
        expect(body).toContain(`<title>${outcome}`)
        expect(statusIn(body)).toContain(`You said @${EVERYBODY[guess]}.`)
        expect(statusIn(body)).toContain(` says @${machine!.author} (${percent(machine!.probability)}), which is `)
        expect(statusIn(body)).toMatch(machine!.author === author ? /right\.$/ : /wrong\.$/)
        expect(scoreIn(body)).toEqual([Number(guess === truth), score.app, 1])
        expect(linksIn(body, 'guess')).toEqual([])
        expect(linksIn(body, 'next')).toEqual([`/play?${usersIn(EVERYBODY)}&seed=page&round=2&guesses=${guess}`])
      }
    })

    test('ends after fifty rounds with the final result', async () => {
      const { body } = await get(address('final', ROUNDS, '1'.repeat(ROUNDS)))
      const { score } = await getJson(address('final', ROUNDS, '1'.repeat(ROUNDS)))
      expect(score.rounds).toBe(ROUNDS)
      expect(body).toContain(`you were right ${score.visitor} times in 50, HypoTweet ${score.app} times.`)
      expect(linksIn(body, 'next')).toEqual([`/play?${usersIn(EVERYBODY)}`])
    })

    test('is shorter with fewer tweets, deals all of them, and judges each by a model that has not seen it', async () => {
      const names = ['few_a', 'few_b']
      const encoder = await threads.encoderName()
      for (const username of names) {
        const texts = Array.from({ length: 20 }, (_, i) => noise(`${username} ${i}`))
        const vectors = await threads.embed(texts)
        const tweets = texts.map((text, i) => {
          const embedding = vectors.slice((i * vectors.length) / 20, ((i + 1) * vectors.length) / 20)
          return { id: `${username}${i}`, text, createdAt: null, position: BigInt(i), embedding }
        })
        const user = { id: username, username, name: '', pictureUrl: null, source: 'archive' as const }
        await services.tweetStore.saveTweets(user, null, tweets, encoder)
      }
      const texts = new Set<string>()
      for (let round = 1; round <= 40; round++) {
        texts.add((await getJson(address('few', round, '0'.repeat(round), names))).text)
      }
      expect(texts.size).toBe(40)
      const { score } = await getJson(address('few', 40, '0'.repeat(40), names))
      expect(score).toMatchObject({ visitor: 20, rounds: 40 })
      expect(score.app).toBeLessThanOrEqual(30) // a model that had seen this noise would be right each time
      expect((await get(address('few', 40, '0'.repeat(40), names))).body).toContain('The final result')
      await expectRefusal(address('few', 41, '0'.repeat(40), names), 400, /This game has 40 rounds/)
      for (const id of names) await services.userStore.removeUser(id)
    })

    test.each([
      ['nobody', '&seed=a&guesses=4', /names nobody/],
      ['a name', '&seed=a&guesses=ruth_demo', /names nobody/],
      ['a minus', '&seed=a&guesses=-1', /names nobody/],
      ['two lists of guesses', '&seed=a&guesses=1&guesses=2', /names nobody/],
      ['500 guesses', `&seed=a&round=50&guesses=${'1'.repeat(500)}`, /50 at the most/],
      ['round 10^9', '&seed=a&round=1000000000', /50 at the most/],
      ['round 51', `&seed=a&round=51&guesses=${'1'.repeat(50)}`, /has 50 rounds/],
      ['round 0', '&seed=a&round=0', /no such round/],
      ['round -1', '&seed=a&round=-1', /no such round/],
      ['round 1e1', '&seed=a&round=1e1', /no such round/],
      ['round NaN', '&seed=a&round=NaN', /no such round/],
      ['two rounds', '&seed=a&round=1&round=2', /no such round/],
      ['a round without its guesses', '&seed=a&round=3&guesses=1', /do not go together/],
      ['guesses beyond the round', '&seed=a&round=1&guesses=12', /do not go together/],
      ['an empty seed', '&seed=', /seed/],
      ['a seed of junk', '&seed=%00%27;%20DROP<b>', /seed/],
      ['a long seed', `&seed=${'a'.repeat(5000)}`, /seed/],
      ['two seeds', '&seed=a&seed=b', /seed/]
    ])('refuses %s', async (_, query, words) => {
      await expectRefusal(`/play?${usersIn(EVERYBODY)}${query}`, 400, words)
    })

    test.each([
      ['/play?users=ruth_demo', 400, /Pick two to four/],
      ['/play?users=', 400, /no X username|two to four/],
      ['/play?users=ruth_demo&users=RUTH_demo&seed=a', 400, /Pick two to four/],
      ['/play?users=a&users=b&users=c&users=d&users=e', 400, /Pick two to four/],
      ['/play?users=ruth_demo&users=no%20name', 400, /no X username/],
      ['/play?users=ruth_demo&users=nobody_here&seed=a', 404, /@nobody_here has not been added/]
    ])('refuses %s', (path, status, words) => expectRefusal(path, status, words))
  })
})
