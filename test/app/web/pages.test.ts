import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { addSamples } from '../../../src/collecting/sample-users.js'
import { settled } from '../../support/collect.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, serve, type TestServices } from '../../support/services.js'
import { startXApi, type XApiServer } from '../../../support/x-api-stand-in.js'
import type { NewTweet } from '../../../src/storage/tweets.js'
import { createUserStore } from '../../../src/storage/users.js'
import { sharedThreads } from '../../support/threads.js'

const SAMPLES = ['ivo_demo', 'milo_demo', 'ruth_demo', 'tara_demo']
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const JSON_TYPE = 'application/json'

const threads = sharedThreads()

/** An answer with its body. */
interface Answer {
  status: number
  headers: Headers
  type: string
  body: string
  json: () => ReturnType<typeof JSON.parse>
}

async function ask(address: string, init: RequestInit & { accept?: string } = {}): Promise<Answer> {
  const headers = { accept: init.accept ?? HTML, ...(init.headers as Record<string, string>) }
  const response = await fetch(address, { redirect: 'manual', ...init, headers })
  const body = await response.text()
  const type = (response.headers.get('content-type') ?? '').split(';')[0]
  return { status: response.status, headers: response.headers, type, body, json: () => JSON.parse(body) }
}

const form = (fields: Record<string, string>): RequestInit => ({ method: 'POST', body: new URLSearchParams(fields) })

