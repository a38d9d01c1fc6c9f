import { describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { createTweetStore, type Corpus, type CorpusLimits, type Stale, type TweetStore } from '../../../src/storage/tweets.js'
import { createUserStore, type UserProfile, type UserStore } from '../../../src/storage/users.js'
import { databases, useDatabase } from '../../support/databases.js'
import { profile, tweetsOf } from '../../support/stored-users.js'

const limits = (tweets: number): CorpusLimits => ({ tweets, characters: 1e6, charactersEach: 1e6 })
const idsOf = (items: { id: string }[]): string[] => items.map(({ id }) => id)

describe.each(databases)('the tweet store on the $name', ({ open }) => {
  let prisma: ReturnType<typeof connect>
  let userStore: UserStore
  let tweetStore: TweetStore

  useDatabase(open, (opened) => {
    prisma = opened
    userStore = createUserStore(prisma)
    tweetStore = createTweetStore(prisma)
  })

  const save = (username: string, n: number, fields: Partial<UserProfile> = {}) =>
    tweetStore.saveTweets(profile(username, fields), null, tweetsOf(username, n), 'encoder@1')

  test('keeps ids beyond 2^53 exact, and orders by them', async () => {
    const ids = ['9007199254740993', '9007199254740992', '9007199254740994', '9223372036854775807']
    const tweets = ids.map((id) => ({ ...tweetsOf('Big', 1)[0], id, position: BigInt(id) }))
    await tweetStore.saveTweets(profile('Big', { id: '9007199254740993' }), '9223372036854775807', tweets, 'encoder@1')
    await tweetStore.saveTweets(profile('Other', { id: '9007199254740992' }), null, [], 'encoder@1')
    expect(await userStore.findUser('big')).toMatchObject({ id: '9007199254740993', newestTweetId: '9223372036854775807' })
    expect((await tweetStore.listTweets('9007199254740992', 1)).tweets).toEqual([])
    expect(idsOf((await tweetStore.listTweets('9007199254740993', 1)).tweets)).toEqual([...ids].sort().reverse())
  })

  describe('a user\'s tweets', () => {
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

    test('that share a position are each on exactly one page', async () => {
      const tweets = tweetsOf('Ann', 150, { position: 5n })
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      // What the database finds first changes with what is written.
      await prisma.tweet.updateMany({ where: { id: { endsWith: '7' } }, data: { encoder: 'encoder@2' } })
      const pages = await Promise.all([1, 2, 3].map((page) => tweetStore.listTweets('id of Ann', page)))
      expect(new Set(pages.flatMap(({ tweets }) => idsOf(tweets))).size).toBe(150)
    })

    test('are those of the last page where a later one is asked for, and none for a user without any', async () => {
      await save('Ann', 3)
      await save('Bob', 0)
      expect(await tweetStore.listTweets('id of Ann', 9, 3)).toEqual(await tweetStore.listTweets('id of Ann', 1, 3))
      expect(await tweetStore.listTweets('id of Bob', 1)).toEqual({ tweets: [], page: 1, pages: 1 })
    })

    test('may have no date', async () => {
      await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('Ann', 1, { createdAt: null }), 'encoder@1')
      expect((await tweetStore.listTweets('id of Ann', 1)).tweets).toMatchObject([{ createdAt: null }])
    })

    test('keep their texts exactly', async () => {
      const texts = ['two\nlines', '👩🏽‍🚀 日本語 العربية', `'; DROP TABLE "User" --`, '', '\\x00 %s $1']
      const tweets = texts.map((text, i) => ({ ...tweetsOf('Ann', texts.length)[i], text }))
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      await save('Bob', 2)
      expect((await tweetStore.listTexts('id of Ann')).map(({ text }) => text).sort()).toEqual([...texts].sort())
    })
  })

  test('stores tweets of one id for each of two users, and counts the new ones', async () => {
    expect(await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('same', 2), 'encoder@1')).toBe(2)
    expect(await tweetStore.saveTweets(profile('Bob'), null, tweetsOf('same', 3), 'encoder@1')).toBe(3)
    expect(await tweetStore.saveTweets(profile('Bob'), null, tweetsOf('same', 4), 'encoder@1')).toBe(1)
    expect((await userStore.listUsers()).map(({ username, tweets }) => [username, tweets]).sort()).toEqual([['Ann', 2], ['Bob', 4]])
  })

  describe('the corpus', () => {
    const corpusOf = async (size: number): Promise<Corpus> => (await tweetStore.loadCorpus('id of Ann', 'encoder@1', limits(size))) as Corpus

    test('of a user who is not there is empty', async () => {
      expect(await corpusOf(100)).toEqual({ version: null, ids: [], texts: [], dates: [], vectors: new Float32Array(0) })
    })

    test('is of the newest tweets, as many as are asked for', async () => {
      await save('Ann', 5)
      expect((await corpusOf(2)).ids).toEqual(['Ann 5', 'Ann 4'])
    })

    test('has ids, texts and vectors in one order, newest first', async () => {
      await save('Ann', 3)
      expect(await corpusOf(100)).toEqual({
        version: expect.any(BigInt),
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

    test('loads the newest tweets until their characters reach the limit, and no more than so many of each', async () => {
      const texts = ['x'.repeat(50), '語'.repeat(400), 'short', '👩🏽‍🚀'.repeat(100), 'the last']
      const tweets = tweetsOf('Ann', 5).map((tweet, i) => ({ ...tweet, text: texts[4 - i] }))
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      const load = async (characters: number, charactersEach: number): Promise<string[]> =>
        ((await tweetStore.loadCorpus('id of Ann', 'encoder@1', { tweets: 4, characters, charactersEach })) as Corpus).texts
      const order = (await load(1e6, 1e6)).map((text) => text.length)
      expect(order).toHaveLength(4)
      const cut = await load(1e6, 100)
      expect(cut.map((text) => [...text].length)).toEqual((await load(1e6, 1e6)).map((text) => Math.min(100, [...text].length)))
      const total = cut.map((text) => [...text].length).reduce((sum, length) => sum + length, 0)
      expect(await load(total, 100)).toEqual(cut)
      expect(await load(total - 1, 100)).toEqual(cut.slice(0, -1))
      expect(await load(0, 100)).toEqual([])
    })

    test('names the tweets whose vectors come from another encoder, until new ones are saved', async () => {
      await save('Ann', 2)
      await tweetStore.saveTweets(profile('Ann'), null, tweetsOf('Ann', 4), 'encoder@2')
      const { stale } = (await tweetStore.loadCorpus('id of Ann', 'encoder@2', limits(100))) as Stale
      expect(idsOf(stale)).toEqual(['Ann 2', 'Ann 1'])
      expect(stale[0].text).toBe('Ann says 2')
      await tweetStore.saveVectors('id of Ann', stale.map(({ id }, i) => ({ id, embedding: Float32Array.of(9, 8, i) })), 'encoder@2')
      expect(await tweetStore.loadCorpus('id of Ann', 'encoder@2', limits(100))).toMatchObject({
        ids: ['Ann 4', 'Ann 3', 'Ann 2', 'Ann 1'],
        vectors: Float32Array.of(3, 1, 2, 1, 9, 8, 0, 9, 8, 1)
      })
    })

    test('stays as it is when no vectors are saved', async () => {
      await save('Ann', 1)
      await tweetStore.saveVectors('id of Ann', [], 'encoder@2')
      const part = () => Promise.reject(new Error('not counted'))
      await expect(tweetStore.saveVectors('id of Ann', [{ id: 'Ann 1', embedding: Float32Array.of(7, 7) }], 'encoder@3', part)).rejects.toThrow('not counted')
      expect(await prisma.tweet.count({ where: { encoder: 'encoder@3' } })).toBe(0)
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

    test('keeps the newest post seen so far when none is given', async () => {
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

    test('a user under a new name keeps their tweets', async () => {
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

    test('takes as many tweets at once as may be collected', async () => {
      const embedding = new Float32Array(384).fill(0.5)
      const tweets = tweetsOf('Ann', 3200, { embedding })
      await tweetStore.saveTweets(profile('Ann'), null, tweets, 'encoder@1')
      expect(await userStore.findUser('Ann')).toMatchObject({ tweets: 3200 })
      await tweetStore.saveVectors('id of Ann', idsOf(tweets).map((id) => ({ id, embedding })), 'encoder@2')
      expect(await tweetStore.loadCorpus('id of Ann', 'encoder@2', limits(100))).not.toHaveProperty('stale')
    })

    test('the same user twice at once makes one user with each tweet once', async () => {
      for (let round = 0; round < 10; round++) {
        await userStore.reset()
        await Promise.all([save('Ann', 20), save('Ann', 20), save('Ann', 20)])
        expect(await userStore.listUsers()).toMatchObject([{ username: 'Ann', tweets: 20 }])
      }
    })
  })
})
