import { beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { createTweetStore } from '../../../src/storage/tweets.js'
import { createUserStore, type TransactionPart, type UserProfile, type UserStore } from '../../../src/storage/users.js'
import { databases, useDatabase } from '../../support/databases.js'
import { profile, tweetsOf } from '../../support/stored-users.js'

describe.each(databases)('the user store on the $name', ({ open }) => {
  let prisma: ReturnType<typeof connect>
  let userStore: UserStore

  useDatabase(open, (opened) => {
    prisma = opened
    userStore = createUserStore(prisma)
  })

  const save = (username: string, n: number, fields: Partial<UserProfile> = {}) =>
    createTweetStore(prisma).saveTweets(profile(username, fields), null, tweetsOf(username, n), 'encoder@1')

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
      askedAt: expect.any(Date),
      collectedAt: new Date(2000),
      version: expect.any(BigInt),
      tweets: 2
    })
  })

  test('finds a user by name in any case, and spells it as it was stored', async () => {
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
      const PART: TransactionPart = async (tx) => void (await tx.spend.create({ data: { day: new Date(0) } }))
      const refuse = (): never => {
        throw new Error('The lease is lost.')
      }
      beforeEach(() => prisma.spend.deleteMany())

      test("goes with the tweets, in any case of the name, and the caller's part is stored", async () => {
        await save('Ann', 2)
        await save('Bob', 1)
        await userStore.removeGoneUser('aNN', PART)
        expect(await userStore.listUsers()).toMatchObject([{ username: 'Bob' }])
        expect([await prisma.tweet.count(), await prisma.spend.count()]).toEqual([1, 1])
      })

      test('stays where the caller\'s part throws, of which nothing is stored', async () => {
        await save('Ann', 2)
        await expect(userStore.removeGoneUser('Ann', async (tx) => (await PART(tx, 0), refuse()))).rejects.toThrow('The lease is lost.')
        expect(await userStore.findUser('Ann')).toMatchObject({ tweets: 2 })
        expect(await prisma.spend.count()).toBe(0)
      })

      test('takes the caller\'s part back where the removal breaks off', async () => {
        await save('Ann', 2)
        await prisma.$executeRaw`CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken off''; END'`
        await prisma.$executeRaw`CREATE TRIGGER break_off BEFORE DELETE ON "User" FOR EACH ROW EXECUTE FUNCTION break_off()`
        await expect(userStore.removeGoneUser('Ann', PART)).rejects.toThrow('broken off')
        await prisma.$executeRaw`DROP FUNCTION break_off CASCADE`
        expect(await userStore.findUser('Ann')).toMatchObject({ tweets: 2 })
        expect(await prisma.spend.count()).toBe(0)
      })

      test.each(['archive', 'sample'] as const)('is not taken for one of the same name from another source (%s)', async (source) => {
        await save('Ann', 1, { source })
        await userStore.removeGoneUser('Ann', PART)
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

test('a user store whose database is not there does not answer a ping', async () => {
  const prisma = connect('postgres://postgres@127.0.0.1:1/postgres')
  await expect(createUserStore(prisma).ping()).rejects.toThrow()
  await prisma.$disconnect()
})
