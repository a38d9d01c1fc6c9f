import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { randomBytes } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { MAX_IMPORTED_TWEETS, readArchive, type ImportReport } from '../../../src/sources/archive/read-archive.js'
import { ExpectedError } from '../../../src/core/errors.js'

const folder = mkdtempSync(join(tmpdir(), 'archive-'))
const upload = join(folder, 'upload')
afterAll(() => rmSync(folder, { recursive: true }))

/** Reads a file of these bytes under a name, as an upload is. */
function read(content: string | Buffer, fileName: string, options = { replies: false }) {
  writeFileSync(upload, content)
  return readArchive(upload, fileName, options)
}

async function texts(content: string | Buffer, fileName: string, options?: { replies: boolean }): Promise<string[]> {
  return (await read(content, fileName, options)).tweets.map(({ text }) => text)
}

/** The words for a file that cannot be read: a 422 for visitors' eyes that speaks of no machine and no library. */
async function words(content: string | Buffer, fileName: string): Promise<string> {
  const result = read(content, fileName)
  const error = await result.then((value) => expect.fail(`read: ${JSON.stringify(value.report)}`), (reason) => reason)
  expect(error).toBeInstanceOf(ExpectedError)
  expect(error.reason).toBe('unusable')
  expect(error.message).not.toMatch(/yauzl|CSV_|Error|position|unexpected|undefined|\/tmp/)
  return error.message
}

interface ZipEntry {
  name: string
  data: string | Buffer
  flags?: number
  method?: number
  declared?: number
}