function decode(html: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', '#34': '"', '#39': "'", amp: '&' }
  return html.replace(/&(lt|gt|#34|#39|amp);/g, (_, name: string) => entities[name])
}

/** The first group that the expression finds in the page, with HTML entities decoded. */
const found = ({ body }: Answer, expression: RegExp): string => decode(expression.exec(body)?.[1] ?? '')

const messageOf = (page: Answer): string => found(page, /<p class="error" role="alert">([^]*?)<\/p>/)
/** The content of the text area. As in browsers, a line break right after the tag does not count. */
const typedText = (page: Answer): string => found(page, /<textarea[^>]*>\n?([^]*?)<\/textarea>/)
const typedUsername = (page: Answer): string => found(page, /<input id="username"[^>]* value="([^"]*)"/)
const offered = ({ body }: Answer): string[] =>
  [...body.matchAll(/name="users" value="([^"]*)"/g)].map(([, name]) => name)
const chosen = ({ body }: Answer): string[] =>
  [...body.matchAll(/name="users" value="([^"]*)" checked/g)].map(([, name]) => name).sort()

function tweetsOf(username: string, texts: string[]): NewTweet[] {
  return texts.map((text, i) => ({
    id: `${username} ${i}`, text, createdAt: null, position: BigInt(i), embedding: Float32Array.of(1)
  }))
}

describe.each(databases)('on the $name', ({ open }) => {
  let database: TestDatabase

  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.close())

  /** Starts the app on this database with these settings. */
  async function start(settings: Record<string, string> = {}, instead: Partial<TestServices> = {}) {
    const services = { ...await openTestServices(database, settings, threads), ...instead }
    const app = await serve(services)
    const close = async () => {
      await app.close()
      await services.close()
    }
    return { services, url: app.url, close }
  }
  type App = Awaited<ReturnType<typeof start>>

  /** Sends a request for a page and for JSON. Both have to fail with the same status and message. */
  async function expectRefusal(address: string, init: RequestInit, status: number, words: RegExp): Promise<Answer> {
    const [page, json] = await Promise.all([ask(address, init), ask(address, { ...init, accept: JSON_TYPE })])
    expect([page.status, json.status]).toEqual([status, status])
    expect([page.type, json.type]).toEqual(['text/html', JSON_TYPE])
    expect(Object.keys(json.json())).toEqual(['error'])
    expect(json.json().error).toMatch(words)
    expect(messageOf(page)).toMatch(words)
    expect(page.body).toMatch(/<form[^>]* action="\/predictions"[^]*<form[^>]* action="\/users"/)
    return page
  }

  describe('an app without users', () => {
    let app: App

    beforeAll(async () => {
      app = await start({ X_BEARER_TOKEN: 'good' })
      await app.services.userStore.reset()
    })
    afterAll(() => app.close())

    test('says on the home page that nobody has been added, and has the form to add somebody', async () => {
      const page = await ask(app.url)
      expect(page.status).toBe(200)
      expect(page.body).toContain('Nobody has been added yet.')
      expect(page.body).toContain('Add two users first.')
      expect(page.body).toMatch(/<label for="username">Add X users<\/label>/)
      expect(offered(page)).toEqual([])
    })

    test('lists no users in JSON', async () => {
      expect((await ask(`${app.url}/users`, { accept: JSON_TYPE })).json()).toEqual({ users: [] })
    })

    test('loads styles and scripts from its own host only', async () => {
      const { body, headers } = await ask(app.url)
      const addresses = [...body.matchAll(/<(?:link|script|img)[^>]* (?:href|src)="([^"]*)"/g)].map(([, path]) => path)
      expect(addresses.length).toBeGreaterThanOrEqual(4)
      for (const address of addresses) {
        expect(address).toMatch(/^\/assets\//)
        expect((await ask(app.url + address)).status).toBe(200)
      }
      expect(headers.get('x-powered-by')).toBeNull()
    })

    test('answers health with the state of the database and the encoder', async () => {
      const health = await ask(`${app.url}/health`)
      expect([health.status, health.type]).toEqual([200, JSON_TYPE])
      expect(health.json()).toEqual({ ready: true, database: 'ok', encoder: await threads.encoderName() })
    })

    test.each([
      ['GET', '/no/such/page'], ['GET', '/users/nobody_here'], ['POST', '/predictions'], ['DELETE', '/users'],
      ['GET', '/assets/../package.json']
    ])('answers %s %s with a 404 page', async (method, path) => {
      await expectRefusal(app.url + path, { method }, 404, /here\.$/)
    })

    test.each([
      '/users/%zz', '/users/%E0%A4%A'
    ])('answers the malformed URL %s with a 400 page', async (path) => {
      await expectRefusal(app.url + path, {}, 400, /could not be understood/)
    })

    test('answers a name with a NUL character with a 404 page', async () => {
      await expectRefusal(`${app.url}/users/a%00b`, {}, 404, /has not been added here/)
    })
  })

  describe('the sample users', () => {
    let app: App

    beforeAll(async () => {
      app = await start()
      await app.services.userStore.reset()
      await addSamples(app.services)
      const few = { id: '1', username: 'Few_Example', name: 'Few', pictureUrl: null, source: 'archive' as const }
      const texts = Array.from({ length: 19 }, (_, i) => `only ${i}`)
      await app.services.tweetStore.saveTweets(few, null, tweetsOf('Few_Example', texts), 'none')
    })
    afterAll(() => app.close())

    const predictions = (users: string[], text?: string): string => {
      const query = new URLSearchParams(users.map((user): [string, string] => ['users', user]))
      if (text !== undefined) query.append('text', text)
      return `${app.url}/predictions?${query}`
    }

    test('are four with about 120 tweets each, marked as samples', async () => {
      const { users } = (await ask(`${app.url}/users`, { accept: JSON_TYPE })).json()
      const samples = users.filter(({ source }: { source: string }) => source === 'sample')
      expect(samples.map(({ username }: { username: string }) => username).sort()).toEqual(SAMPLES)
      for (const { tweets } of samples) expect(Math.abs(tweets - 120)).toBeLessThanOrEqual(10)
      const page = await ask(app.url)
      expect(page.body.match(/class="badge">sample</g)).toHaveLength(4)
      expect(page.body).toContain('Sample users are invented')
    })

    test('stay as they are when they are added again', async () => {
      const before = await app.services.prisma.tweet.count()
      expect((await addSamples(app.services)).sort()).toEqual(SAMPLES)
      expect(await app.services.prisma.tweet.count()).toBe(before)
    })

    test('are listed in JSON with exactly the documented fields', async () => {
      const { users } = (await ask(`${app.url}/users`, { accept: JSON_TYPE })).json()
      const ruth = users.find(({ username }: { username: string }) => username === 'ruth_demo')
      expect(Object.keys(ruth)).toEqual(['username', 'name', 'source', 'tweets', 'collectedAt'])
      expect(ruth).toMatchObject({ name: 'Ruth Ashworth', source: 'sample', tweets: expect.any(Number) })
      expect(new Date(ruth.collectedAt).toISOString()).toBe(ruth.collectedAt)
    })

    test('are offered on the home page, with up to four of them preselected', async () => {
      const page = await ask(app.url)
      expect(offered(page).sort()).toEqual(['Few_Example', ...SAMPLES])
      expect(chosen(page).length).toBeLessThanOrEqual(4)
      expect(chosen(await ask(`${app.url}/?users=RUTH_demo&users=ivo_demo`))).toEqual(['ivo_demo', 'ruth_demo'])
    })

    describe('the page of a sample user', () => {
      test('shows each tweet once, newest first, on several pages', async () => {
        const pages = []
        for (const page of [1, 2, 3]) {
          pages.push((await ask(`${app.url}/users/ruth_demo?page=${page}`, { accept: JSON_TYPE })).json())
        }
        const tweets = pages.flatMap((page) => page.tweets)
        expect(pages.map(({ page, pages }) => [page, pages])).toEqual([[1, 3], [2, 3], [3, 3]])
        expect(pages[0].user).toMatchObject({ username: 'ruth_demo', source: 'sample', tweets: tweets.length })
        expect(new Set(tweets.map(({ id }) => id)).size).toBe(tweets.length)
        const dates = tweets.map(({ createdAt }) => createdAt)
        expect(dates).toEqual([...dates].sort().reverse())
        const { body } = await ask(`${app.url}/users/RUTH_DEMO?page=2`)
        expect(body).toContain('Page 2 of 3')
        expect(body).toMatch(/<a href="\?page=1" rel="prev">Newer<\/a>[^]*<a href="\?page=3" rel="next">Older<\/a>/)
        const shown = [...body.matchAll(/<blockquote><p>([^]*?)<\/p>/g)].map(([, text]) => decode(text))
        expect(shown).toEqual(pages[1].tweets.map(({ text }: { text: string }) => text))
      })

      test('shows the name, the number of tweets, their source and when they were collected', async () => {
        const { body } = await ask(`${app.url}/users/ruth_demo`)
        expect(body).toContain('<h1>Ruth Ashworth</h1>')
        expect(body).toMatch(/\d+ tweets of an invented person, collected <time datetime="[^"]+Z">[^<]+ UTC<\/time>/)
        expect((await ask(`${app.url}/users/few_example`)).body).toContain('19 tweets from a file, collected')
      })

      test.each(['0', '-1', 'x', '1.5', '99999999999', ''])('is the first page for the page number %j', async (page) => {
        const answer = await ask(`${app.url}/users/ruth_demo?page=${page}`, { accept: JSON_TYPE })
        expect([answer.status, answer.json().page]).toEqual([200, 1])
      })

      test('is the last page for a number beyond it', async () => {
        expect((await ask(`${app.url}/users/ruth_demo?page=999`)).status).toBe(200)
      })
    })

    describe('a prediction', () => {
      const text = 'One has, I fear, mislaid the marmalade; the cat is <unmoved> & "aloof".'

      test('has exactly the documented fields in JSON', async () => {
        const answer = await ask(predictions(SAMPLES, text), { accept: JSON_TYPE })
        expect([answer.status, answer.type]).toEqual([200, JSON_TYPE])
        const prediction = answer.json()
        expect(Object.keys(prediction).sort())
          .toEqual(['author', 'candidates', 'characters', 'map', 'reliability', 'text', 'verdict'])
        expect(prediction.verdict).toMatch(/^(named|too close to call|unlike any of them)$/)
        expect(prediction.text).toBe(text)
        expect(prediction.author).toBe('ruth_demo')
        const { candidates } = prediction as { candidates: { username: string; probability: number }[] }
        for (const candidate of candidates) {
          expect(Object.keys(candidate)).toEqual([
            'username', 'probability', 'score', 'ngrams', 'encoder', 'intercept', 'characters', 'pieces', 'nearest'
          ])
        }
        expect(candidates.map(({ username }) => username).sort()).toEqual(SAMPLES)
        expect(candidates[0].username).toBe(prediction.author)
        const probabilities = candidates.map(({ probability }) => probability)
        expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
        expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9)
      })

      test('has every number in JSON that the page draws', async () => {
        const prediction = (await ask(predictions(SAMPLES, text), { accept: JSON_TYPE })).json()
        const { body } = await ask(predictions(SAMPLES, text))
        expect(prediction.characters.join('')).toBe(text)
        for (const { username, characters, nearest, pieces } of prediction.candidates) {
          expect(characters).toHaveLength(prediction.characters.length)
          for (const near of nearest) {
            expect(Object.keys(near)).toEqual(['id', 'text', 'createdAt', 'similarity'])
            expect(decode(body)).toContain(near.text)
            expect(body).toContain(`similarity ${near.similarity.toFixed(2)}`)
          }
          for (const piece of pieces) expect(decode(body)).toContain(`“${piece.text}”`)
          const dots = prediction.map.tweets.filter((dot: { username: string }) => dot.username === username)
          expect(dots).toHaveLength(40)
        }
        expect(Object.keys(prediction.reliability)).toEqual(['tweets', 'accuracy', 'chance', 'confusion'])
        expect(body).toContain(`${Math.round(100 * prediction.reliability.accuracy)} times in 100`)
        expect(prediction.map.text).toHaveLength(2)
      })

      test('shows the answer, every candidate and the filled-in form on the page', async () => {
        const page = await ask(predictions(SAMPLES.slice(1), text))
        expect(page.status).toBe(200)
        expect(page.body).toMatch(/Most likely <a href="\/users\/ruth_demo">@ruth_demo<\/a> would have written it: /)
        expect(page.body.match(/<svg class="bar"/g)).toHaveLength(3)
        expect(page.body).toContain('the cat is &lt;unmoved&gt; &amp; &#34;aloof&#34;.')
        expect(typedText(page)).toBe(text)
        expect(chosen(page)).toEqual(SAMPLES.slice(1))
      })

      test('counts a user who is named twice once, however the name is written', async () => {
        const users = ['ruth_demo', '@Ruth_Demo', 'https://x.com/ruth_demo', 'ivo_demo', 'ruth_demo']
        const { candidates } = (await ask(predictions(users, text), { accept: JSON_TYPE })).json()
        const names = candidates.map(({ username }: { username: string }) => username)
        expect(names.sort()).toEqual(['ivo_demo', 'ruth_demo'])
      })

      test.each([
        ['4,000 characters', 'long words '.repeat(364).slice(0, 4000)],
        ['4,000 Japanese characters', '吾輩は猫である。名前はまだ無い。'.repeat(250)],
        ['2,000 emoji', '🌱'.repeat(2000)]
      ])('accepts %s', async (_, longest) => {
        const answer = await ask(predictions(['ruth_demo', 'ivo_demo'], longest), { accept: JSON_TYPE })
        expect(answer.status).toBe(200)
        expect(answer.json().text).toBe(longest)
      })

      test.each([
        ['no user', []],
        ['one user', ['ruth_demo']],
        ['one user twice and no other', ['ruth_demo', '@RUTH_demo']],
        ['five users', [...SAMPLES, 'Few_Example']]
      ])('among %s is a 400 that says how many to pick', async (_, users) => {
        const page = await expectRefusal(predictions(users, text), {}, 400, /Pick two to four different users/)
        expect(typedText(page)).toBe(text)
        expect(chosen(page)).toEqual([...new Set(users.filter((name) => !name.startsWith('@')))].sort())
      })

      test.each([
        ['no text', undefined], ['an empty text', ''], ['a blank text', ' \r\n\t ']
      ])('for %s is a 400 that says so', async (_, empty) => {
        const page = await expectRefusal(predictions(['ruth_demo', 'ivo_demo'], empty), {}, 400, /there is no text/)
        expect(chosen(page)).toEqual(['ivo_demo', 'ruth_demo'])
      })

      test.each([4001, 12_000, 20_000])('for %d characters is a 400 that says how many are allowed', async (length) => {
        const long = 'a'.repeat(length)
        const page = await expectRefusal(predictions(['ruth_demo', 'ivo_demo'], long), {}, 400, /4,000 characters/)
        expect(typedText(page)).toBe(long)
        expect(chosen(page)).toEqual(['ivo_demo', 'ruth_demo'])
      })

      test('with a name that X cannot have is a 400 that says what a name looks like', async () => {
        const page = await expectRefusal(predictions(['ruth_demo', 'no-such name'], text), {}, 400, /such as @jack/)
        expect(typedText(page)).toBe(text)
        expect(chosen(page)).toEqual(['ruth_demo'])
      })

      test('with a user who is not here is a 404 that names them', async () => {
        const page = await expectRefusal(predictions(['ruth_demo', 'nobody_here'], text), {}, 404, /@nobody_here/)
        expect(typedText(page)).toBe(text)
        expect(chosen(page)).toEqual(['ruth_demo'])
      })

      test('with a user of too few tweets is a 422 that names them and the number', async () => {
        const words = /@Few_Example has 19 tweets/
        const page = await expectRefusal(predictions(['ruth_demo', 'Few_Example'], text), {}, 422, words)
        expect(typedText(page)).toBe(text)
        expect(chosen(page)).toEqual(['Few_Example', 'ruth_demo'])
      })

      test('keeps every character of a text, also the line breaks at its beginning', async () => {
        const lines = '\n\n  "one" & <two>\n\nthree\n'
        expect(typedText(await ask(predictions(['ruth_demo'], lines)))).toBe(lines)
      })

      test.each([
        'users[a]=ruth_demo&users[b]=ivo_demo&text=x', 'users=ruth_demo,ivo_demo&text=x',
        '__proto__[users]=a&constructor=b', 'text=a&text=b&users=ruth_demo&users=ivo_demo', '%zz=%zz&&&=',
        `${'users=ruth_demo&'.repeat(900)}text=x`
      ])('with the malformed query %.40s is a 400', async (query) => {
        await expectRefusal(`${app.url}/predictions?${query}`, {}, 400, /\S/)
      })
    })

    describe('without a token for X', () => {
      test('the form to add a user is disabled and says which setting is missing', async () => {
        const { body } = await ask(app.url)
        const [addForm] = /<form[^>]* action="\/users"[^]*?<\/form>/.exec(body)!
        expect(addForm).toContain('<code>X_BEARER_TOKEN</code>')
        expect(addForm).toMatch(/<button[^>]* disabled/)
      })

      test('a request to add a user is a 503 that names the setting', async () => {
        const words = /needs the setting X_BEARER_TOKEN/
        const page = await expectRefusal(`${app.url}/users`, form({ username: 'Fell_Example' }), 503, words)
        expect(typedUsername(page)).toBe('Fell_Example')
      })
    })

    describe('content negotiation', () => {
      test.each([
        [HTML, 'text/html'],
        ['*/*', 'text/html'],
        [JSON_TYPE, JSON_TYPE],
        ['application/json, text/html;q=0.5', JSON_TYPE],
        ['text/html;q=0.4, application/json', JSON_TYPE]
      ])('chooses the type for Accept: %s', async (accept, type) => {
        const prediction = '/predictions?users=ruth_demo&users=ivo_demo&text=x'
        for (const path of ['/users/ruth_demo', prediction, '/users/nobody_here']) {
          expect((await ask(app.url + path, { accept })).type).toBe(type)
        }
      })

      test('gives JSON for every page', async () => {
        const headers = { authorization: `Basic ${Buffer.from('admin:a long password').toString('base64')}` }
        const open = await start({ ADMIN_PASSWORD: 'a long password' })
        const types = []
        for (const path of ['/', '/users', '/users/ruth_demo', '/admin', '/health']) {
          const { status, type } = await ask(open.url + path, { accept: JSON_TYPE, headers })
          types.push(`${path} ${status} ${type}`)
        }
        await open.close()
        expect(types).toEqual(['/', '/users', '/users/ruth_demo', '/admin', '/health']
          .map((path) => `${path} 200 ${JSON_TYPE}`))
      })

      test('redirects the list of users to the home page for browsers', async () => {
        const answer = await ask(`${app.url}/users`)
        expect([answer.status, answer.headers.get('location')]).toEqual([302, '/'])
      })
    })

    test('a bug shows a 500 without details and is logged in full', async () => {
      let logged = ''
      const log = pino(new Writable({ write: (chunk, _encoding, done) => ((logged += chunk), done()) }))
      const findUser = () => Promise.reject(new TypeError('a secret is undefined'))
      const broken = await start({}, { log, userStore: { ...createUserStore(app.services.prisma), findUser } })
      const page = await expectRefusal(`${broken.url}/users/ruth_demo`, {}, 500, /Something went wrong on our side/)
      expect(page.body).not.toMatch(/secret|TypeError|at .*\.ts/i)
      const failures = logged.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { msg: string; err?: { stack: string } })
        .filter(({ msg }) => msg === 'failed')
      expect(failures.filter(({ err }) => err?.stack.includes('a secret is undefined') && err.stack.includes('pages.test.ts'))).toHaveLength(2)
      await broken.close()
    })

    test('an unreachable database shows a 503 that says so, without details', async () => {
      const gone = connect('postgres://somebody:secret@127.0.0.1:1/postgres')
      const broken = await start({}, { userStore: createUserStore(gone) })
      const page = await expectRefusal(`${broken.url}/users/ruth_demo`, {}, 503, /The database does not answer at the moment/)
      expect(page.body).not.toMatch(/ECONNREFUSED|secret|prisma|at .*\.ts/i)
      const health = await ask(`${broken.url}/health`)
      expect(health.status).toBe(503)
      expect(health.json()).toEqual({ ready: false, database: 'unreachable', encoder: await threads.encoderName() })
      await broken.close()
      await gone.$disconnect()
    })
  })

  describe('adding a user', () => {
    let x: XApiServer
    let app: App

    beforeEach(async () => {
      x = await startXApi()
      app = await start({ X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '25' })
      await app.services.userStore.reset()
      await app.services.collectJobs.reset()
    })
    afterEach(async () => {
      await app.close()
      await x.close()
    })

    const post = (username: string, accept = HTML) => ask(`${app.url}/users`, { ...form({ username }), accept })
    /** Adds a user and waits until collecting has ended; returns the user's page. */
    const add = async (username: string): Promise<Answer> => {
      const address = app.url + (await post(username)).headers.get('location')
      await settled(app.services, [address.split('/').at(-1)!])
      return ask(address)
    }
    const usernames = async () => (await app.services.userStore.listUsers()).map(({ username }) => username)

    test.each([
      'Fell_Example', '@fell_example', ' FELL_EXAMPLE ', 'https://x.com/Fell_Example', 'x.com/Fell_Example/',
      'https://twitter.com/fell_example/status/1', 'https://www.x.com/@Fell_Example?lang=en',
      'http://mobile.twitter.com/Fell_Example'
    ])('accepts %j, and stores the name as X spells it', async (username) => {
      const answer = await post(username)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/users\/fell_example$/i)])
      await settled(app.services, ['Fell_Example'])
      expect(await usernames()).toEqual(['Fell_Example'])
    })

    test("redirects at once to the user's page, which first shows the progress and then the tweets", async () => {
      x.latency = 300
      const { headers } = await post('Fell_Example')
      const address = app.url + headers.get('location')
      const early = await ask(address)
      expect(early.status).toBe(200)
      expect(early.body).toContain('<h1>@Fell_Example</h1>')
      expect(early.body).toMatch(/Reading posts… 0 of 25|Waiting for its turn…/)
      expect(early.body).toMatch(/<head>[^]*<noscript><meta http-equiv="refresh" content="3"><\/noscript>[^]*<\/head>/)
      expect((await ask(address, { accept: JSON_TYPE })).json()).toEqual({
        collecting: { username: 'Fell_Example', state: expect.any(String), words: expect.any(String), read: 0, embedded: 0, toRead: 25, ended: false }
      })
      await settled(app.services, ['Fell_Example'])
      const page = await ask(address)
      expect(page.body).toContain('Last look on X: 25 posts read, 25 new tweets kept.')
      expect(page.body).toContain('<h1>Ambrose Fell</h1>')
      expect(page.body).toContain('25 tweets from X, collected')
      expect(page.body).toContain('Look for newer tweets')
      expect(page.body).not.toContain('http-equiv')
    })

    test('sends the progress as events, in words and numbers, until the end', async () => {
      x.latency = 700
      await post('Fell_Example')
      const answer = await fetch(`${app.url}/progress?users=Fell_Example`)
      expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
      const events = (await answer.text()).split('\n\n').filter(Boolean).map((event) => JSON.parse(event.replace(/^data: /, ''))[0])
      expect(events.length).toBeGreaterThanOrEqual(2)
      expect(events[0]).toMatchObject({ username: 'Fell_Example', ended: false, toRead: 25 })
      expect(events.map(({ words }) => words)).toContain('Reading posts… 0 of 25')
      expect(events.at(-1)).toMatchObject({ state: 'done', words: '25 posts read, 25 new tweets kept.', read: 25, embedded: 25, ended: true })
    })

    test('works for up to four names at a time, which are preselected on the home page', async () => {
      x.latency = 300
      const answer = await post('@Fell_Example, Bangs_Example nobody')
      expect(answer.status).toBe(303)
      const address = answer.headers.get('location')!
      expect(address).toBe('/?users=Fell_Example&users=Bangs_Example&users=nobody')
      expect((await ask(app.url + address)).body).toMatch(/Read from X[^]*@Fell_Example[^]*<progress/)
      await settled(app.services, ['Fell_Example', 'Bangs_Example', 'nobody'])
      const page = await ask(app.url + address)
      expect(chosen(page)).toEqual(['Bangs_Example', 'Fell_Example'])
      expect(page.body).toContain('There is no X user @nobody.')
      expect(page.body).not.toMatch(/http-equiv|data-progress/)
      expect((await ask(app.url)).body).not.toContain('Read from X')
    })

    test('is a 400 for more than four names, and keeps them in the form', async () => {
      const page = await expectRefusal(`${app.url}/users`, form({ username: 'a b c d e' }), 400, /Four users at a time/)
      expect(typedUsername(page)).toBe('a b c d e')
    })

    test('reads only newer posts of a user who is here, and says how many', async () => {
      await add('Fell_Example')
      x.addPosts('Fell_Example', ['Something new.'])
      const rest = () => app.services.prisma.collectJob.updateMany({ data: { updatedAt: new Date(Date.now() - 11 * 60_000) } })
      expect((await add('fell_EXAMPLE')).body).toContain('25 posts read, 25 new tweets kept.') // what X said a moment ago
      await rest()
      expect((await add('fell_EXAMPLE')).body).toContain('1 post read, 1 new tweet kept.')
      await rest()
      expect((await add('fell_EXAMPLE')).body).toContain('0 posts read, 0 new tweets kept.')
      expect(x.calls.posts).toBe(26)
    })

    test('answers with the progress in JSON', async () => {
      const answer = await post('Fell_Example Bangs_Example', JSON_TYPE)
      expect([answer.status, answer.type]).toEqual([202, JSON_TYPE])
      expect(answer.json()).toEqual({
        collecting: ['Bangs_Example', 'Fell_Example'].map((username) =>
          ({ username, state: expect.any(String), words: expect.any(String), read: expect.any(Number), embedded: expect.any(Number), toRead: 25, ended: expect.any(Boolean) }))
      })
    })

    test('accepts JSON too', async () => {
      for (const username of ['"@Fell_Example"', '["Bangs_Example","Query_Example"]']) {
        const init = { method: 'POST', body: `{"username":${username}}`, headers: { 'content-type': JSON_TYPE } }
        expect((await ask(`${app.url}/users`, { ...init, accept: JSON_TYPE })).status).toBe(202)
      }
      await settled(app.services, ['Fell_Example', 'Bangs_Example', 'Query_Example'])
    })

    test('shows the profile picture if there is one on X', async () => {
      for (const username of ['Fell_Example', 'oddpicture']) await add(username)
      const { body } = await ask(app.url)
      expect(body).toContain(`<img src="https://pbs.twimg.com/profile_images/${x.userId('Fell_Example')}/`)
      expect(body).not.toContain('example.org')
    })

    test('makes predictions with the user possible', async () => {
      for (const username of ['Fell_Example', 'Bangs_Example']) await add(username)
      const query = 'users=fell_example&users=bangs_example&text=WAKE UP!!! PIZZA TONIGHT!! %23GameOn %23LETSGO'
      expect((await ask(`${app.url}/predictions?${query}`, { accept: JSON_TYPE })).json())
        .toMatchObject({ author: 'Bangs_Example' })
    })

    test.each([
      '', '   ', '@', 'sixteen_letters_', 'one but-wrong', 'naïve', '"><script>', 'https://example.org/jack',
      'https://x.com/', '../../1.1/x', 'a\0b'
    ])('is a 400 for %j, and says what a name looks like', async (username) => {
      const page = await expectRefusal(`${app.url}/users`, form({ username }), 400, /1 to 15 letters.*such as @jack/)
      expect(typedUsername(page).replace('\0', '\ufffd')).toBe(username.replace('\0', '\ufffd'))
      expect(page.body).not.toContain('"><script>')
      expect(x.calls.requests).toBe(0)
    })

    test.each([
      ['nothing', '', ''],
      ['a form of another kind', 'text/plain', 'username=Fell_Example'],
      ['JSON that is a list', JSON_TYPE, '["Fell_Example"]'],
      ['JSON of another shape', JSON_TYPE, '{"username":{"$ne":1}}'],
      ['a form without the field', 'application/x-www-form-urlencoded', 'user=a']
    ])('is a 400 for %s, and says what a name looks like', async (_, type, body) => {
      const headers: Record<string, string> = type ? { 'content-type': type } : {}
      const init = { method: 'POST', body: body || undefined, headers }
      await expectRefusal(`${app.url}/users`, init, 400, /such as @jack/)
    })

    test('is a 400 for malformed JSON and a 413 for a body that is too large', async () => {
      const post = (body: string) => ({ method: 'POST', body, headers: { 'content-type': JSON_TYPE } })
      await expectRefusal(`${app.url}/users`, post('{"username":'), 400, /could not be understood/)
      await expectRefusal(`${app.url}/users`, post(`{"username":"${'a'.repeat(70_000)}"}`), 413, /too large/)
    })

    test.each([
      ['nobody', 404, /^There is no X user @nobody\.$/],
      ['protected', 403, /^@protected protects their posts/],
      ['empty', 422, /^@empty has no posts of their own/],
      ['unauthorized', 503, /X_BEARER_TOKEN/],
      ['broke', 503, /X_BEARER_TOKEN has no credits left/]
    ])('of the X user %s ends in a %d with a message, keeps the name in the form and stores nobody', async (username, status, words) => {
      const page = await add(`@${username}`)
      expect(page.status).toBe(status)
      expect(messageOf(page)).toMatch(words)
      expect(typedUsername(page)).toBe(username)
      expect(page.body).not.toMatch(/Unauthorized|CreditsDepleted|problems\//)
      const json = await ask(`${app.url}/users/${username}`, { accept: JSON_TYPE })
      expect([json.status, json.json()]).toEqual([status, { error: expect.stringMatching(words) }])
      expect(await usernames()).toEqual([])
    })

    test('says at a rate limit of X until when it waits, and that it goes on by itself', async () => {
      const { headers } = await post('alwayslimited')
      await settled(app.services, ['alwayslimited'], ({ state }) => state === 'waiting')
      const page = await ask(app.url + headers.get('location'))
      expect(page.status).toBe(200)
      expect(page.body).toMatch(/X asks us to wait until \d\d:\d\d UTC; this goes on by itself\./)
    })

    test('is a 503 once the daily budget is spent, which says when to come back and what else can be done', async () => {
      const poor = await start({ X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_DAILY_SPEND_LIMIT: '0.03' })
      const page = await expectRefusal(`${poor.url}/users`, form({ username: 'Fell_Example' }), 503, /budget of \$0\.03.*opens again at 00:00 UTC.*imported/)
      expect(typedUsername(page)).toBe('Fell_Example')
      expect(page.body).toContain('action="/users/import"')
      expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0)
      await poor.close()
    })

    test('shows markup in names and posts as text', async () => {
      const markup = '<script>alert("1")</script><img src=x onerror=\'alert(2)\'>'
      for (const username of ['Mark_Example', 'Down_Example']) {
        x.addUser(username, { name: `${markup} & co` })
        x.addPosts(username, Array.from({ length: 25 }, (_, i) => `${markup.replaceAll('<', '&lt;')} ${i} </p></li>`))
        await add(username)
      }
      const query = `users=Mark_Example&users=Down_Example&text=${encodeURIComponent(`</textarea>${markup}`)}`
      const pages = ['/', '/users/Mark_Example', `/predictions?${query}`, `/predictions?${query}&users=${markup}`]
      for (const path of pages) {
        const { body } = await ask(app.url + path)
        expect(body).toContain('&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;')
        expect(body).toContain('&lt;img src=x onerror=&#39;alert(2)&#39;&gt;')
        expect(body).not.toMatch(/<script(?! src="\/assets\/)|<img src=x|<\/textarea></)
      }
      const user = (await ask(`${app.url}/users/mark_example`, { accept: JSON_TYPE })).json()
      expect(user.tweets[0].text).toBe(`${markup} 24 </p></li>`)
      const notThere = await ask(`${app.url}/users/${encodeURIComponent(markup.replaceAll('/', ''))}`)
      expect(notThere.status).toBe(404)
      expect(notThere.body).not.toMatch(/<script>|<img src=x/)
    })
  })

  describe('the admin page', () => {
    const password = 'pass:wörd with spaces'
    let x: XApiServer
    let app: App

    beforeEach(async () => {
      x = await startXApi()
      const settings = { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '20', ADMIN_PASSWORD: password }
      app = await start(settings)
      await app.services.userStore.reset()
      await app.services.collectJobs.reset()
      await app.services.prisma.spend.deleteMany()
      await app.services.prisma.limit.deleteMany() // of wrong passwords
      const somebody = { id: '1', username: 'somebody', name: 'S', pictureUrl: null, source: 'archive' as const }
      await app.services.tweetStore.saveTweets(somebody, null, tweetsOf('somebody', ['text']), 'none')
    })
    afterEach(async () => {
      await app.close()
      await x.close()
    })

    const basic = (given: string) => ({ authorization: `Basic ${Buffer.from(`operator:${given}`).toString('base64')}` })
    const visit = (path: string, method: string, headers: Record<string, string> = basic(password), accept = HTML) =>
      ask(app.url + path, { method, headers, accept })
    const count = () => app.services.prisma.user.count()

    const DOORS = [['GET', '/admin'], ['POST', '/admin/update'], ['POST', '/admin/reset'], ['POST', '/ADMIN/reset/']]

    test.each(DOORS)('asks for the password at %s %s', async (method, path) => {
      await app.services.prisma.limit.deleteMany() // of wrong passwords
      const attempts: Record<string, string>[] = [
        {}, basic('wrong'), basic(''), basic(`${password} `), basic(password.slice(5)),
        { authorization: basic(password).authorization.replace('Basic', 'Bearer') },
        { authorization: 'Basic' }, { authorization: 'Basic !!!' }, { authorization: password }
      ]
      for (const headers of attempts) {
        const page = await visit(path, method, headers)
        expect(page.status).toBe(401)
        expect(page.headers.get('www-authenticate')).toMatch(/^Basic realm="/)
      }
      const json = await visit(path, method, {}, JSON_TYPE)
      expect([json.status, json.json()]).toEqual([401, { error: expect.stringContaining('password') }])
      expect(await count()).toBe(1)
      expect(x.calls.requests).toBe(0)
    })

    test.each(DOORS)('is closed at %s %s without the setting ADMIN_PASSWORD, which it names', async (method, path) => {
      const closed = await start({ X_BEARER_TOKEN: 'good', X_API_URL: x.url })
      for (const headers of [{}, basic(''), basic('undefined'), basic(password)]) {
        await expectRefusal(closed.url + path, { method, headers }, 403, /ADMIN_PASSWORD/)
      }
      await closed.close()
      expect(await count()).toBe(1)
    })

    test.each(['/admin/update', '/admin/reset'])('changes nothing for GET %s', async (path) => {
      expect((await visit(path, 'GET')).status).toBe(404)
      expect((await visit(path, 'HEAD')).status).toBe(404)
      expect(await count()).toBe(1)
      expect(x.calls.requests).toBe(0)
    })

    test('shows both buttons', async () => {
      const page = await visit('/admin', 'GET')
      expect(page.status).toBe(200)
      expect(page.body).toContain('1 user, 1 tweet.')
      expect(page.body).toMatch(/<form[^>]* action="\/admin\/update" method="post">[^]*Update all/)
      expect(page.body).toMatch(/<form[^>]* action="\/admin\/reset" method="post">[^]*Reset/)
    })

    test('updates every user from X, and shows for each day what X charged for', async () => {
      for (const username of ['Fell_Example', 'Bangs_Example']) await ask(`${app.url}/users`, form({ username }))
      await settled(app.services, ['Fell_Example', 'Bangs_Example'])
      x.addPosts('Fell_Example', ['The first new one.', 'The second new one.'])
      const json = await visit('/admin/update', 'POST', basic(password), JSON_TYPE)
      expect([json.status, json.json()]).toEqual([202, { asked: 2 }])
      await app.services.prisma.collectJob.updateMany({ data: { dueAt: new Date(0) } })
      for (const key of ['fell_example', 'bangs_example']) await app.services.queue.send(key) // as the sweep does after a while
      await settled(app.services, ['Fell_Example', 'Bangs_Example'])
      expect(await app.services.userStore.findUser('Fell_Example')).toMatchObject({ tweets: 22 })
      const { body } = await visit('/admin', 'GET')
      expect(body).toContain('At most $10.00 a day')
      expect(body).toMatch(/<td>\d{4}-\d\d-\d\d<\/td><td>42<\/td><td>4<\/td><td>\$0\.25<\/td>/)
      expect((await visit('/admin', 'GET', basic(password), JSON_TYPE)).json()).toMatchObject({ spend: [{ posts: 42, users: 4, dollars: 0.25 }], limit: 10 })
    })

    test('says how many users will be updated, or that nobody comes from X', async () => {
      expect((await visit('/admin/update', 'POST')).body).toContain('Nobody here comes from X, or all are being read already.')
      await ask(`${app.url}/users`, form({ username: 'Fell_Example' }))
      await settled(app.services, ['Fell_Example'])
      expect((await visit('/admin/update', 'POST')).body).toContain('1 user will be read, one after another.')
    })

    test('removes everybody, and says how many they were', async () => {
      const json = await visit('/admin/reset', 'POST', basic(password), JSON_TYPE)
      expect([json.status, json.json()]).toEqual([200, { removed: 1 }])
      expect(await app.services.prisma.tweet.count()).toBe(0)
      expect((await visit('/admin/reset', 'POST')).body).toContain('0 users removed.')
      expect((await ask(app.url)).body).toContain('Nobody has been added yet.')
    })
  })
})
