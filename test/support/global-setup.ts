import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { PATHS } from '../../src/core/paths.js'
import { migrate } from '../../src/storage/migrations.js'
import { openEmbeddedPostgres } from '../../src/storage/embedded-postgres.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The data folder of an embedded Postgres with the migrations applied; copying it is quicker than making one. */
    template: string
  }
}

const CACHE = join(PATHS.root, 'node_modules', '.cache', 'hypotweet')
const TSC = join(PATHS.root, 'node_modules', 'typescript', 'bin', 'tsc')

/** What all projects of a run share: each has its own modules, but they run in one process. */
const shared = globalThis as { hypotweetTestSetup?: Promise<string> }

/** Builds dist/, which tests start processes from, and makes the template. */
export default async function setup(project: TestProject): Promise<void> {
  shared.hypotweetTestSetup ??= Promise.all([findTemplate(), build()]).then(([template]) => template)
  project.provide('template', await shared.hypotweetTestSetup)
}

/** Without checking types, which takes long and is done by `npm run types`. */
async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, [TSC, '-p', 'tsconfig.build.json', '--noCheck'], { cwd: PATHS.root })
}

/** The template of an earlier run, if it is of the same Postgres and migrations; a new one takes five seconds. */
async function findTemplate(): Promise<string> {
  const template = join(CACHE, `postgres-${await templateKey()}`)
  if (existsSync(template)) return template
  await mkdir(CACHE, { recursive: true })
  for (const name of await readdir(CACHE)) if (name.startsWith('postgres-')) await rm(join(CACHE, name), { recursive: true, force: true })
  const folder = await mkdtemp(join(CACHE, 'new-'))
  await makeTemplate(folder)
  await rename(folder, template).catch(async (error: NodeJS.ErrnoException) => {
    await rm(folder, { recursive: true })
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error // another run was quicker
  })
  return template
}

async function templateKey(): Promise<string> {
  const migrations = (await readdir(PATHS.migrations, { recursive: true })).filter((name) => name.endsWith('.sql')).sort()
  const files = [
    ...migrations.map((name) => join(PATHS.migrations, name)),
    ...['migrations.ts', 'embedded-postgres.ts'].map((name) => join(PATHS.root, 'src', 'storage', name)),
    join(PATHS.root, 'node_modules', '@electric-sql', 'pglite', 'package.json'),
    import.meta.filename
  ]
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}

async function makeTemplate(folder: string): Promise<void> {
  const postgres = await openEmbeddedPostgres(folder)
  await migrate(postgres.url)
  await dropUnusedDatabases(postgres.url)
  await postgres.close()
}

/** Postgres's own templates are two thirds of the files that each test would copy, and nothing here creates databases. */
async function dropUnusedDatabases(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('UPDATE pg_database SET datistemplate = false')
  for (const name of ['template0', 'template1']) await client.query(`DROP DATABASE ${name}`)
  await client.query('CHECKPOINT')
  await client.end()
}
