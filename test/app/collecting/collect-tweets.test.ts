import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ExpectedError } from '../../../src/core/errors.js'
import { dot, fromBytes } from '../../../src/core/vectors.js'
import { createXApi } from '../../../src/sources/x/x-api.js'
import { collect } from '../../support/collect.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { openTestServices, type TestServices } from '../../support/services.js'
import { createXBudget } from '../../../src/storage/x-budget.js'
import { startXApi, type XApiServer } from '../../../support/x-api-stand-in.js'
import { sharedThreads } from '../../support/threads.js'

const threads = sharedThreads()

describe.each(databases)('collecting tweets into the $name', ({ open }) => {
  let database: TestDatabase
  let x: XApiServer
  let services: TestServices

  beforeAll(async () => {
    database = await open()
  })
  beforeEach(async () => {
    x = await startXApi()
    services = await openTestServices(database, { X_BEARER_TOKEN: 'good', X_API_URL: x.url }, threads)
    await services.userStore.reset()
    await services.collectJobs.reset()
    await services.prisma.spend.deleteMany()
  })
  afterEach(async () => {
    await services.close()
    await x.close()
  })
  afterAll(() => database.close())

  const limitedTo = (posts: number): TestServices => ({ ...services, config: { ...services.config, X_POSTS_PER_USER: posts } })

  /** The stored tweets, newest first. */
  const stored = () => services.prisma.tweet.findMany({ orderBy: { position: 'desc' } })
  const storedTexts = async () => (await stored()).map(({ text }) => text)

  test('stores a user and their newest posts, each with its vector', async () => {
    const { user, added } = await collect(limitedTo(130), 'tansy_EXAMPLE')
    expect(added).toBe(130)
    expect(user).toMatchObject({
      id: x.userId('Tansy_Example'),
      username: 'Tansy_Example',
      name: 'tansy 🌱',
      pictureUrl: expect.stringMatching(/^https:\/\/pbs\.twimg\.com\//),
      source: 'x',
      tweets: 130
    })
    expect(user).toEqual(await services.userStore.findUser('Tansy_Example'))
    const tweets = await stored()
    expect(user.newestTweetId).toBe(tweets[0].id)
    expect(tweets.map(({ id }) => id)).toEqual(tweets.map(({ position }) => String(position)))
    expect(tweets.every(({ createdAt }) => createdAt instanceof Date)).toBe(true)
    expect(tweets.filter(({ text }) => /^(@|RT @)/.test(text))).toEqual([])
    for (const tweet of [tweets[0], tweets[77], tweets[129]]) {
      expect(tweet.encoder).toBe(await threads.encoderName())
      expect(dot(fromBytes(tweet.embedding), await threads.embed([tweet.text]))).toBeCloseTo(1, 4)
    }
  })

  test('pays X for each post once: the second time it reads only what is newer', async () => {
    const first = await collect(limitedTo(60), 'Fell_Example')
    expect(x.calls).toEqual({ requests: 2, users: 1, posts: 60 })
    x.addPosts('Fell_Example', ['The ferry is late.', '@Query_Example It is.', 'The ferry has come after all.'])
    const second = await collect(limitedTo(60), 'Fell_Example')
    expect(second.added).toBe(2)
    expect(x.calls).toEqual({ requests: 4, users: 2, posts: 62 })
    expect(second.user.tweets).toBe(62)
    expect(BigInt(second.user.newestTweetId!)).toBeGreaterThan(BigInt(first.user.newestTweetId!))
    expect((await storedTexts()).slice(0, 2)).toEqual(['The ferry has come after all.', 'The ferry is late.'])
  })

  test('adds nothing when nothing is newer, and stores when that was looked up', async () => {
    const { user } = await collect(limitedTo(20), 'Fell_Example')
    await services.prisma.user.updateMany({ data: { collectedAt: new Date(0) } })
    const again = await collect(limitedTo(20), 'FELL_example')
    expect(again).toMatchObject({ added: 0, user: { tweets: 20, newestTweetId: user.newestTweetId } })
    expect(again.user.collectedAt).not.toEqual(new Date(0))
    expect(x.calls.posts).toBe(20)
    expect(await services.userStore.listUsers()).toHaveLength(1)
  })

  test('updates the name and the picture', async () => {
    const account = x.addUser('Wren_Example', { name: 'Before' })
    x.addPosts('Wren_Example', ['one thing', 'another thing'])
    await collect(services, 'Wren_Example')
    Object.assign(account, { name: 'After', profile_image_url: 'https://pbs.twimg.com/after.png' })
    expect(await collect(services, 'Wren_Example')).toMatchObject({
      added: 0,
      user: { name: 'After', pictureUrl: 'https://pbs.twimg.com/after.png', tweets: 2 }
    })
  })

  test.each([
    [20, 20, 20],
    [100, 100, 100],
    [101, 105, 105],
    [200, 108, 108]
  ])('with X_POSTS_PER_USER at %d keeps %d posts of a user with 108, all of the %d that it reads', async (limit, kept, read) => {
    const { added, user } = await collect(limitedTo(limit), 'Fell_Example')
    expect([added, user.tweets, x.calls.posts]).toEqual([kept, kept, read])
  })

  test('keeps one of several posts that differ only in links, case and spaces', async () => {
    x.addUser('Echo_Example')
    x.addPosts('Echo_Example', ['Good  morning', 'GOOD MORNING https://t.co/abc', 'Good night', 'https://t.co/only'])
    expect(await collect(services, 'Echo_Example')).toMatchObject({ added: 2 })
    expect(await storedTexts()).toEqual(['Good night', 'GOOD MORNING https://t.co/abc'])
  })

  test('does not store a repeat of a stored post, and never reads it again', async () => {
    x.addUser('Echo_Example')
    x.addPosts('Echo_Example', ['Good morning', 'Good night'])
    await collect(services, 'Echo_Example')
    x.addPosts('Echo_Example', ['good night https://t.co/xyz', 'GOOD MORNING'])
    expect(await collect(services, 'Echo_Example')).toMatchObject({ added: 0, user: { tweets: 2 } })
    expect(x.calls.posts).toBe(4)
    expect(await collect(services, 'Echo_Example')).toMatchObject({ added: 0, user: { tweets: 2 } })
    expect(x.calls.posts).toBe(4)
  })

  test('continues after an empty page that is not the last', async () => {
    expect(await collect(limitedTo(20), 'emptypage')).toMatchObject({ added: 20 })
  })

  test('stores posts beside which X reports errors', async () => {
    expect(await collect(limitedTo(20), 'partial')).toMatchObject({ added: 20 })
  })

  test('stores long posts whole, with entities decoded once', async () => {
    await collect(limitedTo(20), 'longposts')
    for (const text of await storedTexts()) {
      expect(text).toMatch(/^Tea & toast <3 .{280,}The end\.$/)
      expect(text).not.toContain('&amp;')
    }
    x.addUser('Entity_Example')
    x.addPosts('Entity_Example', ['how to write &amp;lt; &amp; &quot;'])
    await collect(services, 'Entity_Example')
    expect(await storedTexts()).toContain('how to write &lt; & "')
  })

  test('keeps a user who has a new name on X, and reads only what is newer', async () => {
    x.addUser('Old_Example')
    x.addPosts('Old_Example', ['one thing', 'another thing'])
    await collect(services, 'Old_Example')
    x.addUser('New_Example').id = x.userId('Old_Example')
    expect(await collect(services, 'New_Example')).toMatchObject({ added: 0, user: { username: 'New_Example' } })
    expect(x.calls.posts).toBe(2)
    expect(await services.userStore.listUsers()).toMatchObject([{ username: 'New_Example', tweets: 2 }])
  })

  test('finds a user by id whose old name nobody has any more', async () => {
    x.addUser('Old_Example')
    x.addPosts('Old_Example', ['one thing', 'another thing'])
    await collect(services, 'Old_Example')
    x.renameUser('Old_Example', 'New_Example')
    expect(await collect(services, 'Old_Example')).toMatchObject({ added: 0, user: { username: 'New_Example', tweets: 2 } })
    expect(await services.userStore.listUsers()).toHaveLength(1)
    expect(x.calls.posts).toBe(2)
    expect(await services.xBudget.spentToday()).toMatchObject({ posts: 2, users: 3 })
  })

  test('reads few of the newest posts where X refuses to say which are newer', async () => {
    await collect(limitedTo(60), 'sinceold')
    expect(await collect(limitedTo(60), 'sinceold')).toMatchObject({ added: 0, user: { tweets: 60 } })
    expect(x.calls.posts).toBe(65)
    x.addPosts('sinceold', Array.from({ length: 7 }, (_, i) => `Something new, ${i}`))
    expect(await collect(limitedTo(60), 'sinceold')).toMatchObject({ added: 7, user: { tweets: 67 } })
    expect(x.calls.posts).toBe(125)
  })

  test('buys a page once whatever it holds, and stores what can be stored', async () => {
    const odd = [
      null, { id: '99999999999999999999', text: 'a' }, { id: '-1', text: 'b' }, { id: '5', text: null },
      { id: '8', text: 'half \ud800 and \0 nothing', created_at: '0000-01-01T00:00:00Z' }, { id: '7', text: `a${'\u0315\u0300'.repeat(12_500)}`, created_at: '+275760-09-13T00:00:00Z' }
    ]
    x.addUser('Odd_Example')
    x.addPosts('Odd_Example', ['one thing', 'another thing'])
    x.reshape = (body) => ({ ...(body as object), data: [...(body as { data: unknown[] }).data, ...odd] })
    expect(await collect(limitedTo(20), 'Odd_Example')).toMatchObject({ added: 4 })
    expect((await stored()).map(({ id, createdAt }) => [id, createdAt]).slice(2)).toEqual([['8', null], ['7', null]])
    expect(await services.xBudget.spentToday()).toMatchObject({ posts: 8, users: 1 })
  })

  test('starts again for an account that was given the name of another', async () => {
    await collect(limitedTo(20), 'Fell_Example')
    x.addUser('Fell_Example').id = '424242'
    x.addPosts('Fell_Example', ['I am somebody else', 'entirely'])
    expect(await collect(services, 'Fell_Example')).toMatchObject({ added: 2, user: { id: '424242', tweets: 2 } })
    expect(await services.userStore.listUsers()).toHaveLength(1)
    expect(await storedTexts()).toEqual(['entirely', 'I am somebody else'])
  })

  test('replaces a sample user of the same name', async () => {
    const sample = { id: 'sample:1', username: 'fell_example', name: 'S', pictureUrl: null, source: 'sample' as const }
    await services.tweetStore.saveTweets(sample, null, [], 'encoder')
    await collect(limitedTo(20), 'Fell_Example')
    expect(await services.userStore.listUsers()).toMatchObject([{ source: 'x', tweets: 20 }])
  })

  test.each([
    ['nobody', 'not-found'], ['gone', 'not-found'], ['suspended', 'forbidden'], ['protected', 'forbidden'], ['protectedtl', 'forbidden'],
    ['empty', 'unusable'], ['onlyreplies', 'unusable'],
    ['unauthorized', 'unavailable'], ['broke', 'unavailable'], ['notenrolled', 'unavailable'], ['capped', 'unavailable'], ['ratelimitedforever', 'unavailable'],
    ['flaky', 'bad-source'], ['down', 'bad-source'], ['garbage', 'bad-source'], ['oddshape', 'bad-source'], ['nullerror', 'bad-source'], ['badgzip', 'bad-source'],
    ['cutoff', 'bad-source'], ['hangup', 'bad-source'], ['slow', 'bad-source'], ['trickle', 'bad-source']
  ])('leaves no user behind when %s fails (%s) before the first page', async (username, reason) => {
    const hangs = ['slow', 'trickle'].includes(username)
    const hasty = { ...services, xApi: createXApi({ token: 'good', url: x.url, timeoutMs: 200 }) }
    const error = await collect(hangs ? hasty : services, username).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ExpectedError)
    expect(error).toMatchObject({ reason })
    expect(await services.userStore.listUsers()).toEqual([])
    expect(await stored()).toEqual([])
  })

  test('fails for a user without posts of their own, and says why', async () => {
    x.addUser('Links_Example')
    x.addPosts('Links_Example', ['https://t.co/a', 'https://t.co/b'])
    for (const username of ['empty', 'onlyreplies', 'Links_Example']) {
      await expect(collect(services, username)).rejects.toThrow(`@${username} has no posts of their own`)
    }
    expect(await services.userStore.listUsers()).toEqual([])
  })

  test('works when it is tried again after X was unwell', async () => {
    for (let i = 0; i < 2; i++) await expect(collect(limitedTo(20), 'flaky')).rejects.toThrow('X is not well')
    expect(await collect(limitedTo(20), 'flaky')).toMatchObject({ added: 20 })
  })

  test('leaves a stored user unchanged when X refuses', async () => {
    await collect(limitedTo(20), 'Fell_Example')
    const before = await services.userStore.listUsers()
    const refused = { ...services, xApi: createXApi({ token: 'wrong', url: x.url }) }
    await expect(collect(refused, 'Fell_Example')).rejects.toMatchObject({ reason: 'unavailable' })
    expect(await services.userStore.listUsers()).toEqual(before)
  })

  test('keeps what was read when the texts cannot be embedded, and embeds it when it is tried again', async () => {
    const broken = { ...limitedTo(20), threads: { ...threads, embed: () => Promise.reject(new Error('no encoder')) } }
    await expect(collect(broken, 'Fell_Example')).rejects.toThrow('no encoder')
    expect(await collect(limitedTo(20), 'Fell_Example')).toMatchObject({ added: 20 })
    expect((await stored()).map(({ encoder }) => encoder)).toEqual(Array(20).fill(await threads.encoderName()))
    expect(x.calls.posts).toBe(20)
  })

  test('continues after the last stored page, and pays for no post twice', async () => {
    let pages = 0
    const readPosts: TestServices['xApi']['readPosts'] = async (...page) => {
      if (pages++ === 2) throw new ExpectedError('bad-source', 'X is not well at the moment.', {})
      return services.xApi.readPosts(...page)
    }
    await expect(collect({ ...limitedTo(250), xApi: { ...services.xApi, readPosts } }, 'Tansy_Example')).rejects.toThrow('not well')
    expect(await services.userStore.listUsers()).toMatchObject([{ tweets: 200, newestTweetId: null }])
    x.addPosts('Tansy_Example', ['written in between'])
    expect(await collect(limitedTo(250), 'Tansy_Example')).toMatchObject({ added: 250, user: { tweets: 250 } })
    expect(x.calls).toMatchObject({ posts: 250, users: 1 })
    expect(new Set(x.served).size).toBe(250)
    expect(await collect(limitedTo(250), 'Tansy_Example')).toMatchObject({ added: 1, user: { tweets: 251 } })
  })

  describe('of many pages', () => {
    const POSTS = 1000 // 10 pages
    const many = (): TestServices => ({ ...services, config: { ...services.config, X_POSTS_PER_USER: POSTS }, xBudget: createXBudget(services.prisma, 1_000) })

    /** The services, and how many rows of tweets they have read from the database. */
    function counting(services: TestServices): { services: TestServices; rows: () => number } {
      let rows = 0
      const count = (result: unknown): unknown => (Array.isArray(result) ? ((rows += result.length), result) : result)
      const tweetStore = new Proxy(services.tweetStore, {
        get: (store, name: keyof TestServices['tweetStore']) => async (...args: never[]) => count(await (store[name] as (...args: never[]) => unknown)(...args))
      })
      return { services: { ...services, tweetStore }, rows: () => rows }
    }

    beforeEach(() => {
      x.addUser('Prolific')
      x.addPosts('Prolific', Array.from({ length: POSTS }, (_, i) => `This is what I have to say for the ${i}th time.`))
    })

    test('reads each text that was stored before once from the database, and each new one once for its vector', async () => {
      const first = counting(many())
      await collect(first.services, 'Prolific')
      expect(first.rows()).toBe(POSTS)
      x.removePosts('Prolific', 100, 400)
      const again = counting(many()) // all pages once more
      const { user } = await collect(again.services, 'Prolific')
      expect(user.tweets).toBe(POSTS - 100)
      expect(again.rows()).toBe(POSTS + 100) // all texts once, and those that are gone
    })

    test('keeps one of several posts that repeat each other on different pages', async () => {
      x.addUser('Echo_Example')
      x.addPosts('Echo_Example', Array.from({ length: 250 }, (_, i) => `The ${i % 120}th thought`))
      expect(await collect(many(), 'Echo_Example')).toMatchObject({ added: 120, user: { tweets: 120 } })
      expect(x.calls.posts).toBe(250)
    })

    test('stores an older repeat, on a later page, of a post that is gone', async () => {
      x.addUser('Echo_Example')
      x.addPosts('Echo_Example', Array.from({ length: 250 }, (_, i) => `The ${i % 120}th thought`))
      await collect(many(), 'Echo_Example')
      x.removePosts('Echo_Example', 10)
      expect(await collect(many(), 'Echo_Example')).toMatchObject({ added: 10, user: { tweets: 120 } })
    })
  })

  test('looks the user up again where the stored profile is damaged, and continues where it was', async () => {
    let pages = 0
    const readPosts: TestServices['xApi']['readPosts'] = async (...page) => {
      if (pages++ === 1) throw new ExpectedError('bad-source', 'X is not well at the moment.', {})
      return services.xApi.readPosts(...page)
    }
    await expect(collect({ ...limitedTo(250), xApi: { ...services.xApi, readPosts } }, 'Tansy_Example')).rejects.toThrow('not well')
    await services.prisma.collectJob.updateMany({ data: { profile: { id: 7, username: 'Tansy_Example' } } })
    expect(await collect(limitedTo(250), 'Tansy_Example')).toMatchObject({ user: { username: 'Tansy_Example', tweets: 250 } })
    expect(x.calls).toMatchObject({ posts: 250, users: 2 })
  })

  describe('of a user who has deleted some', () => {
    test('removes those that X no longer shows, and counts them', async () => {
      await collect(limitedTo(60), 'Fell_Example')
      const gone = x.removePosts('Fell_Example', 3, 5)
      x.addPosts('Fell_Example', ['Something new.'])
      const { user, added } = await collect(limitedTo(60), 'Fell_Example')
      const ids = (await stored()).map(({ id }) => id)
      expect(gone.filter((id) => ids.includes(id))).toEqual([])
      expect((await services.collectJobs.find(['Fell_Example']))[0].removed).toBe(3)
      expect(ids).toEqual(x.served.slice(-60).concat(ids.slice(60)))
      expect(added).toBeGreaterThan(0)
      expect(user.tweets).toBe(ids.length)
    })

    test('reads all again at once the first time, and then not before three days have passed', async () => {
      const again = () => collect(limitedTo(60), 'Fell_Example')
      await again()
      x.removePosts('Fell_Example', 1, 3)
      await again()
      expect(x.calls.posts).toBe(120)
      const [gone] = x.removePosts('Fell_Example', 1, 3)
      for (let i = 0; i < 3; i++) await again()
      expect(x.calls.posts).toBe(120)
      await services.prisma.user.updateMany({ data: { rereadAt: new Date(Date.now() - 73 * 3_600_000) } })
      await again()
      expect(x.calls.posts).toBe(180)
      expect((await stored()).map(({ id }) => id)).not.toContain(gone)
      await again()
      expect(x.calls.posts).toBe(180)
    })

    test('keeps older ones that X was not asked for again', async () => {
      await collect(limitedTo(100), 'Fell_Example')
      x.removePosts('Fell_Example', 1, 1)
      await collect(limitedTo(20), 'Fell_Example')
      expect((await stored()).length).toBe(99)
    })

    test('removes those that are older than all that are left', async () => {
      await collect(limitedTo(60), 'Fell_Example')
      x.removePosts('Fell_Example', 200, 10)
      await collect(limitedTo(60), 'Fell_Example')
      expect((await stored()).map(({ id }) => id)).toEqual(x.served.slice(60))
      expect(await stored()).toHaveLength(9)
    })

    test('removes the user who has none left', async () => {
      await collect(limitedTo(60), 'Fell_Example')
      x.removePosts('Fell_Example', 200)
      await expect(collect(limitedTo(60), 'Fell_Example')).rejects.toMatchObject({ reason: 'unusable' })
      expect(await stored()).toEqual([])
    })

    test('reads only what is newer where there are as many as before', async () => {
      await collect(limitedTo(60), 'Fell_Example')
      x.addPosts('Fell_Example', ['Something new.', 'Something newer.'])
      x.removePosts('Fell_Example', 1, 10)
      await collect(limitedTo(60), 'Fell_Example')
      expect(x.calls.posts).toBe(62)
    })

    test('stores a repeat of one that is gone', async () => {
      x.addUser('Echo_Example')
      x.addPosts('Echo_Example', ['Good morning', 'Good night'])
      await collect(services, 'Echo_Example')
      x.addPosts('Echo_Example', ['GOOD MORNING'])
      x.removePosts('Echo_Example', 2, 1)
      await collect(services, 'Echo_Example')
      expect(await storedTexts()).toEqual(['GOOD MORNING'])
    })
  })
})
