// What docs/architecture.md says of the folders of src/, and what code imports.

import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { PATHS } from '../../src/core/paths.js'

const page = readFileSync(join(PATHS.root, 'docs', 'architecture.md'), 'utf8')

/** The folders of src/ in the order of the page's list: a file imports only from its own folder and from later ones. */
export const FOLDERS = [...page.matchAll(/^- `(\w+)\/` /gm)].map(([, name]) => name)

/** The arrows of the page's drawing, such as "web --> pictures". */
export const ARROWS = [...page.matchAll(/^ *(\w+ --> \w+)$/gm)].map(([, arrow]) => arrow)

/** The files that a file imports, packages left out. Paths are relative to the repository. */
export function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(PATHS.root, file), 'utf8'), true, true)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix.join(posix.dirname(file), fileName).replace(/\.js$/, '.ts'))
}
