import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { createTweetStore, type Corpus, type NewTweet, type Stale, type TweetStore } from '../../../src/storage/tweets.js'
import { createUserStore, type Step, type UserStore, type UserProfile } from '../../../src/storage/users.js'

function profile(username: string, fields: Partial<UserProfile> = {}): UserProfile {
  return { id: `id of ${username}`, username, name: username, pictureUrl: null, source: 'x', ...fields }
}

/** Tweets 1 … n of a user, the last one the newest. */
function tweetsOf(username: string, n: number, fields: Partial<NewTweet> = {}): NewTweet[] {
  return Array.from({ length: n }, (_, i) => ({
    id: `${username} ${i + 1}`,
    text: `${username} says ${i + 1}`,
    createdAt: new Date(Date.UTC(2024, 0, 1, 0, i)),
    position: BigInt(i + 1),
    embedding: Float32Array.of(i, 1),
    ...fields
  }))
}

const idsOf = (items: { id: string }[]): string[] => items.map(({ id }) => id)

describe.each(databases)('the store on the $name', ({ open }) => {
  let database: TestDatabase
  let prisma: ReturnType<typeof connect>
  let userStore: UserStore
  let tweetStore: TweetStore

  beforeAll(async () => {
    database = await open()
    prisma = connect(database.url)
    userStore = createUserStore(prisma)
    tweetStore = createTweetStore(prisma)
  })
  beforeEach(() => prisma.user.deleteMany())
  afterAll(async () => {
    await prisma.$disconnect()
    await database.close()
  })

  const save = (username: string, n: number, fields: Partial<UserProfile> = {}) =>
    tweetStore.saveTweets(profile(username, fields), null, tweetsOf(username, n), 'encoder@1')

  test('answers a ping', async () => {
    expect(await userStore.ping()).toBeUndefined()
  })

  test('lists nobody when nobody is there', async () => {
    expect(await userStore.listUsers()).toEqual([])
  })

  test('lists users with what is known of them, the latest collected first, then by name', async () => {
    await save('Ann', 2, { name: 'Ann A.', pictureUrl: 'https://pbs.twimg.com/a.png' })
    for (const username of ['Cyd', 'Bob']) await save(username, 1, { source: 'sample' })
    await prisma.user.updateMany({ data: { collectedAt: new Date(1000) } })
    await prisma.user.update({ where: { id: 'id of Ann' }, data: { collectedAt: new Date(2000) } })
    const users = await userStore.listUsers()
    expect(users.map(({ username }) => username)).toEqual(['Ann', 'Bob', 'Cyd'])
    expect(users[0]).toEqual({
      id: 'id of Ann',
      username: 'Ann',
      name: 'Ann A.',
      pictureUrl: 'https://pbs.twimg.com/a.png',
      source: 'x',
      newestTweetId: null,
      postsOnX: null,
      collectedAt: new Date(2000),
      tweets: 2
    })
  })

  test('finds a user whatever the case of the name, spelt as it was stored', async () => {
    await save('Mixed_Case', 1)
    for (const username of ['mixed_case', 'MIXED_CASE', 'Mixed_Case']) {
      expect(await userStore.findUser(username)).toMatchObject({ username: 'Mixed_Case', tweets: 1 })
    }
    expect(await userStore.findUser('mixedcase')).toBeNull()
    expect(await userStore.findUser('mixed%')).toBeNull()
  })

  test('finds a user by id, exactly', async () => {
    await save('Ann', 2, { id: '9007199254740993' })
    expect(await userStore.findUserById('9007199254740993')).toEqual(await userStore.findUser('Ann'))
    expect(await userStore.findUserById('9007199254740992')).toBeNull()
  })

  test('takes no second user whose name differs in case only', async () => {
    await save('Same', 1, { id: '1' })
    await save('sAME', 1, { id: '1' })
    expect(await userStore.listUsers()).toMatchObject([{ id: '1', username: 'sAME' }])
    const twin = prisma.user.create({
      data: { ...profile('SAME', { id: '2' }), usernameKey: 'same', collectedAt: new Date() }
    })
    await expect(twin).rejects.toThrow(/usernameKey/)
  })

  test('keeps ids beyond 2^53 exact, and orders by them', async () => {
    const ids = ['9007199254740993', '9007199254740992', '9007199254740994', '9223372036854775807']
    const tweets = ids.map((id) => ({ ...tweetsOf('Big', 1)[0], id, position: BigInt(id) }))
    await tweetStore.saveTweets(profile('Big', { id: '9007199254740993' }), '9223372036854775807', tweets, 'encoder@1')
    await tweetStore.saveTweets(profile('Other', { id: '9007199254740992' }), null, [], 'encoder@1')
    expect(await userStore.findUser('big')).toMatchObject({ id: '9007199254740993', newestTweetId: '9223372036854775807' })
    expect((await tweetStore.listTweets('9007199254740992', 1)).tweets).toEqual([])
    expect(idsOf((await tweetStore.listTweets('9007199254740993', 1)).tweets)).toEqual([...ids].sort().reverse())
  })

  describe('tweets', () => {
    test('come newest first, a page at a time, each once', async () => {
      await save('Ann', 7)
      await save('Bob', 3)
      const pages = await Promise.all([1, 2, 3].map((page) => tweetStore.listTweets('id of Ann', page, 3)))
      expect(pages.flatMap(({ tweets }) => idsOf(tweets)))
        .toEqual([7, 6, 5, 4, 3, 2, 1].map((i) => `Ann ${i}`))
      expect(pages.map(({ page, pages }) => [page, pages])).toEqual([[1, 3], [2, 3], [3, 3]])
      expect(pages[2].tweets).toEqual([
        { id: 'Ann 1', text: 'Ann says 1', createdAt: new Date(Date.UTC(2024, 0, 1)) }
      ])
    })

    test('that share a position are on one page each all the same', async () => {
      const tweets = tweetsOf('Ann', 150, { position: 5n })
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      // What the database finds first changes with what is written.
      await prisma.tweet.updateMany({ where: { id: { endsWith: '7' } }, data: { encoder: 'encoder@2' } })
      const pages = await Promise.all([1, 2, 3].map((page) => tweetStore.listTweets('id of Ann', page)))
      expect(new Set(pages.flatMap(({ tweets }) => idsOf(tweets))).size).toBe(150)
    })

    test('are the last ones on a page beyond the last, and none for a user without any', async () => {
      await save('Ann', 3)
      await save('Bob', 0)
      expect(await tweetStore.listTweets('id of Ann', 9, 3)).toEqual(await tweetStore.listTweets('id of Ann', 1, 3))
      expect(await tweetStore.listTweets('id of Bob', 1)).toEqual({ tweets: [], page: 1, pages: 1 })
    })

    test('may have no date', async () => {
      await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('Ann', 1, { createdAt: null }), 'encoder@1')
      expect((await tweetStore.listTweets('id of Ann', 1)).tweets).toMatchObject([{ createdAt: null }])
    })

    test('give their texts to the character', async () => {
      const texts = ['two\nlines', '👩🏽‍🚀 日本語 العربية', `'; DROP TABLE "User" --`, '', '\\x00 %s $1']
      const tweets = texts.map((text, i) => ({ ...tweetsOf('Ann', texts.length)[i], text }))
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      await save('Bob', 2)
      expect((await tweetStore.listTexts('id of Ann')).map(({ text }) => text).sort()).toEqual([...texts].sort())
    })
  })

  test('tweets of one id by two users are stored for both, and counted', async () => {
    expect(await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('same', 2), 'encoder@1')).toBe(2)
    expect(await tweetStore.saveTweets(profile('Bob'), null, tweetsOf('same', 3), 'encoder@1')).toBe(3)
    expect(await tweetStore.saveTweets(profile('Bob'), null, tweetsOf('same', 4), 'encoder@1')).toBe(1)
    expect((await userStore.listUsers()).map(({ username, tweets }) => [username, tweets]).sort()).toEqual([['Ann', 2], ['Bob', 4]])
  })

  describe('the corpus', () => {
    const corpusOf = async (size: number): Promise<Corpus> => (await tweetStore.loadCorpus('id of Ann', 'encoder@1', size)) as Corpus

    test('of a user who is not there is empty', async () => {
      expect(await corpusOf(100)).toEqual({ ids: [], texts: [], dates: [], vectors: new Float32Array(0) })
    })

    test('is of the newest tweets, as many as are asked for', async () => {
      await save('Ann', 5)
      expect((await corpusOf(2)).ids).toEqual(['Ann 5', 'Ann 4'])
    })

    test('has ids, texts and vectors in one order, newest first', async () => {
      await save('Ann', 3)
      expect(await corpusOf(100)).toEqual({
        ids: ['Ann 3', 'Ann 2', 'Ann 1'],
        texts: ['Ann says 3', 'Ann says 2', 'Ann says 1'],
        dates: tweetsOf('Ann', 3).map(({ createdAt }) => createdAt).reverse(),
        vectors: Float32Array.of(2, 1, 1, 1, 0, 1)
      })
    })

    test('has each vector bit by bit, stored as little-endian float32', async () => {
      const embedding = Float32Array.of(1, -0, 1e-45, -3.4028234663852886e38, 1 / 3, Infinity)
      const whole = new Float32Array([9, ...embedding, 9])
      const part = whole.subarray(1, -1)
      await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('Ann', 1, { embedding: part }), 'encoder@1')
      const stored = await prisma.tweet.findFirstOrThrow()
      expect(Buffer.from(stored.embedding).toString('hex')).toBe('0000803f0000008001000000ffff7fffabaaaa3e0000807f')
      const vector = (await corpusOf(100)).vectors
      expect([...vector].map((value) => Object.is(value, -0) ? '-0' : value))
        .toEqual([...embedding].map((value) => Object.is(value, -0) ? '-0' : value))
    })

    test('names the tweets whose vectors another encoder made, until they are made anew', async () => {
      await save('Ann', 2)
      await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('Ann', 4), 'encoder@2')
      const { stale } = (await tweetStore.loadCorpus('id of Ann', 'encoder@2', 100)) as Stale
      expect(idsOf(stale)).toEqual(['Ann 2', 'Ann 1'])
      expect(stale[0].text).toBe('Ann says 2')
      await tweetStore.saveVectors('id of Ann', stale.map(({ id }, i) => ({ id, embedding: Float32Array.of(9, 8, i) })), 'encoder@2')
      expect(await tweetStore.loadCorpus('id of Ann', 'encoder@2', 100)).toMatchObject({
        ids: ['Ann 4', 'Ann 3', 'Ann 2', 'Ann 1'],
        vectors: Float32Array.of(3, 1, 2, 1, 9, 8, 0, 9, 8, 1)
      })
    })

    test('is left as it is when no vectors are given', async () => {
      await save('Ann', 1)
      await tweetStore.saveVectors('id of Ann', [], 'encoder@2')
      expect((await corpusOf(100)).ids).toEqual(['Ann 1'])
    })
  })

  describe('saving', () => {
    test('adds to what is there, changes the profile, and keeps a tweet that is there already as it is', async () => {
      await save('Ann', 2)
      const changed = profile('Ann', { name: 'New name', pictureUrl: 'https://pbs.twimg.com/b.png' })
      await prisma.user.updateMany({ data: { collectedAt: new Date(0) } })
      await tweetStore.saveTweets(changed, 'Ann 3', tweetsOf('Ann', 3, { text: 'said otherwise' }), 'encoder@1')
      const user = await userStore.findUser('ann')
      expect(user).toMatchObject({ ...changed, newestTweetId: 'Ann 3', tweets: 3 })
      expect(user!.collectedAt).not.toEqual(new Date(0))
      expect((await tweetStore.listTexts('id of Ann')).map(({ text }) => text).sort()).toEqual(['Ann says 1', 'Ann says 2', 'said otherwise'])
    })

    test('keeps the newest post that was seen where none is named', async () => {
      await tweetStore.saveTweets(profile('Ann'), '77', tweetsOf('Ann', 1), 'encoder@1')
      await tweetStore.saveTweets(profile('Ann'), null, [], 'encoder@1')
      expect(await userStore.findUser('Ann')).toMatchObject({ newestTweetId: '77', tweets: 1 })
    })

    test('that fails leaves no half of a new user', async () => {
      const tweets = tweetsOf('Ann', 30)
      tweets[29].position = 2n ** 63n
      await expect(tweetStore.saveTweets(profile('Ann'), '30', tweets, 'encoder@1')).rejects.toThrow()
      expect(await userStore.listUsers()).toEqual([])
      expect(await prisma.tweet.count()).toBe(0)
    })

    test('that fails leaves a user who was there as they were, and whoever had the name', async () => {
      await save('Ann', 2)
      await save('Bob', 2)
      const before = await userStore.listUsers()
      const tweets = tweetsOf('Ann', 30, { position: 2n ** 63n })
      const renamed = profile('Bob', { id: 'id of Ann', name: 'New name' })
      await expect(tweetStore.saveTweets(renamed, '30', tweets, 'encoder@1')).rejects.toThrow()
      expect(await userStore.listUsers()).toEqual(before)
    })

    test('a user who is called otherwise now keeps their tweets', async () => {
      await save('Old_Name', 2, { id: '1' })
      await tweetStore.saveTweets(profile('New_Name', { id: '1' }), null, tweetsOf('New_Name', 1), 'encoder@1')
      expect(await userStore.listUsers()).toMatchObject([{ id: '1', username: 'New_Name', tweets: 3 }])
      expect(await userStore.findUser('old_name')).toBeNull()
      expect(await userStore.findUser('new_name')).toMatchObject({ id: '1' })
    })

    test('an account that was given the name of another takes its place, and none of its tweets', async () => {
      await save('Wanted', 2, { id: '1' })
      await tweetStore.saveTweets(profile('wanted', { id: '2' }), null, tweetsOf('second', 1), 'encoder@1')
      expect(await userStore.listUsers()).toMatchObject([{ id: '2', username: 'wanted', tweets: 1 }])
      expect(await prisma.tweet.count()).toBe(1)
    })

    test('as many tweets as may be collected goes at once', async () => {
      const embedding = new Float32Array(384).fill(0.5)
      const tweets = tweetsOf('Ann', 3200, { embedding })
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      expect(await userStore.findUser('Ann')).toMatchObject({ tweets: 3200 })
      await tweetStore.saveVectors('id of Ann', idsOf(tweets).map((id) => ({ id, embedding })), 'encoder@2')
      expect(await tweetStore.loadCorpus('id of Ann', 'encoder@2', 100)).not.toHaveProperty('stale')
    })

    test('the same user twice at once makes one user with each tweet once', async () => {
      for (let round = 0; round < 10; round++) {
        await userStore.reset()
        await Promise.all([save('Ann', 20), save('Ann', 20), save('Ann', 20)])
        expect(await userStore.listUsers()).toMatchObject([{ username: 'Ann', tweets: 20 }])
      }
    })
  })

  describe('removing', () => {
    test('a user takes their tweets along and nobody else\'s', async () => {
      await save('Ann', 3)
      await save('Bob', 2)
      await userStore.removeUser('id of Ann')
      expect(await userStore.listUsers()).toMatchObject([{ username: 'Bob', tweets: 2 }])
      expect(await prisma.tweet.count()).toBe(2)
      await userStore.removeUser('nobody')
      expect(await userStore.listUsers()).toHaveLength(1)
    })

    describe('a user who is gone at X', () => {
      const STEP: Step = async (tx) => void (await tx.spend.create({ data: { day: new Date(0) } }))
      const refuse = (): never => {
        throw new Error('The lease is lost.')
      }
      beforeEach(() => prisma.spend.deleteMany())

      test('goes with the tweets, whatever the case of the name, and the step is stored', async () => {
        await save('Ann', 2)
        await save('Bob', 1)
        await userStore.removeGoneUser('aNN', STEP)
        expect(await userStore.listUsers()).toMatchObject([{ username: 'Bob' }])
        expect([await prisma.tweet.count(), await prisma.spend.count()]).toEqual([1, 1])
      })

      test('stays where the step throws, of which nothing is stored', async () => {
        await save('Ann', 2)
        await expect(userStore.removeGoneUser('Ann', async (tx) => (await STEP(tx, 0), refuse()))).rejects.toThrow('The lease is lost.')
        expect(await userStore.findUser('Ann')).toMatchObject({ tweets: 2 })
        expect(await prisma.spend.count()).toBe(0)
      })

      test('takes the step back where the removal breaks off', async () => {
        await save('Ann', 2)
        await prisma.$executeRaw`CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken off''; END'`
        await prisma.$executeRaw`CREATE TRIGGER break_off BEFORE DELETE ON "User" FOR EACH ROW EXECUTE FUNCTION break_off()`
        await expect(userStore.removeGoneUser('Ann', STEP)).rejects.toThrow('broken off')
        await prisma.$executeRaw`DROP FUNCTION break_off CASCADE`
        expect(await userStore.findUser('Ann')).toMatchObject({ tweets: 2 })
        expect(await prisma.spend.count()).toBe(0)
      })

      test.each(['archive', 'sample'] as const)('is not one of the same name from another source (%s)', async (source) => {
        await save('Ann', 1, { source })
        await userStore.removeGoneUser('Ann', STEP)
        expect(await userStore.findUser('Ann')).toMatchObject({ source })
      })
    })

    test('the samples leaves everybody else, and says how many went', async () => {
      await save('Ann', 1)
      await save('Bob', 1, { source: 'archive' })
      for (const username of ['Sam', 'Sue']) await save(username, 1, { source: 'sample' })
      expect(await userStore.removeSamples()).toBe(2)
      expect((await userStore.listUsers()).map(({ username }) => username).sort()).toEqual(['Ann', 'Bob'])
    })

    test('all leaves nothing, and says how many went', async () => {
      await save('Ann', 2)
      await save('Bob', 2)
      expect(await userStore.reset()).toBe(2)
      expect(await prisma.tweet.count()).toBe(0)
      expect(await userStore.reset()).toBe(0)
    })
  })
})

test('a store whose database is not there does not answer a ping', async () => {
  const prisma = connect('postgres://postgres@127.0.0.1:1/postgres')
  await expect(createUserStore(prisma).ping()).rejects.toThrow()
  await prisma.$disconnect()
})