/** A zip as bytes, with whatever untruths an entry has. */
function zip(entries: ZipEntry[], entryCount = entries.length): Buffer {
  const [files, directory]: Buffer[][] = [[], []]
  let offset = 0
  for (const { name, data, flags = 0, method = 8, declared } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(flags, 2)
    fields.writeUInt16LE(method, 4)
    fields.writeUInt32LE(crc32(data), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(declared ?? Buffer.byteLength(data), 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    files.push(Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, Buffer.from(name))
    offset += 30 + Buffer.byteLength(name) + packed.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entryCount, 8)
  end.writeUInt16LE(entryCount, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...files, ...directory, end])
}

const X_DATE = 'Wed Oct 10 20:19:24 +0000 2018'
const post = (full_text: string, more = {}) => ({ full_text, id_str: '1', created_at: X_DATE, ...more })
const ytd = (tweets: object[], part = 0) => `window.YTD.tweets.part${part} = ${JSON.stringify(tweets, null, 2)}`
const wrapped = (...tweets: object[]) => ytd(tweets.map((tweet) => ({ tweet })))
const none = { retweets: 0, replies: 0, duplicates: 0, empty: 0, tooLong: 0 }

describe('the archive that X gives its users', () => {
  const one = wrapped(post('rain &amp; tea'))

  test.each(['data/tweets.js', 'data/tweet.js', 'tweet.js', 'x-archive/data/tweets.js', 'data\\tweets.js'])(
    'is read from %s in its zip, whatever the upload is called',
    async (name) => {
      const bytes = zip([{ name: 'Your archive.html', data: '<html>' }, { name, data: one }])
      expect(await texts(bytes, 'upload.bin')).toEqual(['rain & tea'])
    }
  )

  test('is read in all its parts, in their order', async () => {
    const part = (i: number) => ytd([{ full_text: `tweet ${i}` }], i)
    const bytes = zip([10, 2, 1].map((i) => ({ name: `data/tweets-part${i}.js`, data: part(i) })))
    const stored = { name: 'data/tweets-part1.js', data: part(1), method: 0 }
    const whole = zip([stored, { name: 'data/tweets.js', data: part(0) }])
    expect(await texts(bytes, 'a.zip')).toEqual(['tweet 1', 'tweet 2', 'tweet 10'])
    expect(await texts(whole, 'a.zip')).toEqual(['tweet 0', 'tweet 1'])
  })

  test('is read from a bare tweets.js, with its ids, dates and decoded texts', async () => {
    const { tweets } = await read(wrapped(post('rain &lt;3 &amp;amp;', { id_str: '1050118621198921728' })), 'tweets.js')
    const createdAt = new Date('2018-10-10T20:19:24Z')
    expect(tweets).toEqual([{ id: '1050118621198921728', text: 'rain <3 &amp;', createdAt }])
  })

  test('is read from an older tweet.js without the wrapper', async () => {
    const old = `window.YTD.tweet.part0 = [ ${JSON.stringify(post('old tea'))} ]`
    expect(await texts(old, 'tweet.js')).toEqual(['old tea'])
  })

  test('is read with brackets, quotes, commas and line ends inside of texts', async () => {
    const odd = 'a "b], [c}, {d\\" \\\n, ]; e'
    expect(await texts(wrapped(post(odd), post('next', { id_str: '0' })), 'tweets.js')).toEqual([odd, 'next'])
  })

  test('is read with nothing in it', async () => {
    expect(await words('window.YTD.tweets.part0 = [ ]', 'tweets.js')).toBe('This file holds no tweets.')
  })

  test('is told from its other parts', async () => {
    const likes = 'window.YTD.like.part0 = [ {"like": {"fullText": "of another"}} ]'
    expect(await words(likes, 'like.js')).toMatch(/another part of an X archive \(like\).*data\/tweets\.js/)
    expect(await words('alert(1)', 'tweets.js')).toMatch(/^Line 1 does not start as the tweets\.js/)
    expect(await words('<!DOCTYPE html><p>', 'Your archive.html')).toMatch(/^Line 1 starts a web page/)
  })
})

describe('own posts', () => {
  const file = wrapped(
    post('my own', { id_str: '9' }),
    post('RT @somebody: theirs', { id_str: '8' }),
    post('theirs too', { id_str: '7', retweeted: true }),
    post('@somebody yes', { id_str: '6', in_reply_to_screen_name: 'somebody' }),
    post('an answer', { id_str: '5', in_reply_to_status_id_str: '4' }),
    post('no answer', { id_str: '4', in_reply_to_status_id: null, retweeted: false, in_reply_to_user_id: '' }),
    post('MY  own https://t.co/x', { id_str: '3' }),
    post('https://t.co/y', { id_str: '2' }),
    post('a'.repeat(25_001), { id_str: '1' })
  )

  test('are kept; retweets, replies, duplicates, links alone and endless texts are left out and counted', async () => {
    const { tweets, report } = await read(file, 'tweets.js')
    expect(tweets.map(({ text }) => text)).toEqual(['my own', 'no answer'])
    const dropped = { retweets: 2, replies: 2, duplicates: 1, empty: 1, tooLong: 1 }
    expect(report).toEqual({ read: 9, kept: 2, beyond: 0, dropped })
  })

  test('include replies where they are wanted', async () => {
    const { tweets, report } = await read(file, 'tweets.js', { replies: true })
    expect(tweets.map(({ text }) => text)).toEqual(['my own', '@somebody yes', 'an answer', 'no answer'])
    expect(report.dropped.replies).toBe(0)
  })

  test('are told from replies by their first word where the file says nothing of replies', async () => {
    expect(await texts('hello\n@somebody hello you\n', 'a.txt')).toEqual(['hello'])
  })

  test('appear once where an id does', async () => {
    const { report } = await read(wrapped(post('one'), post('two')), 'tweets.js')
    expect(report).toEqual({ read: 2, kept: 1, beyond: 0, dropped: { ...none, duplicates: 1 } })
  })
})

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

  test("is the file's where neither is known, after those that have one", async () => {
    expect(await texts('text,date\nz,\ny,soon\nx,2020-01-01\n', 'a.csv')).toEqual(['x', 'z', 'y'])
  })

  test('keeps the newest 3,200 and counts the others', async () => {
    const day = (i: number) => new Date(1.5e12 + i * 1000).toISOString()
    const rows = Array.from({ length: 10_000 }, (_, i) => `tweet ${(i * 7919) % 10_000},${day((i * 7919) % 10_000)}`)
    const { tweets, report } = await read(`text,created_at\n${rows.join('\n')}`, 'a.csv')
    expect(tweets.map(({ text }) => text)).toEqual(Array.from({ length: MAX_IMPORTED_TWEETS }, (_, i) => `tweet ${9999 - i}`))
    expect(report).toEqual({ read: 10_000, kept: 3_200, beyond: 6_800, dropped: none })
  })

  test("keeps the file's first 3,200 where nothing tells their age", async () => {
    const { tweets, report } = await read(Array.from({ length: 7000 }, (_, i) => `tweet ${i}\n`).join(''), 'a.txt')
    expect(tweets.map(({ text }) => text)).toEqual(Array.from({ length: MAX_IMPORTED_TWEETS }, (_, i) => `tweet ${i}`))
    expect(report.beyond).toBe(3_800)
  })
})

