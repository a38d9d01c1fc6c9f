import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../src/storage/database.js'
import { databases, type TestDatabase } from '../support/databases.js'

let database: TestDatabase
beforeEach(async () => {
  database = await databases.at(-1)!.open()
})
afterEach(() => database.close())

/** Runs a file of src/ to its end: what it printed. */
async function run(file: string, args: string[], settings: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
  const path = fileURLToPath(new URL(`../../src/${file}.ts`, import.meta.url))
  return promisify(execFile)(process.execPath, ['--import', 'tsx', path, ...args], { env: { PATH: process.env.PATH, ...settings } })
}

test('seed stores the sample users, and with --remove takes them away again', async () => {
  const settings = { DATABASE_URL: database.url }
  const prisma = connect(database.url)
  expect((await run('commands/seed', [], settings)).stdout).toBe('The sample users are there: ruth_demo, milo_demo, tara_demo, ivo_demo.\n')
  expect(await prisma.user.count({ where: { source: 'sample' } })).toBe(4)
  expect((await run('commands/seed', ['--remove'], settings)).stdout).toBe('Removed 4 sample users.\n')
  expect(await prisma.user.count()).toBe(0)
  await prisma.$disconnect()
})

test('release says which migrations it applied', async () => {
  const { stdout } = await run('release', [], { DATABASE_URL: database.url })
  expect(JSON.parse(stdout)).toMatchObject({ msg: 'released', migrations: [] })
})

test.each([
  ['server', { PORT: 'none' }, /^HypoTweet can't start\. These settings can't be used:\n {2}PORT: .*\n$/],
  ['worker', { DATABASE_URL: 'postgres://somebody@127.0.0.1:1/none' }, /^HypoTweet can't start\. .*ECONNREFUSED.*\n$/],
  ['release', {}, /^HypoTweet can't start\. A release needs DATABASE_URL\.\n$/],
  ['commands/seed', { DATABASE_URL: 'none' }, /^HypoTweet can't start\. These settings can't be used:\n {2}DATABASE_URL: .*\n$/]
] as [string, Record<string, string>, RegExp][])('%s with settings that cannot be used says so without a stack trace, and fails', async (file, settings, words) => {
  await expect(run(file, [], settings)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(words) })
})
