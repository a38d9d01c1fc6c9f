import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { readArchive } from '../../../../src/sources/archive/read-archive.js'
import { NONE_DROPPED, openUploadReader, post, tweetsJs, zip } from '../../../support/archive.js'

const uploads = openUploadReader()
const { read, texts, refusal } = uploads

describe("X's archive", () => {
  test('is read from a bare tweets.js, with its ids, dates and decoded texts', async () => {
    const { tweets } = await read(tweetsJs(post('rain &lt;3 &amp;amp;', { id_str: '1050118621198921728' })), 'tweets.js')
    const createdAt = new Date('2018-10-10T20:19:24Z')
    expect(tweets).toEqual([{ id: '1050118621198921728', text: 'rain <3 &amp;', createdAt }])
  })

  test('is read from an older tweet.js without the wrapper', async () => {
    const old = `window.YTD.tweet.part0 = [ ${JSON.stringify(post('old tea'))} ]`
    expect(await texts(old, 'tweet.js')).toEqual(['old tea'])
  })

  test('with no tweets in it is refused', async () => {
    expect(await refusal('window.YTD.tweets.part0 = [ ]', 'tweets.js')).toBe('This file holds no tweets.')
  })
})

describe('own posts', () => {
  const file = tweetsJs(
    post('my own', { id_str: '9' }),
    post('RT @somebody: theirs', { id_str: '8' }),
    post('theirs too', { id_str: '7', retweeted: true }),
    post('@somebody yes', { id_str: '6', in_reply_to_screen_name: 'somebody' }),
    post('an answer', { id_str: '5', in_reply_to_status_id_str: '99' }),
    post('no answer', { id_str: '4', in_reply_to_status_id: null, retweeted: false, in_reply_to_user_id: '' }),
    post('MY  own https://t.co/x', { id_str: '3' }),
    post('https://t.co/y', { id_str: '2' }),
    post('a'.repeat(25_001), { id_str: '1' })
  )

  test('are kept; retweets, replies, duplicates, posts of links only and texts that are too long are left out and counted', async () => {
    const { tweets, report } = await read(file, 'tweets.js')
    expect(tweets.map(({ text }) => text)).toEqual(['my own', 'no answer'])
    const dropped = { ...NONE_DROPPED, retweets: 2, replies: 2, duplicates: 1, empty: 1, tooLong: 1 }
    expect(report).toMatchObject({ read: 9, kept: 2, beyond: 0, dropped })
  })

  test('include replies where they are asked for', async () => {
    const { tweets, report } = await read(file, 'tweets.js', { replies: true })
    expect(tweets.map(({ text }) => text)).toEqual(['my own', '@somebody yes', 'an answer', 'no answer'])
    expect(report.dropped.replies).toBe(0)
  })
})

test('a file that is refused is closed', async () => {
  const openFiles = () => readdirSync('/proc/self/fd').length
  if (process.platform !== 'linux') return
  const before = openFiles()
  const good = { name: 'data/tweets.js', data: tweetsJs(post('tea')) }
  const broken = { ...good, data: `${good.data.slice(0, 40)}\n\n"${' '.repeat(500_000)}` }
  for (let i = 0; i < 20; i++) await refusal(i % 2 ? zip([broken, good]) : broken.data, i % 2 ? 'a.zip' : 'tweets.js')
  for (let i = 0; i < 20; i++) await setImmediate()
  expect(openFiles()).toBeLessThan(before + 10)
})

test("a missing file is not reported as the visitor's mistake", async () => {
  const result = readArchive(join(uploads.folder, 'missing'), 'a.zip', { replies: false })
  await expect(result).rejects.toMatchObject({ code: 'ENOENT' })
})
