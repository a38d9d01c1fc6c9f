import { describe, expect, test } from 'vitest'
import { openUploadReader, post, tweetsJs } from '../../../support/archive.js'

const { texts, refusal } = openUploadReader()

describe("X's archive", () => {
  test('is read with brackets, quotes, commas and line ends inside texts', async () => {
    const odd = 'a "b], [c}, {d\\" \\\n, ]; e'
    expect(await texts(tweetsJs(post(odd), post('next', { id_str: '0' })), 'tweets.js')).toEqual([odd, 'next'])
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

  test('lists are read too', async () => {
    expect(await texts('[{"text":"a"},\n{"text":"b"}]', 'a.json')).toEqual(['a', 'b'])
    expect(await texts('["a", "b",]\n', 'a.json')).toEqual(['a', 'b'])
  })

  test.each([
    ['no JSON', '{"text":"a"}\n\n{"text":"b"\n', /^Line 3 is no JSON: each line has to be \{"text"/],
    ['no text', '{"text":"a"}\n{"words":"b"}\n', /^Line 2 has no text/],
    ['a text that is a list', '{"text":["a"]}\n', /^Line 1 has no text/],
    ['a number', '"a"\n17\n', /^Line 2 has no text/],
    ['null', '"a"\nnull\n', /^Line 2 has no text/]
  ])('Lines with %s get an error that names the line', async (_, lines, why) => {
    expect(await refusal(lines, 'a.jsonl')).toMatch(why)
  })

  test.each([
    ['a broken tweet', '[\n{"text":"a"},\n{\n"text":}\n]', /^Line 3 is no JSON/],
    ['an open quotation mark', '[\n{"text":"a},\n{"text":"b"}\n]', /^Line 2 is no JSON: its last quotation mark/],
    ['more after its end', '[\n{"text":"a"}\n]\n, {"text":"b"}]', /^Line 4 goes on after the end/],
    ['a bracket that is never closed', `[\n{"text":"a"},\n{\n${'{"text":"b"},\n'.repeat(50_000)}`, /^Line 3 .*bracket/],
    ['brackets without end', '[\n' + '['.repeat(3_000_000), /^Line 2 starts a tweet that is longer/]
  ])('lists with %s get an error that names the line', async (_, list, why) => {
    expect(await refusal(list, 'a.json')).toMatch(why)
  })
})
