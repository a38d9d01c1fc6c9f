import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PATHS } from '../../src/core/paths.js'
import { ARROWS, importsOf } from '../support/architecture.js'

/** What the files below a folder import, generated code left out. */
async function importsBelow(folder: string): Promise<{ file: string; imported: string }[]> {
  const names = await readdir(join(PATHS.root, folder), { recursive: true })
  const files = names.map((name) => `${folder}/${name.replaceAll('\\', '/')}`).filter((file) => /\.(ts|mjs)$/.test(file))
  return files.flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
    .filter(({ file, imported }) => ![file, imported].some((name) => name.startsWith('src/generated/')))
}

describe('the drawing in docs/architecture.md', () => {
  /** The folder of src/ that a file is in; those at its root are the processes. */
  const nodeOf = (file: string): string => (file.split('/').length > 2 ? file.split('/')[1] : 'processes')

  /** The nodes that arrows lead to from a node, over any number of others. */
  const reachedFrom = (start: string): string[] =>
    ARROWS.map((arrow) => arrow.split(' --> ')).filter(([from]) => from === start).flatMap(([, to]) => [to, ...reachedFrom(to)])

  test('has arrows only between folders where one imports from the other', async () => {
    const real = (await importsBelow('src')).map(({ file, imported }) => `${nodeOf(file)} --> ${nodeOf(imported)}`)
    expect(ARROWS.length).toBeGreaterThan(10)
    expect(ARROWS.filter((arrow) => !real.includes(arrow))).toEqual([])
  })

  test('leads by its arrows from each folder to all that it imports from', async () => {
    const missing = (await importsBelow('src')).filter(({ file, imported }) => {
      const [from, to] = [nodeOf(file), nodeOf(imported)]
      return from !== to && !reachedFrom(from).includes(to)
    })
    expect(missing).toEqual([])
  })
})

test.each([
  ['src', ['bench', 'test', 'support']],
  ['support', ['bench', 'test']],
  ['bench', ['test']],
  ['test', ['bench']]
])('%s/ imports nothing from %j', async (folder, others) => {
  const all = await importsBelow(folder)
  expect(all.length).toBeGreaterThan(0)
  expect(all.filter(({ imported }) => others.some((other) => imported.startsWith(`${other}/`)))).toEqual([])
})
