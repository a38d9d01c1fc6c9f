import { defineConfig } from 'vitest/config'

const project = (name: string, settings: object = {}) => ({ extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`], ...settings } })
// Files share their process's modules and threads: loading them anew for each file takes half of the time.
const shared = { isolate: false }
const onPostgres = { globalSetup: 'test/support/global-setup.ts' } // an embedded one, for tests to copy

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    projects: [project('unit', shared), project('app', { ...onPostgres, ...shared }), project('browser', { ...onPostgres, ...shared }), project('slow', onPostgres)]
  }
})
