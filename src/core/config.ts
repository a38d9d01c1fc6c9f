import { resolve } from 'node:path'
import cronParser from 'cron-parser'
import { z } from 'zod'
import { LEVELS } from './log.js'

const blankIsUnset = (value: unknown): unknown => (typeof value === 'string' && value.trim() === '' ? undefined : value)
const setting = <T extends z.ZodType>(schema: T) => z.preprocess(blankIsUnset, schema)

/** Whether pg-boss' cron parser accepts the line. */
function isCron(line: string): boolean {
  try {
    return Boolean(cronParser.parseExpression(line, { tz: 'UTC' }))
  } catch {
    return false
  }
}

// Every setting of the app. The table in docs/settings.md says the same; a test compares the two.
const Config = z.object({
  PORT: setting(z.coerce.number().int().min(0).max(65_535).default(3000)),
  HOST: setting(z.string().default('0.0.0.0')),
  DATABASE_URL: setting(z.url({ protocol: /^postgres(ql)?$/ }).optional()),
  DATA_DIR: setting(z.string().default('.data').transform((path) => resolve(path))),
  X_BEARER_TOKEN: setting(z.string().optional()),
  X_API_URL: setting(z.url({ protocol: /^https?$/ }).optional()),
  X_POSTS_PER_USER: setting(z.coerce.number().int().min(20).max(3200).default(200)),
  X_DAILY_SPEND_LIMIT: setting(z.coerce.number().min(0).default(10)),
  WORK_QUEUE: setting(z.stringbool().default(true)),
  REFRESH_CRON: setting(z.string().refine(isCron, 'is no cron line, such as "0 3 * * *"').optional()),
  EMBEDDING_MODEL: setting(z.string().optional()),
  PREDICTIONS_PER_MINUTE: setting(z.coerce.number().int().min(0).default(60)),
  PAGES_PER_MINUTE: setting(z.coerce.number().int().min(0).default(120)),
  ADDITIONS_PER_HOUR: setting(z.coerce.number().int().min(0).default(30)),
  IMPORTED_MB_PER_DAY: setting(z.coerce.number().min(0).default(50)),
  STORAGE_LIMIT_MB: setting(z.coerce.number().min(0).default(500)),
  TRUST_PROXY: setting(z.coerce.number().int().min(0).max(9).default(0)),
  LOG_LEVEL: setting(z.enum(LEVELS).default('info')),
  ADMIN_PASSWORD: setting(z.string().min(8, 'must have 8 characters or more').optional())
})

export type Config = z.infer<typeof Config>
export const SETTINGS = Object.keys(Config.shape) as (keyof Config)[]

/**
 * The settings, checked.
 * @throws Error that names every setting that is wrong, and how
 */
export function readConfig(source: Record<string, string | undefined>): Config {
  const result = Config.safeParse(source)
  const renamed = renamedSettings(source)
  if (result.success && renamed.length === 0) return result.data
  const problems = [...(result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []), ...renamed].map((problem) => `  ${problem}`)
  throw new Error(`These settings can't be used:\n${problems.join('\n')}`)
}

/** What X charges for a post and for a user that it serves, in dollars. */
export const X_PRICES = { post: 0.005, user: 0.01 }

/** What is wrong with a setting of an earlier version: to go on by the default would change the operator's limit unasked. */
function renamedSettings({ X_DAILY_POST_BUDGET: posts = '' }: Record<string, string | undefined>): string[] {
  if (posts.trim() === '') return []
  const dollars = Number(posts) >= 0 ? `; ${posts} posts are X_DAILY_SPEND_LIMIT=${Number(posts) * X_PRICES.post}` : ''
  return [`X_DAILY_POST_BUDGET: is now called X_DAILY_SPEND_LIMIT and in dollars, look-ups of users included${dollars}`]
}
