import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ImportReport } from '../../src/sources/archive/report.js'
import { NONE_DROPPED, openUploadReader, zip } from '../support/archive.js'

const uploads = openUploadReader()
const { read, refusal } = uploads

describe('a huge file', () => {
  test('of more than 2,000,000 records is refused', async () => {
    expect(await refusal('a\n'.repeat(2_000_001), 'a.txt')).toBe('This file holds more than 2,000,000 tweets.')
  })

  test('of one line of 50 MB is read or refused', async () => {
    const line = Buffer.alloc(50_000_000, 'tea ')
    const report = { read: 1, kept: 0, beyond: 0, dropped: { ...NONE_DROPPED, tooLong: 1 } }
    expect((await read(line, 'a.txt')).report).toMatchObject(report)
    const after = (start: string) => Buffer.concat([Buffer.from(start), line])
    expect((await read(after('"'), 'a.jsonl')).report).toMatchObject(report)
    expect(await refusal(after('text,id\n'), 'a.csv')).toMatch(/^Line 2 starts a row that never/)
    expect(await refusal(after('["'), 'a.json')).toMatch(/^Line 1 starts a tweet that is longer/)
    expect(await refusal(line, 'a.csv')).toMatch(/^Line 1 names no column/)
  })

  test('of 1,000,000 lines lets other work go on meanwhile', async () => {
    let turns = 0
    const reading = read(Array.from({ length: 1_000_000 }, (_, i) => `tweet ${i}`).join('\n'), 'a.txt')
    const done = reading.then(() => true)
    while (!(await Promise.race([done, setImmediate(false)]))) turns++
    expect((await reading).report).toMatchObject({ read: 1_000_000, kept: 3_200, beyond: 996_800, dropped: NONE_DROPPED })
    expect(turns).toBeGreaterThan(100)
  })

  // In a process of its own, looked at again and again, to tell what reading takes on top of the code.
  const script = `
    const { readArchive } = await import(process.argv[1])
    const base = process.memoryUsage.rss()
    let peak = base
    setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5).unref()
    const [{ report }] = await readArchive(process.argv[2], process.argv[3], { replies: false })
    console.log(JSON.stringify({ report, megabytes: (peak - base) / 2 ** 20 }))`

  interface Measured {
    report: ImportReport
    megabytes: number
  }

  async function measure(content: string | Buffer, fileName: string): Promise<Measured> {
    const upload = join(uploads.folder, 'measured')
    writeFileSync(upload, content)
    const code = new URL('../../dist/sources/archive/read-archive.js', import.meta.url).href
    const flags = ['--input-type=module', '-e', script]
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
    expect(report).toMatchObject({ read: 1_000_000, kept: 3_200, beyond: 996_800, dropped: NONE_DROPPED })
    expect(megabytes).toBeLessThan(150)
  })

  test('of 200 MB inside a zip takes less than 150 MB of memory', async () => {
    const entities = Array.from({ length: 12 }, (_, i) => ({ indices: [i, i + 9] }))
    const more = JSON.stringify({ lang: 'en', entities }, null, 2)
    const tweet = (i: number) => `{"tweet": {"full_text": "rain ${i}", "id": "${i}", "rest": ${more}}}`
    const tweets = Array.from({ length: 240 }, (_, k) => Array.from({ length: 1000 }, (_, i) => tweet(k * 1000 + i)))
    const data = Buffer.from(`window.YTD.tweets.part0 = [${tweets.map((part) => part.join(',\n')).join(',\n')}]`)
    expect(data.length).toBeGreaterThan(200e6)
    const { report, megabytes } = await measure(zip([{ name: 'data/tweets.js', data }]), 'a.zip')
    expect(report).toMatchObject({ read: 240_000, kept: 3_200, beyond: 236_800, dropped: NONE_DROPPED })
    expect(megabytes).toBeLessThan(150)
  })

  test('of 289 MB of posts of 24,900 characters inside a zip of 1.5 MB takes less than 150 MB of memory', async () => {
    const tweet = (i: number) => `{"tweet":{"id_str":"${1_700_000_000_000_000_000n + BigInt(i)}","full_text":"${i} ${randomBytes(240).toString('hex')}${'語'.repeat(24_500)}"}}`
    const data = Buffer.from(`window.YTD.tweets.part0 = [\n${Array.from({ length: 3900 }, (_, i) => tweet(i)).join(',\n')}\n]`)
    expect(data.length).toBeGreaterThan(285e6)
    const { report, megabytes } = await measure(zip([{ name: 'data/tweets.js', data }]), 'a.zip')
    expect(report).toMatchObject({ read: 3_900, kept: 40, beyond: 3_860, dropped: NONE_DROPPED })
    expect(megabytes).toBeLessThan(150)
  })
})
