import { describe, expect, test } from 'vitest'
import { NONE_DROPPED, openUploadReader } from '../../../support/archive.js'

const { read, texts, refusal } = openUploadReader()

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

  test('is read with a single column without quotation marks', async () => {
    expect(await texts('Text\nrain, then tea; then "rain"\n"quoted, too"\n', 'a.csv')).toEqual([
      'rain, then tea; then "rain"',
      'quoted, too'
    ])
  })

  test('counts rows without a text as empty', async () => {
    const { report } = await read('id,text\n1,\n2,tea\n', 'a.csv')
    expect(report).toMatchObject({ read: 2, kept: 1, beyond: 0, dropped: { ...NONE_DROPPED, empty: 1 } })
  })

  test('without a column of texts is refused with the names that are looked for', async () => {
    expect(await refusal('id,words\n1,tea\n', 'a.csv')).toBe('Line 1 names no column of texts (such as text, tweet, full_text or content), and none of the columns holds sentences.')
  })

  test.each([
    ['a row with too many cells', 'id,text\n1,a\n2,b, c\n', 3, /has 3 cells where 2 are named/],
    ['a quote that is never closed', 'id,text\r\n1,"a\r\nb"\r\n2,"c\r\n3,d\r\n', 4, /opened and not closed/],
    ['a quote that is closed too early', 'id,text\n1,a\n2,"b" c\n3,d\n', 3, /write it twice/],
    ['a quote that takes in the next row', 'id,text\n1,"a\n2,"b"\n3,c\n', 2, /write it twice/]
  ])('with %s gets an error that names the line', async (_, csv, line, why) => {
    const message = await refusal(csv, 'a.csv')
    expect(message).toMatch(new RegExp(`^Line ${line} `))
    expect(message).toMatch(why)
  })
})