describe('CSV', () => {
  test.each([
    ['commas', 'id,text\n1,tea\n'],
    ['semicolons', 'id;text\n1;tea\n'],
    ['tabs', 'id\ttext\n1\ttea\n'],
    ['everything quoted', '"id","text"\r\n"1","tea"\r\n'],
    ['a byte order mark', '\ufeffid,text\n1,tea\n'],
    ['old Mac line ends', 'id,text\r1,tea\r'],
    ['no last line end', 'id,text\n1,tea'],
    ['empty lines', '\n\nid,text\n\n1,tea\n\n'],
    ['other columns, short and long rows', 'lang,id,text,likes\nen,1,tea\nen,1,tea,2,,\n'],
    ['the column named tweet', 'ID,Tweet\n1,tea\n'],
    ['the column named full_text', 'Tweet Id,FULL_TEXT\n1,tea\n'],
    ['the column named content', 'id_str,content\n1,tea\n']
  ])('is read with %s', async (_, csv) => {
    const { tweets } = await read(csv, 'upload')
    expect(tweets).toEqual([{ id: '1', text: 'tea', createdAt: null }])
  })

  test('is read with separators, line ends and doubled quotes inside of quotes, and loose quotes outside', async () => {
    const csv = 'text,id\r\n"a, ""b""\r\n\r\nc",3\r\nsay "tea",2\r\n"""so""",1\r\n'
    expect(await texts(csv, 'a.csv')).toEqual(['a, "b"\n\nc', 'say "tea"', '"so"'])
  })

  test('is read with one column that nobody has quoted', async () => {
    expect(await texts('Text\nrain, then tea; then "rain"\n"quoted, too"\n', 'a.csv')).toEqual([
      'rain, then tea; then "rain"',
      'quoted, too'
    ])
  })

  test.each([
    ['Wed Oct 10 20:19:24 +0000 2018', '2018-10-10T20:19:24.000Z'],
    ['2018-10-10 22:19:24 +0200', '2018-10-10T20:19:24.000Z'],
    ['2018-10-10T20:19:24.000Z', '2018-10-10T20:19:24.000Z'],
    ['2018-10-10 20:19', '2018-10-10T20:19:00.000Z'],
    ['1539202764', '2018-10-10T20:19:24.000Z'],
    ['1539202764000', '2018-10-10T20:19:24.000Z'],
    ['10/11/2018', undefined],
    ['2018-13-45', undefined]
  ])('reads the date %s alike wherever the server stands', async (date, iso) => {
    const { tweets } = await read(`text,timestamp\ntea,${date}\n`, 'a.csv')
    expect(tweets[0].createdAt?.toISOString()).toBe(iso)
  })

  test('has no id where a spreadsheet has rounded it', async () => {
    expect((await read('id,text\n1.05012E+18,tea\n', 'a.csv')).tweets[0].id).toBeNull()
  })

  test('counts rows without a text as empty', async () => {
    const { report } = await read('id,text\n1,\n2,tea\n', 'a.csv')
    expect(report).toEqual({ read: 2, kept: 1, beyond: 0, dropped: { ...none, empty: 1 } })
  })

  test('that has no column of texts says so', async () => {
    expect(await words('id,words\n1,tea\n', 'a.csv')).toBe('Line 1 names no column text, tweet, full_text or content.')
  })

  test.each([
    ['a row with too many cells', 'id,text\n1,a\n2,b, c\n', 3, /has 3 cells where 2 are named/],
    ['a quote that is never closed', 'id,text\r\n1,"a\r\nb"\r\n2,"c\r\n3,d\r\n', 4, /opened and not closed/],
    ['a quote that is closed too early', 'id,text\n1,a\n2,"b" c\n3,d\n', 3, /write it twice/],
    ['a quote that swallows the next row', 'id,text\n1,"a\n2,"b"\n3,c\n', 2, /write it twice/],
    ['a quote that swallows megabytes', `id,text\n1,"a\n${'2,b\n'.repeat(500_000)}`, 2, /not closed/]
  ])('with %s gets an error that names the line', async (_, csv, line, why) => {
    const message = await words(csv, 'a.csv')
    expect(message).toMatch(new RegExp(`^Line ${line} `))
    expect(message).toMatch(why)
  })
})

