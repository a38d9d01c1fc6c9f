import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SETTINGS } from '../../src/core/config.js'
import { PATHS } from '../../src/core/paths.js'

test("the README's settings table has exactly the settings of src/core/config.ts", async () => {
  const readme = await readFile(join(PATHS.root, 'README.md'), 'utf8')
  const rows = readme.split('\n').flatMap((line) => /^\| `([A-Z_]+)` \|/.exec(line)?.[1] ?? [])
  expect(rows.sort()).toEqual([...SETTINGS].sort())
})
