import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { readConfig } from '../../../src/core/config.js'
import { openServices } from '../../../src/services/services.js'
import { connect } from '../../../src/storage/database.js'
import { openEmbeddedPostgres } from '../../../src/storage/embedded-postgres.js'
import { openThreads } from '../../../src/threads/pool.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypotweet-test-'))
  await cp(inject('template'), folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const isOpen = (): boolean => existsSync(join(folder, 'lock'))
const NO_ROOM = () => Promise.reject(new Error('no room'))

test('services that cannot load the encoder leave no database open', async () => {
  const config = readConfig({ DATA_DIR: folder, EMBEDDING_MODEL: join(folder, 'nothing-here'), LOG_LEVEL: 'silent' })
  await expect(openServices(config)).rejects.toThrow("nothing-here can't be loaded")
  expect(isOpen()).toBe(false)
})

test('services that cannot migrate the database leave it closed', async () => {
  const postgres = await openEmbeddedPostgres(folder)
  const prisma = connect(postgres.url)
  await prisma.$executeRaw`DELETE FROM "_prisma_migrations"` // so that they are applied again, to tables that are there
  await prisma.$disconnect()
  await postgres.close()
  await expect(openServices(readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent' }))).rejects.toThrow('already exists')
  expect(isOpen()).toBe(false)
})

test('services close what they opened, but not threads that were passed to them', async () => {
  const threads = openThreads()
  try {
    const services = await openServices(readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent' }), { threads })
    expect(isOpen()).toBe(true)
    await services.close()
    expect(isOpen()).toBe(false)
    expect(await threads.embed(['still there'])).toHaveLength(384)
  } finally {
    await threads.close()
  }
})

test('services ask for room on the disk before they store tweets', async () => {
  const services = await openServices(readConfig({ DATA_DIR: folder, LOG_LEVEL: 'silent' }), { checkRoom: NO_ROOM })
  try {
    const user = { id: '1', username: 'Fell_Example', name: 'Fell', pictureUrl: null, source: 'archive' as const }
    await expect(services.tweetStore.replaceUsers([{ user, tweets: [] }], 'none')).rejects.toThrow('no room')
  } finally {
    await services.close()
  }
})
