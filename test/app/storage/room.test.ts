import { describe, expect, test } from 'vitest'
import { connect } from '../../../src/storage/database.js'
import { StorageFull } from '../../../src/storage/storage-errors.js'
import { createTweetStore, type NewTweet } from '../../../src/storage/tweets.js'
import { createUserStore, type UserStore } from '../../../src/storage/users.js'
import { databases, useDatabase } from '../../support/databases.js'
import { profile, tweetsOf } from '../../support/stored-users.js'

const DAY = 86_400_000
const nothing = async (): Promise<void> => {}

describe.each(databases)('the room for tweets on the $name', ({ open }) => {
  let prisma: ReturnType<typeof connect>
  let userStore: UserStore

  useDatabase(open, (opened) => {
    prisma = opened
    userStore = createUserStore(prisma)
  })

  /** What tweets of this many characters take: 500 bytes each, the text in UTF-8 and four bytes a number. */
  const bytesOf = (tweets: NewTweet[]): number => tweets.reduce((sum, { text, embedding }) => sum + 500 + Buffer.byteLength(text) + 4 * embedding.length, 0)
  const stored = async (): Promise<number> => (await createTweetStore(prisma).readRoom()).bytes
  const long = (name: string, n: number): NewTweet[] => tweetsOf(name, n, { text: '語'.repeat(1000) })

  test('is counted in bytes with every change: new tweets, their vectors, others in their place, some or all gone', async () => {
    const store = createTweetStore(prisma)
    expect(await stored()).toBe(0)
    await store.replaceUsers([{ user: profile('Ann', { source: 'archive' }), tweets: long('Ann', 30) }], 'e')
    expect(await stored()).toBe(30 * (500 + 3000 + 8))
    const [kept, ...gone] = tweetsOf('Bob', 3)
    await store.savePage(profile('Bob'), [kept, ...gone], [], nothing)
    const before = await stored()
    await store.saveVectors('id of Bob', [{ id: 'Bob 1', embedding: new Float32Array(384) }], 'e')
    expect(await stored()).toBe(before + 4 * 384)
    await store.savePage(profile('Bob'), [], gone.map(({ id }) => id), nothing)
    await store.replaceUsers([{ user: profile('Ann', { source: 'archive' }), tweets: tweetsOf('Ann', 2) }], 'e')
    await userStore.removeUser('id of Bob')
    expect(await stored()).toBe(bytesOf(tweetsOf('Ann', 2)))
    await userStore.reset()
    expect(await stored()).toBe(0)
  })

  test('is refused to an import that would fill it, which then leaves everything as it was', async () => {
    const store = createTweetStore(prisma, undefined, 100_000)
    await store.replaceUsers([{ user: profile('Ann', { source: 'archive' }), tweets: long('Ann', 20) }], 'e')
    await expect(store.replaceUsers([{ user: profile('Bob', { source: 'archive' }), tweets: long('Bob', 20) }], 'e')).rejects.toThrow(StorageFull)
    expect((await userStore.listUsers()).map(({ username, tweets }) => [username, tweets])).toEqual([['Ann', 20]])
    await store.replaceUsers([{ user: profile('Ann', { source: 'archive' }), tweets: long('Ann', 10) }], 'e')
    await store.replaceUsers([{ user: profile('Bob', { source: 'archive' }), tweets: long('Bob', 10) }], 'e')
  })

  test('is asked for before anybody is read from X; a page that is paid for is stored even so', async () => {
    const store = createTweetStore(prisma, undefined, 10_000)
    await store.checkRoom()
    await store.savePage(profile('Ann'), long('Ann', 10), [], nothing)
    expect(await prisma.tweet.count()).toBe(10)
    await expect(store.checkRoom()).rejects.toThrow('no room left')
  })

  test('is stored in parts, between which the event loop goes on', async () => {
    const parts: number[] = []
    const watch = <T extends object>(queries: T): T => new Proxy(queries, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown
        if (name === '$transaction') return (work: (tx: object) => unknown, options: object) => (method as typeof prisma.$transaction)((tx) => work(watch(tx)) as Promise<unknown>, options)
        if (name !== '$executeRaw') return method
        return (sql: TemplateStringsArray, ...values: unknown[]) => {
          const json = values.find((value) => typeof value === 'string' && value.startsWith('[')) as string | undefined
          if (json) parts.push((JSON.parse(json) as unknown[]).length)
          return (method as typeof prisma.$executeRaw).call(target, sql, ...values)
        }
      }
    })
    await createTweetStore(watch(prisma)).replaceUsers([{ user: profile('Ann'), tweets: tweetsOf('Ann', 3100) }], 'e')
    expect(parts.reduce((sum, n) => sum + n, 0)).toBe(3100)
    expect(Math.max(...parts)).toBeLessThanOrEqual(200)
    expect(await prisma.tweet.count()).toBe(3100)
  })

  test('can be made by removing those whom nobody has asked about for long, but no sample user', async () => {
    const store = createTweetStore(prisma)
    for (const source of ['x', 'archive', 'sample'] as const) {
      for (const age of ['old', 'new']) await store.saveTweets(profile(`${source}_${age}`, { source }), null, tweetsOf(`${source}_${age}`, 2), 'e')
    }
    await prisma.user.updateMany({ where: { username: { endsWith: 'old' } }, data: { askedAt: new Date(Date.now() - 91 * DAY) } })
    expect(await userStore.countUnasked(90)).toEqual({ users: 2, bytes: bytesOf([...tweetsOf('x_old', 2), ...tweetsOf('archive_old', 2)]) })
    expect(await userStore.removeUnasked(90)).toBe(2)
    expect((await userStore.listUsers()).map(({ username }) => username).sort()).toEqual(['archive_new', 'sample_new', 'sample_old', 'x_new'])
    expect(await userStore.countUnasked(90)).toEqual({ users: 0, bytes: 0 })
  })

  test('knows when somebody asked about a user last, and writes it at most once a day', async () => {
    await createTweetStore(prisma).saveTweets(profile('Ann'), null, tweetsOf('Ann', 2), 'e')
    const asked = async (ago: number): Promise<number> => {
      const askedAt = new Date(Date.now() - ago)
      await prisma.user.updateMany({ data: { askedAt } })
      await userStore.saveAsked([(await userStore.findUser('Ann'))!])
      return (await userStore.findUser('Ann'))!.askedAt.getTime() - askedAt.getTime()
    }
    expect(await asked(DAY / 2)).toBe(0)
    expect(await asked(50 * DAY)).toBeGreaterThan(49 * DAY)
  })
})