describe('JSON', () => {
  test('Lines are read from objects and strings', async () => {
    const objects = '{"text":"a","id":"3"}\n\n{"content":"b","id":2,"createdAt":"2020-01-01"}\r\n'
    const lines = `${objects}"c"\n{"tweet":{"full_text":"d"}}`
    expect(await texts(lines, 'a.jsonl')).toEqual(['b', 'a', 'c', 'd'])
    expect(await texts('{"text":"a"}\n', 'upload')).toEqual(['a'])
    expect(await texts('"a"\n"b \\n b"\n', 'upload')).toEqual(['a', 'b \n b'])
  })

  test('has no id where a number has been rounded', async () => {
    const { tweets } = await read('{"text":"a","id":1050118621198921728}\n', 'a.jsonl')
    expect(tweets[0].id).toBeNull()
  })

  test('lists are read too', async () => {
    expect(await texts('[{"text":"a"},\n{"text":"b"}]', 'a.json')).toEqual(['a', 'b'])
    expect(await texts('["a", "b",]\n', 'a.json')).toEqual(['a', 'b'])
  })

  test.each([
    ['no JSON', '{"text":"a"}\n\n{"text":"b"\n', /^Line 3 is no JSON: each line has to be \{"text"/],
    ['no text', '{"text":"a"}\n{"words":"b"}\n', /^Line 2 has no text/],
    ['a text that is none', '{"text":["a"]}\n', /^Line 1 has no text/],
    ['a number', '"a"\n17\n', /^Line 2 has no text/],
    ['null', '"a"\nnull\n', /^Line 2 has no text/]
  ])('Lines with %s get an error that names the line', async (_, lines, why) => {
    expect(await words(lines, 'a.jsonl')).toMatch(why)
  })

  test.each([
    ['a broken tweet', '[\n{"text":"a"},\n{\n"text":}\n]', /^Line 3 is no JSON/],
    ['an open quotation mark', '[\n{"text":"a},\n{"text":"b"}\n]', /^Line 2 is no JSON: its last quotation mark/],
    ['a missing end', '[\n{"text":"a"},\n{"text":"b"}\n', /^Line 4 is the last one, in the middle of the list/],
    ['more after its end', '[\n{"text":"a"}\n]\n, {"text":"b"}]', /^Line 4 goes on after the end/],
    ['a bracket that is never closed', `[\n{"text":"a"},\n{\n${'{"text":"b"},\n'.repeat(50_000)}`, /^Line 3 .*bracket/],
    ['brackets without end', '[\n' + '['.repeat(3_000_000), /^Line 2 starts a tweet that is longer/]
  ])('lists with %s get an error that names the line', async (_, list, why) => {
    expect(await words(list, 'a.json')).toMatch(why)
  })

  test('inside a zip gets an error that names the file and the line', async () => {
    const bytes = zip([{ name: 'top/data/tweets-part1.js', data: ytd([{ full_text: 'a' }]).replace('"a"', '"a') }])
    expect(await words(bytes, 'a.zip')).toMatch(/^In data\/tweets-part1\.js, line 3 is no JSON/)
  })
})

describe('plain text', () => {
  test('is one tweet a line', async () => {
    const { tweets, report } = await read('rain, again\r\n\r\n"tea" &amp; rain\n  last  ', 'a.txt')
    const text = (text: string) => ({ id: null, text, createdAt: null })
    expect(tweets).toEqual([text('rain, again'), text('"tea" & rain'), text('last')])
    expect(report).toEqual({ read: 3, kept: 3, beyond: 0, dropped: none })
  })

  test('may start with what looks like another format', async () => {
    expect(await texts('"a tweet"\nin quotes\n', 'a.txt')).toEqual(['"a tweet"', 'in quotes'])
    expect(await texts('[thread] tea\n{sigh}\n', 'a.txt')).toEqual(['[thread] tea', '{sigh}'])
    expect(await texts('text\ntweet\n', 'a.txt')).toEqual(['text', 'tweet'])
  })

  test('without a line says so', async () => {
    for (const name of ['a.txt', 'a.csv', 'a.js', 'a.json']) {
      expect(await words(' \n\n', name)).toBe('This file holds no tweets.')
      expect(await words('', name)).toBe('This file holds no tweets.')
    }
  })
})

describe('encodings', () => {
  const text = 'tea 🌱 für alle\nまた明日\n'
  const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16()
  const long = 'é🌱'.repeat(100) + '\n'

  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE with a byte order mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE with a byte order mark', bigEndian(`\ufeff${text}`)]
  ])('%s is read', async (_, bytes) => {
    expect(await texts(bytes, 'a.txt')).toEqual(text.trim().split('\n'))
  })

  test('are read across the borders of chunks', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `${i}${long}`).join('')
    const expected = lines.trim().split('\n')
    expect(await texts(`a${lines}`, 'a.txt')).toEqual(`a${lines}`.trim().split('\n'))
    expect(await texts(Buffer.from(`\ufeff${lines}`, 'utf16le'), 'a.txt')).toEqual(expected)
    expect(await texts(lines.replaceAll('\n', '\r\n'), 'a.txt')).toEqual(expected)
    expect(await texts(`[${expected.map((line) => JSON.stringify(line)).join(',')}]`, 'a.json')).toEqual(expected)
    const csv = `id,text\r\n${expected.map((line, i) => `${1000 - i},"${line}\r\n"`).join('\r\n')}`
    expect(await texts(csv, 'a.csv')).toEqual(expected)
  })

  test.each([
    ['Latin-1', Buffer.from('text\nf\xfcr alle\n', 'latin1')],
    ['UTF-16 without a byte order mark', Buffer.from('text\ntea\n', 'utf16le')],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
    ['half of UTF-16', Buffer.from([0xff, 0xfe, 0x61])],
    ['UTF-8 that stops inside a character', Buffer.from('tea 🌱').subarray(0, -1)],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')]
  ])('%s is refused with how to save it', async (_, bytes) => {
    expect(await words(bytes, 'a.csv')).toMatch(/^The file is not UTF-8 text\. Save it again as UTF-8: in Excel/)
  })

  test('are refused inside a zip by the name of the file', async () => {
    const data = Buffer.from('window.YTD.tweets.part0 = ["\xfc"]', 'latin1')
    expect(await words(zip([{ name: 'data/tweets.js', data }]), 'a.zip')).toMatch(/^data\/tweets\.js is not UTF-8 text/)
  })
})

