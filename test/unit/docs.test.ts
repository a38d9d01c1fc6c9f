import { readdir, readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readConfig, SETTINGS } from '../../src/core/config.js'
import { PATHS } from '../../src/core/paths.js'
import { createOpenApi } from '../../src/web/openapi.js'

const MAX_README_BYTES = 7_000
const FOLDERS_OF_PATHS = 'src|test|bench|docs|models|prisma|views|public|support|\\.ci|\\.githooks'
// Debian's packages for what models/*.py import; the protobuf package is needed by sentencepiece_model_pb2.
const PACKAGES: Record<string, string> = {
  numpy: 'python3-numpy', torch: 'python3-torch', sentencepiece: 'python3-sentencepiece', sentencepiece_model_pb2: 'python3-protobuf'
}
const STANDARD_LIBRARY = ['argparse', 'ctypes', 'gzip', 'html', 'io', 'json', 'math', 'os', 'pathlib', 'random', 're', 'sys', 'time']

let pages: { name: string; text: string }[]

const read = (name: string): Promise<string> => readFile(join(PATHS.root, name), 'utf8')

beforeAll(async () => {
  const docs = (await readdir(join(PATHS.root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'))
  const names = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'models/README.md', ...docs.map((name) => join('docs', name))]
  pages = await Promise.all(names.map(async (name) => ({ name, text: await read(name) })))
})

/** What a pattern's first group finds on each page, with the page's name. */
function found(pattern: RegExp): { page: string; match: string; rest: string[] }[] {
  return pages.flatMap(({ name, text }) => [...text.matchAll(pattern)].map(([, match, ...rest]) => ({ page: name, match, rest })))
}

/** The cells of a table's rows that begin with code. */
function rowsOf(text: string): string[][] {
  return text.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
}

const codesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code)

/** A heading's anchor as GitHub makes it. */
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')

describe('the README', () => {
  test('is short enough to be read in two minutes', () => {
    expect(Buffer.byteLength(pages.find(({ name }) => name === 'README.md')!.text)).toBeLessThanOrEqual(MAX_README_BYTES)
  })

  test('links to every page of the docs', async () => {
    const readme = await read('README.md')
    const own = pages.map(({ name }) => name).filter((name) => /^docs\/[^/]+$/.test(name))
    expect(own.filter((name) => !readme.includes(`(${name})`))).toEqual([])
  })
})

describe('what the docs name is there', () => {
  test('files and folders in links', () => {
    const links = found(/(?:\]\(|src=")([^)#"\s]*)(?:#[^)]*)?[)"]/g).filter(({ match }) => match !== '' && !/^https?:/.test(match))
    expect(links.length).toBeGreaterThan(50)
    expect(links.filter(({ page, match }) => !existsSync(resolve(PATHS.root, dirname(page), match)))).toEqual([])
  })

  test('headings in links', async () => {
    const links = found(/\]\(([^)#\s]*)#([^)]+)\)/g).filter(({ match }) => !/^https?:/.test(match))
    expect(links.length).toBeGreaterThan(0)
    for (const { page, match, rest: [anchor] } of links) {
      const text = await read(match ? join(dirname(page), match) : page)
      expect([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading)), page).toContain(anchor)
    }
  })

  test('functions and types in links to code', async () => {
    const links = found(/\[`(\w+)`\]\(([^)]+\.ts)\)/g)
    expect(links.length).toBeGreaterThan(20)
    const missing: string[] = []
    for (const { page, match, rest: [path] } of links) {
      const code = await read(join(dirname(page), path))
      if (!new RegExp(`\\b${match}\\b`).test(code)) missing.push(`${match} in ${path}`)
    }
    expect(missing).toEqual([])
  })

  test('paths in code', () => {
    const paths = found(new RegExp(`[\`\\s]((?:${FOLDERS_OF_PATHS})/[\\w./-]*)[\`\\s]`, 'g'))
    expect(paths.length).toBeGreaterThan(20)
    expect(paths.filter(({ match }) => !existsSync(join(PATHS.root, match)))).toEqual([])
  })

  test('npm scripts', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
    const named = [...found(/npm run ([\w:-]+)/g), ...found(/npm (test|start)\b/g)]
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter(({ match }) => !(match in scripts))).toEqual([])
  })
})

