import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { PATHS } from '../../src/core/paths.js'
import { FOLDERS } from '../support/architecture.js'

const PROCESSES = ['release.ts', 'server.ts', 'worker.ts']
const MOST_FILES = 12 // in a folder, the folders in it not counted

let files: string[] // of src/, such as "web/routes/home.ts"
let imports: Map<string, string[]>

beforeAll(async () => {
  const names = await readdir(join(PATHS.root, 'src'), { recursive: true })
  files = names.map((name) => name.replaceAll('\\', '/')).filter((name) => /\.\w+$/.test(name) && !name.startsWith('generated/'))
  const sources = files.filter((name) => name.endsWith('.ts'))
  imports = new Map(await Promise.all(sources.map(async (file) => [file, await importsOf(file)] as const)))
})

/** The files of src/ that a file imports, generated ones left out. */
async function importsOf(file: string): Promise<string[]> {
  const { importedFiles } = ts.preProcessFile(await readFile(join(PATHS.root, 'src', file), 'utf8'), true, true)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix.join(posix.dirname(file), fileName).replace(/\.js$/, '.ts'))
    .filter((name) => !name.startsWith('generated/'))
}

const folderOf = (file: string): string => file.split('/')[0]

describe('src/', () => {
  test('has no file at its root but the processes', () => {
    expect(files.filter((file) => !file.includes('/')).sort()).toEqual(PROCESSES)
  })

  test('has the folders of the list and no others', () => {
    expect([...new Set(files.filter((file) => file.includes('/')).map(folderOf))].sort()).toEqual([...FOLDERS].sort())
  })

  test('has at most a dozen files in each folder', () => {
    const sizes = new Map<string, number>()
    for (const file of files) sizes.set(posix.dirname(file), (sizes.get(posix.dirname(file)) ?? 0) + 1)
    expect([...sizes].filter(([, size]) => size > MOST_FILES)).toEqual([])
  })

  test('has imports in one direction: from a folder only to itself and to folders below it', () => {
    const wrong = [...imports].flatMap(([file, imported]) =>
      imported
        .filter((other) => file.includes('/') && FOLDERS.indexOf(folderOf(other)) < FOLDERS.indexOf(folderOf(file)))
        .map((other) => `${file} imports ${other}`)
    )
    expect(wrong).toEqual([])
  })

  test('has no files that import each other in a circle', () => {
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file)) return
      for (const other of imports.get(file) ?? []) visit(other, [...path, file])
      done.add(file)
    }
    for (const file of imports.keys()) visit(file, [])
    expect(circles).toEqual([])
  })

  test('has no file that nothing imports, but for processes, commands, threads and types', () => {
    const imported = new Set([...imports.values()].flat())
    const entries = /^[^/]+\.ts$|^commands\/|-worker\.ts$|\.d\.ts$/
    expect([...imports.keys()].filter((file) => !imported.has(file) && !entries.test(file))).toEqual([])
  })
})