describe('a hostile or broken zip', () => {
  const good = { name: 'data/tweets.js', data: wrapped(post('tea')) }
  const megabytes = (n: number) => Buffer.alloc(n * 2 ** 20, ' ')

  test('is refused before it is unpacked for a declared size over 300 MB', async () => {
    const bomb = zip([{ ...good, declared: 301 * 2 ** 20 }])
    expect(await words(bomb, 'a.zip')).toMatch(/^data\/tweets\.js in this zip is larger than 300 MB when unpacked/)
  })

  test('is refused for a ratio that no text has', async () => {
    const bomb = zip([{ ...good, data: megabytes(20) }])
    expect(await words(bomb, 'a.zip')).toMatch(/^data\/tweets\.js in this zip would be more than 200 times as large/)
  })

  test('is refused for parts that are too large together, or too many', async () => {
    const [data, declared] = [randomBytes(3 * 2 ** 20), 250 * 2 ** 20]
    const parts = [1, 2, 3].map((i) => ({ name: `data/tweets-part${i}.js`, data, declared }))
    expect(await words(zip(parts), 'a.zip')).toMatch(/larger than 600 MB when unpacked/)
    expect(await words(zip(Array.from({ length: 101 }, () => good)), 'a.zip')).toMatch(/more than 100 files of tweets/)
  })

  test('is stopped at the first byte beyond a size that it has lied about', async () => {
    const data = Buffer.concat([Buffer.from('window.YTD.tweets.part0 = ['), megabytes(9)])
    expect(await words(zip([{ ...good, data, declared: 99 }]), 'a.zip')).toMatch(/^This zip is damaged/)
    expect(await words(zip([{ ...good, declared: 10_000 }]), 'a.zip')).toMatch(/^This zip is damaged/)
  })

  test('is refused for too many entries, declared or real', async () => {
    expect(await words(zip([good], 20_001), 'a.zip')).toMatch(/more than 20,000 files/)
    expect(await words(zip([good], 3), 'a.zip')).toMatch(/^This zip is damaged/)
  })

  test('is not looked into a second time: zips inside stay closed', async () => {
    const nested = { name: 'data/tweets.zip', data: zip([good]) }
    expect(await words(zip([nested]), 'a.zip')).toMatch(/holds no data\/tweets\.js/)
    expect(await words(zip([{ ...good, data: zip([good]) }]), 'a.zip')).toMatch(/^data\/tweets\.js is not UTF-8 text/)
  })

  test('reads known names only, and writes nothing to disk', async () => {
    const evil = ['../data/tweets.js', '/data/tweets.js', '..\\..\\tweets.js', 'C:\\tweets.js', 'a/b/data/tweets.js']
    const tricks = [...evil, 'data/tweets.js/', 'data/tweets.js\0.png', 'xdata/mytweets.js', 'data/like.js']
    const entries = tricks.map((name) => ({ name, data: wrapped(post('evil')) }))
    const before = readdirSync(folder)
    expect(await texts(zip([...entries, good]), 'a.zip')).toEqual(['tea'])
    expect(await words(zip(entries), 'a.zip')).toMatch(/^This zip holds no data\/tweets\.js, so it is not the archive/)
    expect(readdirSync(folder)).toEqual(before)
  })

  test('is refused in words where it is locked or packed in another way', async () => {
    expect(await words(zip([{ ...good, flags: 1 }]), 'a.zip')).toMatch(/^data\/tweets\.js in this zip is locked/)
    expect(await words(zip([{ ...good, method: 14 }]), 'a.zip')).toMatch(/packed in a way that can't be read here/)
  })

  test('is refused in words wherever it has been cut off', async () => {
    const bytes = zip([good])
    for (let length = 4; length < bytes.length; length += 7) {
      const cut = bytes.subarray(0, length)
      expect(await words(cut, 'a.zip')).toMatch(/^This zip is damaged, or a part of it is missing/)
    }
    expect(await words('no zip', 'a.zip')).toMatch(/^This zip is damaged/)
  })

  test('is refused in words whichever byte is wrong, or read all the same', async () => {
    const bytes = zip([good])
    for (let at = 4; at < bytes.length; at += 2) {
      const broken = Buffer.from(bytes)
      broken[at] ^= 0x55
      const outcome = await read(broken, 'a.zip').catch((error) => error)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ExpectedError)
    }
  })

  test('leaves no file open', async () => {
    const links = () => readdirSync('/proc/self/fd').length
    if (process.platform !== 'linux') return
    const before = links()
    const broken = { ...good, data: `${good.data.slice(0, 40)}\n\n"${' '.repeat(500_000)}` }
    for (let i = 0; i < 20; i++) await words(i % 2 ? zip([broken, good]) : broken.data, i % 2 ? 'a.zip' : 'tweets.js')
    for (let i = 0; i < 20; i++) await setImmediate()
    expect(links()).toBeLessThan(before + 10)
  })

  test('that is missing is no fault of the visitor', async () => {
    const result = readArchive(join(folder, 'missing'), 'a.zip', { replies: false })
    await expect(result).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a huge file', () => {
  test('of more than 2,000,000 records is refused', async () => {
    expect(await words('a\n'.repeat(2_000_001), 'a.txt')).toBe('This file holds more than 2,000,000 tweets.')
  })

  test('of one line of 50 MB is survived', async () => {
    const line = Buffer.alloc(50_000_000, 'tea ')
    const report = { read: 1, kept: 0, beyond: 0, dropped: { ...none, tooLong: 1 } }
    expect((await read(line, 'a.txt')).report).toEqual(report)
    const after = (start: string) => Buffer.concat([Buffer.from(start), line])
    expect((await read(after('"'), 'a.jsonl')).report).toEqual(report)
    expect(await words(after('text,id\n'), 'a.csv')).toMatch(/^Line 2 starts a row that never/)
    expect(await words(after('["'), 'a.json')).toMatch(/^Line 1 starts a tweet that is longer/)
    expect(await words(line, 'a.csv')).toMatch(/^Line 1 names no column/)
  })

  test('of nothing but accents is survived', async () => {
    const { report } = await read(`a${'\u0301\u0323'.repeat(250_000)}\ntea\n`, 'a.txt')
    expect(report.read).toBe(2)
  })

  test('of 1,000,000 lines lets other work go on meanwhile', async () => {
    let turns = 0
    const reading = read(Array.from({ length: 1_000_000 }, (_, i) => `tweet ${i}`).join('\n'), 'a.txt')
    const done = reading.then(() => true)
    while (!(await Promise.race([done, setImmediate(false)]))) turns++
    expect((await reading).report).toEqual({ read: 1_000_000, kept: 3_200, beyond: 996_800, dropped: none })
    expect(turns).toBeGreaterThan(100)
  })

  // In a process of its own, looked at again and again, to tell what reading takes on top of the code.
  const script = `
    const { readArchive } = await import(process.argv[1])
    const base = process.memoryUsage.rss()
    let peak = base
    setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5).unref()
    const { report } = await readArchive(process.argv[2], process.argv[3], { replies: false })
    console.log(JSON.stringify({ report, megabytes: (peak - base) / 2 ** 20 }))`

  interface Measured {
    report: ImportReport
    megabytes: number
  }

  async function measure(content: string | Buffer, fileName: string): Promise<Measured> {
    writeFileSync(upload, content)
    const code = new URL('../../../src/sources/archive/read-archive.ts', import.meta.url).href
    const flags = ['--import', 'tsx', '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, code, upload, fileName])
    return JSON.parse(stdout)
  }

  const lines = (line: (i: number) => string) => Array.from({ length: 1_000_000 }, (_, i) => line(i)).join('\n')
  test.each<[string, string, () => string | Buffer]>([
    ['text', 'a.txt', () => lines((i) => `rain and tea on the ${i}th day`)],
    ['CSV', 'a.csv', () => `id,text\n${lines((i) => `${i},"rain, tea ${i}"`)}`],
    ['JSON Lines', 'a.jsonl', () => lines((i) => `{"id":"${i}","text":"rain ${i}"}`)]
  ])('of 1,000,000 lines of %s takes less than 150 MB of memory', async (_, fileName, content) => {
    const { report, megabytes } = await measure(content(), fileName)
    expect(report).toEqual({ read: 1_000_000, kept: 3_200, beyond: 996_800, dropped: none })
    expect(megabytes).toBeLessThan(150)
  })

  test('of 200 MB inside of a zip takes less than 150 MB of memory', async () => {
    const entities = Array.from({ length: 12 }, (_, i) => ({ indices: [i, i + 9] }))
    const more = JSON.stringify({ lang: 'en', entities }, null, 2)
    const tweet = (i: number) => `{"tweet": {"full_text": "rain ${i}", "id": "${i}", "rest": ${more}}}`
    const tweets = Array.from({ length: 240 }, (_, k) => Array.from({ length: 1000 }, (_, i) => tweet(k * 1000 + i)))
    const data = Buffer.from(`window.YTD.tweets.part0 = [${tweets.map((part) => part.join(',\n')).join(',\n')}]`)
    expect(data.length).toBeGreaterThan(200e6)
    const { report, megabytes } = await measure(zip([{ name: 'data/tweets.js', data }]), 'a.zip')
    expect(report).toEqual({ read: 240_000, kept: 3_200, beyond: 236_800, dropped: none })
    expect(megabytes).toBeLessThan(150)
  })
})
