import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/storage/migrations.js'
import { openEmbeddedPostgres } from '../../src/storage/embedded-postgres.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** An embedded Postgres' data folder with the migrations applied; copying it is quicker than making one. */
    template: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = await mkdtemp(join(tmpdir(), 'hypotweet-template-'))
  const postgres = await openEmbeddedPostgres(template)
  await migrate(postgres.url)
  await postgres.close()
  project.provide('template', template)
  return () => rm(template, { recursive: true, force: true })
}