describe('docs/settings.md', () => {
  let rows: { name: string; standard: string; allowed: string }[]

  beforeAll(async () => {
    rows = rowsOf(await read('docs/settings.md')).map(([name, standard, allowed]) => ({ name: codesIn(name)[0], standard, allowed }))
  })

  const takes = (name: string, value: string | number): boolean => {
    try {
      return name in readConfig({ [name]: String(value) })
    } catch {
      return false
    }
  }

  test('has exactly the settings of src/core/config.ts', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual([...SETTINGS].sort())
  })

  test('has their defaults', () => {
    const defaults = readConfig({}) as Record<string, unknown>
    for (const { name, standard } of rows) {
      const [value] = codesIn(standard)
      const expected = defaults[name] === undefined ? undefined : String(defaults[name])
      expect(value && name === 'DATA_DIR' ? resolve(value) : value, name).toBe(expected)
    }
  })

  test('has the least and the most that they may be', () => {
    const limits = rows.flatMap(({ name, allowed }) => {
      const [, least, most] = /^(\d+) (?:to (\d+)|or more)$/.exec(allowed) ?? []
      return least ? [{ name, least: Number(least), most: Number(most ?? NaN) }] : []
    })
    expect(limits.length).toBeGreaterThan(4)
    for (const { name, least, most } of limits) {
      expect([takes(name, least), takes(name, least - 1)], name).toEqual([true, false])
      if (most) expect([takes(name, most), takes(name, most + 1)], name).toEqual([true, false])
    }
    expect(rows.find(({ name }) => name === 'ADMIN_PASSWORD')!.allowed).toBe('8 characters or more')
    expect([takes('ADMIN_PASSWORD', '12345678'), takes('ADMIN_PASSWORD', '1234567')]).toEqual([true, false])
  })

  test('names only values that are taken', () => {
    const values = rows.flatMap(({ name, allowed }) => codesIn(allowed).map((value) => ({ name, value: value.replace('…', 'host') })))
    expect(values.length).toBeGreaterThan(8)
    for (const { name, value } of values) expect(takes(name, value), `${name}=${value}`).toBe(true)
  })
})

test('docs/json.md has exactly the requests of the OpenAPI document', async () => {
  const documented = rowsOf(await read('docs/json.md')).map(([request]) => codesIn(request)[0])
  const requests = Object.entries(createOpenApi().paths!).flatMap(([path, methods]) => Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`))
  expect(documented.sort()).toEqual(requests.sort())
})

test('docs/dependencies.md has exactly the dependencies of package.json, in its order, with the licences of what is installed', async () => {
  const { dependencies, devDependencies } = JSON.parse(await read('package.json')) as Record<string, Record<string, string>>
  const rows = rowsOf(await read('docs/dependencies.md')).map(([name, why, licence]) => ({ name: codesIn(name)[0], why, licence }))
  expect(rows.map(({ name }) => name)).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)])
  for (const { name, why, licence } of rows) {
    expect(why, name).not.toBe('')
    expect(licence, name).toBe((JSON.parse(await read(`node_modules/${name}/package.json`)) as { license: string }).license)
  }
})

test('nothing depends on scripts that npm leaves out with ignore-scripts', async () => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
  expect(Object.keys(scripts).filter((name) => /^(pre|post)/.test(name) && name.replace(/^(pre|post)/, '') in scripts)).toEqual([])
  expect(await read('.npmrc')).toContain('ignore-scripts=true')
})

test('docs/performance.md says what each row of its table means', async () => {
  const text = await read('docs/performance.md')
  const names = [...text.slice(0, text.indexOf('## What the rows mean')).matchAll(/^\| (?!what|---)([^|]+) \|/gm)].map(([, name]) => name)
  const meanings = [...text.slice(text.indexOf('## What the rows mean')).matchAll(/\*\*([^*]+)\*\*/g)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !meanings.some((meaning) => name.includes(meaning)))).toEqual([])
})

test('the packages that models/*.py import are listed in the model card and in train.py', async () => {
  const files = (await readdir(join(PATHS.root, 'models'))).filter((name) => name.endsWith('.py'))
  const sources = await Promise.all(files.map((name) => read(join('models', name))))
  const imports = sources.flatMap((source) => [...source.matchAll(/^(?:import|from) (\w+)(?:.* import (\w+))?/gm)])
  const own = [...STANDARD_LIBRARY, ...files.map((name) => name.replace('.py', ''))]
  expect(imports.map(([, module]) => module).filter((module) => !own.includes(module) && !(module in PACKAGES))).toEqual([])
  const names = new Set(imports.flatMap(([, module, name]) => [module, name]))
  const needed = Object.keys(PACKAGES).filter((name) => names.has(name)).map((name) => PACKAGES[name])
  expect(needed).toHaveLength(Object.keys(PACKAGES).length)
  for (const page of ['models/README.md', 'models/train.py']) {
    const text = await read(page)
    expect(needed.filter((name) => !text.includes(name)), page).toEqual([])
  }
})

describe('the files for deployments', () => {
  test('name only settings that there are', async () => {
    const { env } = JSON.parse(await read('app.json')) as { env: Record<string, unknown> }
    const compose = [...(await read('compose.yaml')).matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name)
    const known: string[] = [...SETTINGS, 'PGSSLMODE']
    expect(compose.length).toBeGreaterThan(1)
    expect([...Object.keys(env), ...compose].filter((name) => !known.includes(name))).toEqual([])
  })

  test('start the server with the same limits to its memory', async () => {
    const files = await Promise.all(['Procfile', 'Dockerfile', 'package.json'].map(read))
    const limits = files.flatMap((text) => text.split('\n').filter((line) => line.includes('dist/server.js')).map((line) => line.match(/--max-[\w-]+=\d+/g)))
    expect(limits).toHaveLength(3)
    expect(new Set(limits.map(String)).size).toBe(1)
  })
})
