import { expect, test } from 'vitest'
import { openUploadReader } from '../../../support/archive.js'

const { read, texts } = openUploadReader()

test('posts that start with a name count as replies where the file does not say which posts are replies', async () => {
  expect(await texts('hello\n@somebody hello you\n', 'a.txt')).toEqual(['hello'])
})

test.each([
  ['Wed Oct 10 20:19:24 +0000 2018', '2018-10-10T20:19:24.000Z'],
  ['2018-10-10 22:19:24 +0200', '2018-10-10T20:19:24.000Z'],
  ['2018-10-10T20:19:24.000Z', '2018-10-10T20:19:24.000Z'],
  ['2018-10-10 20:19', '2018-10-10T20:19:00.000Z'],
  ['1539202764', '2018-10-10T20:19:24.000Z'],
  ['1539202764000', '2018-10-10T20:19:24.000Z'],
  ['10/11/2018', '2018-10-11T00:00:00.000Z'],
  ['2018-13-45', undefined]
])('reads the date %s the same way in every time zone of the server', async (date, iso) => {
  const { tweets } = await read(`text,timestamp\ntea,${date}\n`, 'a.csv')
  expect(tweets[0].createdAt?.toISOString()).toBe(iso)
})

test('there is no id where a spreadsheet has rounded it', async () => {
  expect((await read('id,text\n1.05012E+18,tea\n', 'a.csv')).tweets[0].id).toBeNull()
})

test('there is no id where JSON has rounded a number', async () => {
  const { tweets } = await read('{"text":"a","id":1050118621198921728}\n', 'a.jsonl')
  expect(tweets[0].id).toBeNull()
})

test('a text of nothing but accents is read in time', async () => {
  const { report } = await read(`a${'\u0301\u0323'.repeat(250_000)}\ntea\n`, 'a.txt')
  expect(report.read).toBe(2)
})
