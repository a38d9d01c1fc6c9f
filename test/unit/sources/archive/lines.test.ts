import { describe, expect, test } from 'vitest'
import { NONE_DROPPED, openUploadReader, zip } from '../../../support/archive.js'

const { read, texts, refusal } = openUploadReader()

describe('plain text', () => {
  test('has one tweet on each line', async () => {
    const { tweets, report } = await read('rain, again\r\n\r\n"tea" &amp; rain\n  last  ', 'a.txt')
    const text = (text: string) => ({ id: null, text, createdAt: null })
    expect(tweets).toEqual([text('rain, again'), text('"tea" & rain'), text('last')])
    expect(report).toMatchObject({ read: 3, kept: 3, beyond: 0, dropped: NONE_DROPPED })
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
    ['Windows-1252', Buffer.from('text\nf\xfcr alle \x96 5 \x80\n', 'latin1'), 'für alle – 5 €', 'Windows-1252'],
    ['UTF-16 LE without its mark', Buffer.from('text\nfür alle\n', 'utf16le'), 'für alle', 'UTF-16 LE'],
    ['UTF-16 BE without its mark', bigEndian('text\nfür alle\n'), 'für alle', 'UTF-16 BE']
  ])('%s is found by the whole file', async (_, bytes, expected, encoding) => {
    const { tweets, report } = await read(bytes, 'a.csv')
    expect([tweets.map(({ text }) => text), report.encoding]).toEqual([[expected], encoding])
  })

  test('UTF-8 with a wrong byte in one record keeps the others, and says so', async () => {
    const line = (i: number) => Buffer.from(`für alle ${i} 🌱\n`)
    const bytes = Buffer.concat([...Array.from({ length: 20 }, (_, i) => line(i)), Buffer.from('bro\xffken\n', 'latin1')])
    const { report } = await read(bytes, 'a.txt')
    expect(report).toMatchObject({ read: 21, kept: 20, dropped: { odd: 1 }, encoding: 'damaged UTF-8', examples: { odd: [{ line: 21, text: 'holds bytes that are not UTF-8.' }] } })
  })

  test.each([
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
    ['half a character of UTF-16', Buffer.from([0xff, 0xfe, 0x61])],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')]
  ])('%s is refused, with how to save the file as UTF-8', async (_, bytes) => {
    expect(await refusal(bytes, 'a.csv')).toMatch(/^The file is not UTF-8 text\. Save it again as UTF-8: in Excel/)
  })

  test('a file inside a zip that is not UTF-8 is refused by its name', async () => {
    const data = Buffer.from('window.YTD.tweets.part0 = ["\x81\x01"]', 'latin1')
    expect(await refusal(zip([{ name: 'data/tweets.js', data }]), 'a.zip')).toMatch(/^data\/tweets\.js is not UTF-8 text/)
  })
})
