import { configDefaults, defineConfig } from 'vitest/config'

const project = (name: string, settings: object = {}) => ({ extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`], ...settings } })
// The files of a worker share its modules, threads and browser, which would take half of the time if each loaded its own.
const shared = { isolate: false }
const onPostgres = { globalSetup: 'test/support/global-setup.ts' } // an embedded one, for tests to copy

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // What tests use without importing it: a change there runs all of them, also with --changed.
    forceRerunTriggers: [
      ...configDefaults.forceRerunTriggers, '**/{models,prisma,public,views}/**', '**/src/**/*{-worker.ts,.wasm}', '**/test/support/global-setup.ts'
    ],
    projects: [
      project('unit', shared), // no database, no browser
      project('app', { ...onPostgres, ...shared }),
      project('browser', { ...onPostgres, ...shared }),
      project('slow', onPostgres) // huge files, killed processes, faults
    ]
  }
})
