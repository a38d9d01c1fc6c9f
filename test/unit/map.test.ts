import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { PATHS } from '../../src/core/paths.js'
import { FOLDERS } from '../support/architecture.js'

const PROCESSES = ['release.ts', 'server.ts', 'worker.ts']
const MAX_FILES = 12 // in a folder, the folders in it not counted
const MAX_LINES = 40 // of a function

let files: string[] // of src/, such as "web/routes/home.ts"
let imports: Map<string, string[]>
let longFunctions: string[]

beforeAll(async () => {
  const names = await readdir(join(PATHS.root, 'src'), { recursive: true })
  files = names.map((name) => name.replaceAll('\\', '/')).filter((name) => /\.\w+$/.test(name) && !name.startsWith('generated/'))
  const sources = files.filter((name) => name.endsWith('.ts'))
  const read = await Promise.all(sources.map(async (file) => [file, await readFile(join(PATHS.root, 'src', file), 'utf8')] as const))
  imports = new Map(read.map(([file, code]) => [file, importsOf(file, code)]))
  longFunctions = read.flatMap(([file, code]) => longFunctionsOf(file, code))
})

/** The files of src/ that a file imports, generated ones left out. */
function importsOf(file: string, code: string): string[] {
  const { importedFiles } = ts.preProcessFile(code, true, true)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix.join(posix.dirname(file), fileName).replace(/\.js$/, '.ts'))
    .filter((name) => !name.startsWith('generated/'))
}

/** The functions and methods that are too long, each with its name and its number of lines. */
function longFunctionsOf(file: string, code: string): string[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const lines = ts.isFunctionLike(node) ? ownLines(node, source) : 0
    if (lines > MAX_LINES) found.push(`${file}: ${nameOf(node)} has ${lines} lines`)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** A function's lines without those of the functions in it, so that a list of small methods is not a long function. */
function ownLines(node: ts.Node, source: ts.SourceFile): number {
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  const [own, nested] = [new Set<number>(), new Set<number>()]
  const add = (lines: Set<number>, start: number, end: number): void => {
    for (let line = lineAt(start); line <= lineAt(end); line++) lines.add(line)
  }
  const visit = (child: ts.Node): void => {
    if (ts.isFunctionLike(child)) add(nested, child.getStart(source, true), child.end)
    else if (child.getChildCount(source) > 0) child.getChildren(source).forEach(visit)
    else if (!/^[(){}[\],]*$/.test(child.getText(source))) add(own, child.getStart(source), child.end)
  }
  node.getChildren(source).forEach(visit)
  const all = Array.from({ length: lineAt(node.end) - lineAt(node.getStart(source)) + 1 }, (_, i) => lineAt(node.getStart(source)) + i)
  return all.filter((line) => own.has(line) || !nested.has(line)).length
}

function nameOf(node: ts.Node): string {
  const named = [node, node.parent].find((one) => 'name' in one && one.name) as ts.NamedDeclaration | undefined
  return named?.name?.getText() ?? 'a function without a name'
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
    expect([...sizes].filter(([, size]) => size > MAX_FILES)).toEqual([])
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

  test('has no function over 40 lines, those of the functions in it not counted', () => {
    expect(longFunctions).toEqual([])
  })
})

describe('a function that counts as too long', () => {
  const statements = (n: number): string => 'work()\n'.repeat(n)

  test.each([
    ['a function', `function work() {\n${statements(39)}}`],
    ['an arrow function', `const work = () => {\n${statements(39)}}`],
    ['a method', `class A {\n  work() {\n${statements(39)}}\n}`],
    ['a function within one', `function outer() {\n  function work() {\n${statements(39)}}\n}`],
    ['a function with many short callbacks', `function work() {\n${'xs.map((x) => x)\n'.repeat(39)}}`],
    ['a function with a long text', `function work() {\n  return \`${'text\n'.repeat(38)}\`\n}`]
  ])('is %s of 41 lines', (_, code) => {
    expect(longFunctionsOf('a.ts', code)).toEqual(['a.ts: work has 41 lines'])
  })

  test('is none of 40 lines, and no list of small methods', () => {
    const methods = Array.from({ length: 5 }, (_, i) => `    /** Does ${i}. */\n    method${i}() {\n${statements(20)}    },\n`).join('\n')
    expect(longFunctionsOf('a.ts', `function work() {\n${statements(38)}}`)).toEqual([])
    expect(longFunctionsOf('a.ts', `function list() {\n  return {\n${methods}  }\n}`)).toEqual([])
  })
})
