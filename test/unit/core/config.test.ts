import { isAbsolute, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig, SETTINGS } from '../../../src/core/config.js'

const DEFAULTS = {
  PORT: 3000, HOST: '0.0.0.0', DATA_DIR: resolve('.data'), X_POSTS_PER_USER: 200, X_DAILY_SPEND_LIMIT: 10, WORK_QUEUE: true,
  PREDICTIONS_PER_MINUTE: 60, PAGES_PER_MINUTE: 120, ADDITIONS_PER_HOUR: 30, IMPORTED_MB_PER_DAY: 50, STORAGE_LIMIT_MB: 500, TRUST_PROXY: 0,
  LOG_LEVEL: 'info'
}

/** What the error says when these settings are read. */
function complaint(source: Record<string, string>): string {
  try {
    readConfig(source)
  } catch (error) {
    return (error as Error).message
  }
  return expect.fail('These settings were taken.')
}

describe('without any setting', () => {
  test('the app runs by its defaults', () => {
    expect(readConfig({})).toEqual(DEFAULTS)
  })

  test.each(['', ' ', '\t\n'])('a value of %j counts as none, whichever the setting', (blank) => {
    expect(readConfig(Object.fromEntries(SETTINGS.map((name) => [name, blank])))).toEqual(DEFAULTS)
  })

  test('what belongs to other programs is let be', () => {
    expect(readConfig({ PATH: '/bin', port: 'x', NODE_ENV: 'production' })).toEqual(DEFAULTS)
  })
})

describe('a setting', () => {
  test('is taken as it is given', () => {
    const source = {
      PORT: '8080',
      HOST: '127.0.0.1',
      DATABASE_URL: 'postgres://me:secret@db.example.org:5432/tweets?sslmode=require',
      DATA_DIR: resolve('/somewhere/else'),
      X_BEARER_TOKEN: 'AAAA%2Fbbb=',
      X_API_URL: 'http://127.0.0.1:8901/2/',
      X_POSTS_PER_USER: '3200',
      EMBEDDING_MODEL: 'someone/some-model',
      ADMIN_PASSWORD: 'long enough'
    }
    expect(readConfig(source)).toMatchObject({ ...source, PORT: 8080, X_POSTS_PER_USER: 3200 })
  })

  test('that names a folder is made absolute', () => {
    const { DATA_DIR } = readConfig({ DATA_DIR: 'some/folder' })
    expect(isAbsolute(DATA_DIR)).toBe(true)
    expect(DATA_DIR).toBe(resolve('some/folder'))
  })

  test.each([
    ['PORT', '0'],
    ['PORT', '65535'],
    ['X_POSTS_PER_USER', '20'],
    ['X_POSTS_PER_USER', '3200'],
    ['DATABASE_URL', 'postgresql://localhost/tweets'],
    ['X_API_URL', 'https://x.example.org/2/'],
    ['X_DAILY_SPEND_LIMIT', '0'],
    ['X_DAILY_SPEND_LIMIT', '2.5'],
    ['X_DAILY_SPEND_LIMIT', '500'],
    ['WORK_QUEUE', 'true'],
    ['WORK_QUEUE', 'false'],
    ['REFRESH_CRON', '0 3 * * *'],
    ['REFRESH_CRON', '*/30 8-18 * * 1-5'],
    ['ADMIN_PASSWORD', '12345678']
  ])('%s may be %s', (name, value) => {
    expect(readConfig({ [name]: value })).toHaveProperty(name)
    expect(String(readConfig({ [name]: value })[name as 'PORT'])).toBe(value)
  })

  test.each([
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['PORT', 'Infinity'],
    ['DATABASE_URL', 'mysql://localhost/tweets'],
    ['DATABASE_URL', 'localhost'],
    ['X_API_URL', 'ftp://x.example.org'],
    ['X_API_URL', 'x.example.org'],
    ['X_POSTS_PER_USER', '19'],
    ['X_POSTS_PER_USER', '3201'],
    ['X_POSTS_PER_USER', 'all'],
    ['X_DAILY_SPEND_LIMIT', '-1'],
    ['X_DAILY_SPEND_LIMIT', '$10'],
    ['X_DAILY_SPEND_LIMIT', 'Infinity'],
    ['WORK_QUEUE', 'perhaps'],
    ['REFRESH_CRON', 'daily'],
    ['REFRESH_CRON', '61 3 * * *'],
    ['ADMIN_PASSWORD', '1234567']
  ])('%s cannot be %s, and the error names it alone', (name, value) => {
    const message = complaint({ [name]: value })
    expect(SETTINGS.filter((setting) => message.includes(setting))).toEqual([name])
  })
})

describe('the setting of an earlier version, X_DAILY_POST_BUDGET,', () => {
  test.each([['2000', '10'], ['100', '0.5'], ['0', '0']])('is refused, and the error says what %s posts are in dollars', (posts, dollars) => {
    expect(complaint({ X_DAILY_POST_BUDGET: posts })).toContain(`X_DAILY_SPEND_LIMIT=${dollars}`)
    expect(complaint({ X_DAILY_POST_BUDGET: posts, X_DAILY_SPEND_LIMIT: '3', PORT: 'x' })).toMatch(/PORT[\s\S]*X_DAILY_POST_BUDGET/)
  })

  test('is let be when it is blank', () => {
    expect(readConfig({ X_DAILY_POST_BUDGET: ' ' })).toEqual(DEFAULTS)
  })
})

describe('several bad settings', () => {
  const bad = {
    PORT: 'x',
    DATABASE_URL: 'mysql://me:hunter2@localhost/tweets',
    X_API_URL: 'nowhere',
    X_POSTS_PER_USER: '1',
    ADMIN_PASSWORD: 'sesame'
  }

  test('are all named at once, and no good one beside them', () => {
    const message = complaint({ ...bad, HOST: 'localhost', EMBEDDING_MODEL: 'a/b' })
    expect(SETTINGS.filter((setting) => message.includes(setting)).sort()).toEqual(Object.keys(bad).sort())
  })

  test('are named without giving secrets away', () => {
    const message = complaint(bad)
    expect(message).not.toContain('hunter2')
    expect(message).not.toContain('sesame')
    expect(message).toContain('8 characters')
  })
})
