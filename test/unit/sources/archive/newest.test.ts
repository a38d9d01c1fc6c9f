import { describe, expect, test } from 'vitest'
import { MAX_IMPORTED } from '../../../../src/sources/archive/report.js'
import { NONE_DROPPED, openUploadReader, post, tweetsJs } from '../../../support/archive.js'

const { read, texts } = openUploadReader()

describe('the order', () => {
  test('is newest first by date', async () => {
    const csv = 'text,date\nb,2020-01-02\na,2019-05-05T10:00:00Z\nc,2020-01-02 00:00:01\n'
    expect(await texts(csv, 'a.csv')).toEqual(['c', 'b', 'a'])
  })

  test('is newest first by id where there is no date, and mixes with dates', async () => {
    const csv = 'id,text,date\n1050118621198921728,b,\n1050118621198921729,c,\n,d,2018-10-11\n,a,2018-10-01\n'
    expect(await texts(csv, 'a.csv')).toEqual(['d', 'c', 'b', 'a'])
    expect(await texts('id,text\n9,a\n10,b\n', 'a.csv')).toEqual(['b', 'a'])
  })

  test("is the file's for posts without date and id, which come after those with one", async () => {
    expect(await texts('text,date\nz,\ny,soon\nx,2020-01-01\n', 'a.csv')).toEqual(['x', 'z', 'y'])
  })

  test('keeps the newest 3,200 and counts the others', async () => {
    const day = (i: number) => new Date(1.5e12 + i * 1000).toISOString()
    const rows = Array.from({ length: 10_000 }, (_, i) => `tweet ${(i * 7919) % 10_000},${day((i * 7919) % 10_000)}`)
    const { tweets, report } = await read(`text,created_at\n${rows.join('\n')}`, 'a.csv')
    expect(tweets.map(({ text }) => text)).toEqual(Array.from({ length: MAX_IMPORTED.tweets }, (_, i) => `tweet ${9999 - i}`))
    expect(report).toMatchObject({ read: 10_000, kept: 3_200, beyond: 6_800, dropped: NONE_DROPPED })
  })

  test("keeps the file's first 3,200 where there is no date and no id", async () => {
    const { tweets, report } = await read(Array.from({ length: 7000 }, (_, i) => `tweet ${i}\n`).join(''), 'a.txt')
    expect(tweets.map(({ text }) => text)).toEqual(Array.from({ length: MAX_IMPORTED.tweets }, (_, i) => `tweet ${i}`))
    expect(report.beyond).toBe(3_800)
  })
})

describe('tweets that are long', () => {
  const long = (i: number) => ({ id: String(1_000_000 + i), text: `${i} ${'語'.repeat(24_900)}` })
  const lines = (n: number, made: (i: number) => object) => Array.from({ length: n }, (_, i) => JSON.stringify(made(i))).join('\n')

  test('are kept up to 1,000,000 characters of the newest, whatever their order in the file, and the others are counted', async () => {
    const shuffled = lines(300, (i) => long((i * 97) % 300))
    const { tweets, report } = await read(shuffled, 'a.jsonl')
    expect(tweets.map(({ text }) => Number.parseInt(text))).toEqual(Array.from({ length: 40 }, (_, i) => 299 - i))
    expect(report).toMatchObject({ read: 300, kept: 40, beyond: 260, dropped: NONE_DROPPED })
  })

  test('end what is kept: no shorter one that is older takes the place of the first that is too much', async () => {
    const { tweets } = await read(lines(200, (i) => (i < 100 ? { id: String(1000 + i), text: `short ${i}` } : long(i))), 'a.jsonl')
    expect(tweets).toHaveLength(40)
  })
})

test('of tweets with the same id one is kept', async () => {
  const { report } = await read(tweetsJs(post('one'), post('two')), 'tweets.js')
  expect(report).toMatchObject({ read: 2, kept: 1, beyond: 0, dropped: { ...NONE_DROPPED, duplicates: 1 } })
})
