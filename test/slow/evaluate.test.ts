import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomNumbers } from '../../support/datasets.js'

const WORDS = 'tea rain train cat moon bread bike sock plant kettle garden bus bridge lecture shoes cloud'.split(' ')

const AUTHORS: Record<string, (words: string) => string> = {
  calm: (words) => `${words} idk 🌱`,
  stern: (words) => `It is, "${words}"; see overleaf.`,
  keen: (words) => `${words.toUpperCase()}!!!\n#GO &amp; on`,
  asking: (words) => `Why ${words}? Or is it just me?`,
  distant: (words) => `${words.replaceAll(' ', '・')}ですね。`
}

/** Author → n tweets, all different. */
function write(n: number): [string, string[]][] {
  return Object.entries(AUTHORS).map(([handle, style], seed) => {
    const random = randomNumbers(seed)
    const word = (): string => WORDS[Math.floor(random() * WORDS.length)]
    return [handle, Array.from({ length: n }, (_, i) => style([word(), word(), `${i}`, word(), word()].join(' ')))]
  })
}

const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`
const toCsv = (authors: [string, string[]][]): string =>
  ['handle,text', ...authors.flatMap(([handle, texts]) => texts.map((text) => `${handle},${quoted(text)}`))].join('\n')
const toJsonLines = (authors: [string, string[]][]): string =>
  authors.map(([handle, tweets]) => `${JSON.stringify({ handle, tweets })}\n`).join('')

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function fileOf(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

interface Run {
  code: number
  stdout: string
  stderr: string
}

function evaluate(...args: string[]): Promise<Run> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'bench/evaluate.ts', ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
  })
}

const QUICK = ['--features', 'ngrams', '--train', '20', '--test', '5', '--subsets', '2']

/** A run that must succeed: its lines, and the JSON in the last one. */
async function measure(...args: string[]): Promise<{ lines: string[]; last: Record<string, number> }> {
  const { code, stdout, stderr } = await evaluate(...args)
  expect([code, stderr]).toEqual([0, ''])
  const lines = stdout.trimEnd().split('\n')
  return { lines, last: JSON.parse(lines.at(-1)!) }
}

/** The figures of a run, without how long it took. */
async function figuresOf(...args: string[]): Promise<Record<string, number>> {
  const { fitMsMedian, ...figures } = (await measure(...args)).last
  expect(fitMsMedian).toEqual(expect.any(Number))
  return figures
}

describe.concurrent('evaluating on a file', () => {
  test('prints how often the app declines, and a line of JSON at the end', async () => {
    const { lines, last } = await measure('--file', await fileOf('authors.csv', toCsv(write(25))), ...QUICK)
    expect(Object.keys(last)).toEqual(['accuracy', 'logLoss', 'ece', 'subsets', 'authors', 'fitMsMedian'])
    expect(last).toMatchObject({ subsets: 2, authors: 4 })
    expect(last.accuracy).toBeGreaterThan(0.9)
    expect(last.accuracy).toBeLessThanOrEqual(1)
    expect(last.logLoss).toBeGreaterThan(0)
    expect(last.logLoss).toBeLessThan(Math.log(4))
    expect(last.ece).toBeGreaterThanOrEqual(0)
    expect(lines[0]).toContain('5 authors')
    const declining = lines.slice(1, -1).join('\n')
    expect(declining).toMatch(/names somebody: [\d.]+% of the tweets, [\d.]+% of them right/)
    expect(declining).toMatch(/unlike any of them: [\d.]+% of their own tweets \(false alarms\)/)
    expect(declining).toMatch(/, [\d.]+% of another author's$/)
  })

  test('gives the same figures for CSV, JSON Lines and compressed JSON Lines, in every run', async () => {
    const authors = write(25)
    const files = [
      await fileOf('same.csv', `\ufeff${toCsv(authors)}`),
      await fileOf('same.jsonl', toJsonLines(authors)),
      await fileOf('same.jsonl.gz', gzipSync(toJsonLines(authors)))
    ]
    const [csv, ...others] = await Promise.all(files.map((file) => figuresOf('--file', file, ...QUICK)))
    expect(others).toEqual([csv, csv])
  })

  test('draws different subsets with another seed', async () => {
    const file = await fileOf('noisy.jsonl', toJsonLines(write(25).map(([handle, texts], c, all) =>
      [handle, texts.map((text, i) => (i % 3 ? text : all[(c + i) % 5][1][i]))])))
    const asked = ['--file', file, ...QUICK, '--authors', '2']
    const [one, two] = await Promise.all(['1', '2'].map((seed) => figuresOf(...asked, '--seed', seed)))
    expect(one.logLoss).not.toBe(two.logLoss)
  })

  test('drops tweets that are the same except for links and case, and authors who then have too few', async () => {
    const authors = write(25)
    const [, texts] = authors[0]
    texts[24] = `${texts[3].toUpperCase()} https://t.co/abc`
    const file = await fileOf('duplicates.jsonl', toJsonLines(authors))
    const { lines } = await measure('--file', file, ...QUICK)
    expect(lines[0]).toContain('4 authors')
  })

  test('tests on the newest tweets, which come first', async () => {
    const later = write(25).map(([handle, texts], c, all): [string, string[]] =>
      [handle, texts.map((text, i) => (i < 5 ? all[(c + 1) % 5][1][i] : text))])
    const file = await fileOf('later.jsonl', toJsonLines(later))
    const { last } = await measure('--file', file, ...QUICK, '--authors', '5')
    expect(last.accuracy).toBeLessThan(0.1)
  })

  test('uses the encoder unless --features leaves it out', async () => {
    const file = await fileOf('both.csv', toCsv(write(25)))
    const kinds = ['both', 'encoder', 'ngrams']
    const measured = await Promise.all(kinds.map((kind) => figuresOf('--file', file, ...QUICK, '--features', kind)))
    expect(new Set(measured.map(({ logLoss }) => logLoss)).size).toBe(3)
    for (const { accuracy } of measured) expect(accuracy).toBeGreaterThan(0.8)
  })
})

describe.concurrent('the program ends with a message and no stack trace for', () => {
  test.each([
    ['no file', [], /--file FILE/],
    ['another kind of features', ['--features', 'pixels'], /features.*ngrams.*encoder.*both/s],
    ['one author', ['--authors', '1'], /authors.*2/s],
    ['too few tweets to train on', ['--train', '4'], /train.*5/s],
    ['a value that is no number', ['--subsets', 'many'], /subsets.*number/s],
    ['an unknown option', ['--colour', 'red'], /--colour/]
  ])('%s', async (_, args, words) => {
    const file = args.length ? ['--file', await fileOf(`refused${args[0]}.csv`, toCsv(write(25)))] : []
    const { code, stdout, stderr } = await evaluate(...file, ...args)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(words)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a missing file', async () => {
    const { code, stderr } = await evaluate('--file', join(folder, 'nowhere.csv'), ...QUICK)
    expect(code).toBe(1)
    expect(stderr).toContain('nowhere.csv')
  })

  test('too few authors with that many tweets', async () => {
    const file = await fileOf('few.csv', toCsv(write(24)))
    const { code, stdout, stderr } = await evaluate('--file', file, ...QUICK)
    expect(code).toBe(1)
    expect(stdout).toContain('0 authors with 5 + 20 tweets or more')
    expect(stderr).toContain('Too few authors have that many tweets.')
  })
})
