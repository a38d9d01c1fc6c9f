import { describe, expect, test } from 'vitest'
import { NONE_DROPPED, openUploadReader, zip } from '../../../support/archive.js'

const { read, texts, refusal } = openUploadReader()

describe('plain text', () => {
  test('has one tweet on each line', async () => {
    const { tweets, report } = await read('rain, again\r\n\r\n"tea" &amp; rain\n  last  ', 'a.txt')
    const text = (text: string) => ({ id: null, text, createdAt: null })
    expect(tweets).toEqual([text('rain, again'), text('"tea" & rain'), text('last')])
    expect(report).toEqual({ read: 3, kept: 3, beyond: 0, dropped: NONE_DROPPED })
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
    ['half a character of UTF-16', Buffer.from([0xff, 0xfe, 0x61])],
    ['UTF-8 that stops inside a character', Buffer.from('tea 🌱').subarray(0, -1)],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')]
  ])('%s is refused, with how to save the file as UTF-8', async (_, bytes) => {
    expect(await refusal(bytes, 'a.csv')).toMatch(/^The file is not UTF-8 text\. Save it again as UTF-8: in Excel/)
  })

  test('a file inside a zip that is not UTF-8 is refused by its name', async () => {
    const data = Buffer.from('window.YTD.tweets.part0 = ["\xfc"]', 'latin1')
    expect(await refusal(zip([{ name: 'data/tweets.js', data }]), 'a.zip')).toMatch(/^data\/tweets\.js is not UTF-8 text/)
  })
})
