import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ExpectedError } from '../../../../src/core/errors.js'
import { archivePart, openUploadReader, post, tweetsJs, zip } from '../../../support/archive.js'

const uploads = openUploadReader()
const { read, texts, refusal } = uploads

describe("X's archive", () => {
  const one = tweetsJs(post('rain &amp; tea'))

  test.each(['data/tweets.js', 'data/tweet.js', 'tweet.js', 'x-archive/data/tweets.js', 'data\\tweets.js'])(
    'is read from %s in its zip, whatever the uploaded file is called',
    async (name) => {
      const bytes = zip([{ name: 'Your archive.html', data: '<html>' }, { name, data: one }])
      expect(await texts(bytes, 'upload.bin')).toEqual(['rain & tea'])
    }
  )

  test('is read in all its parts, in the order of their numbers', async () => {
    const part = (i: number) => archivePart([{ full_text: `tweet ${i}` }], i)
    const bytes = zip([10, 2, 1].map((i) => ({ name: `data/tweets-part${i}.js`, data: part(i) })))
    const stored = { name: 'data/tweets-part1.js', data: part(1), method: 0 }
    const whole = zip([stored, { name: 'data/tweets.js', data: part(0) }])
    expect(await texts(bytes, 'a.zip')).toEqual(['tweet 1', 'tweet 2', 'tweet 10'])
    expect(await texts(whole, 'a.zip')).toEqual(['tweet 0', 'tweet 1'])
  })

  test('with a broken tweets.js gets an error that names the file and the line', async () => {
    const bytes = zip([{ name: 'top/data/tweets-part1.js', data: archivePart([{ full_text: 'a' }]).replace('"a"', '"a') }])
    expect(await refusal(bytes, 'a.zip')).toMatch(/^In data\/tweets-part1\.js, line 3 is no JSON/)
  })
})

describe('a hostile or broken zip', () => {
  const good = { name: 'data/tweets.js', data: tweetsJs(post('tea')) }
  const megabytes = (n: number) => Buffer.alloc(n * 2 ** 20, ' ')

  test('is refused before it is unpacked for a declared size over 300 MB', async () => {
    const bomb = zip([{ ...good, declared: 301 * 2 ** 20 }])
    expect(await refusal(bomb, 'a.zip')).toMatch(/^data\/tweets\.js in this zip is larger than 300 MB when unpacked/)
  })

  test('is refused where a file grows to more than 200 times its size', async () => {
    const bomb = zip([{ ...good, data: megabytes(20) }])
    expect(await refusal(bomb, 'a.zip')).toMatch(/^data\/tweets\.js in this zip would be more than 200 times as large/)
  })

  test('is refused for parts that are too large together, or too many', async () => {
    const [data, declared] = [randomBytes(3 * 2 ** 20), 250 * 2 ** 20]
    const parts = [1, 2, 3].map((i) => ({ name: `data/tweets-part${i}.js`, data, declared }))
    expect(await refusal(zip(parts), 'a.zip')).toMatch(/larger than 600 MB when unpacked/)
    expect(await refusal(zip(Array.from({ length: 101 }, () => good)), 'a.zip')).toMatch(/more than 100 files of tweets/)
  })

  test('is refused where a file unpacks to more, or less, than the zip says', async () => {
    const data = Buffer.concat([Buffer.from('window.YTD.tweets.part0 = ['), megabytes(9)])
    expect(await refusal(zip([{ ...good, data, declared: 99 }]), 'a.zip')).toMatch(/^This zip is damaged/)
    expect(await refusal(zip([{ ...good, declared: 10_000 }]), 'a.zip')).toMatch(/^This zip is damaged/)
  })

  test('is refused where it says that it has too many entries, or has fewer than it says', async () => {
    expect(await refusal(zip([good], 20_001), 'a.zip')).toMatch(/more than 20,000 files/)
    expect(await refusal(zip([good], 3), 'a.zip')).toMatch(/^This zip is damaged/)
  })

  test('is not unpacked twice: zips inside it stay closed', async () => {
    const nested = { name: 'data/tweets.zip', data: zip([good]) }
    expect(await refusal(zip([nested]), 'a.zip')).toMatch(/holds no data\/tweets\.js/)
    expect(await refusal(zip([{ ...good, data: zip([good]) }]), 'a.zip')).toMatch(/^data\/tweets\.js is not UTF-8 text/)
  })

  test('is read from files of the known names only, and nothing is written to disk', async () => {
    const evil = ['../data/tweets.js', '/data/tweets.js', '..\\..\\tweets.js', 'C:\\tweets.js', 'a/b/data/tweets.js']
    const tricks = [...evil, 'data/tweets.js/', 'data/tweets.js\0.png', 'xdata/mytweets.js', 'data/like.js']
    const entries = tricks.map((name) => ({ name, data: tweetsJs(post('evil')) }))
    const before = readdirSync(uploads.folder)
    expect(await texts(zip([...entries, good]), 'a.zip')).toEqual(['tea'])
    expect(await refusal(zip(entries), 'a.zip')).toMatch(/^This zip holds no data\/tweets\.js, as the archive/)
    expect(readdirSync(uploads.folder)).toEqual(before)
  })

  test('is refused where it is locked or packed by another method', async () => {
    expect(await refusal(zip([{ ...good, flags: 1 }]), 'a.zip')).toMatch(/^data\/tweets\.js in this zip is locked/)
    expect(await refusal(zip([{ ...good, method: 14 }]), 'a.zip')).toMatch(/packed in a way that can't be read here/)
  })

  test('is refused wherever it has been cut off', async () => {
    const bytes = zip([good])
    for (let length = 4; length < bytes.length; length += 7) {
      const cut = bytes.subarray(0, length)
      expect(await refusal(cut, 'a.zip')).toMatch(/^This zip is damaged, or a part of it is missing/)
    }
    expect(await refusal('no zip', 'a.zip')).toMatch(/^This zip is damaged/)
  })

  test('with one wrong byte anywhere is refused with a message, or read', async () => {
    const bytes = zip([good])
    for (let at = 4; at < bytes.length; at += 2) {
      const broken = Buffer.from(bytes)
      broken[at] ^= 0x55
      const outcome = await read(broken, 'a.zip').catch((error) => error)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ExpectedError)
    }
  })
})
