import { readdir, readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { SETTINGS } from '../src/env.js'

const root = new URL('../', import.meta.url)

let readme: string[]
let files: string[]

beforeAll(async () => {
  readme = (await readFile(new URL('README.md', root), 'utf8')).split('\n')
  const names = await readdir(new URL('src/', root), { recursive: true })
  files = names.map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts') && !name.startsWith('src/generated/'))
})

/** The files in the order of the README's lines "- `src/errors.ts` what it is". */
const listed = (): string[] => readme.flatMap((line) => /^- `(src\/[^`]*)`/.exec(line)?.[1] ?? [])

/** The files of src/ that a file imports; what is generated has no place in the map. */
async function importsOf(file: string): Promise<string[]> {
  const { importedFiles } = ts.preProcessFile(await readFile(new URL(file, root), 'utf8'), true, true)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix.join(posix.dirname(file), fileName).replace(/\.js$/, '.ts'))
    .filter((name) => !name.startsWith('src/generated/'))
}

describe("the README's map", () => {
  test('lists every file of src/, once, and no other', () => {
    expect([...listed()].sort()).toEqual([...files].sort())
  })

  test('says of each file what it is', () => {
    const lines = readme.filter((line) => line.startsWith('- `src/'))
    expect(lines.filter((line) => !/^- `src\/[^`]+\.ts` \S.*$/.test(line))).toEqual([])
  })

  test('is in import order: each file imports only from files above it', async () => {
    const order = listed()
    const wrong: string[] = []
    for (const file of files) {
      for (const imported of await importsOf(file)) {
        if (order.indexOf(imported) === -1 || order.indexOf(imported) >= order.indexOf(file)) {
          wrong.push(`${file} imports ${imported}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  test('is checked against imports that are there', async () => {
    expect(await importsOf('src/routes/home.ts')).toContain('src/parts.ts')
    expect(await importsOf('src/store.ts')).toContain('src/vectors.ts')
  })
})

test("the README's settings table has exactly the settings of src/env.ts", () => {
  const rows = readme.flatMap((line) => /^\| `([^` ]+)` \|/.exec(line)?.[1] ?? [])
  expect([...rows].sort()).toEqual([...SETTINGS].sort())
})
