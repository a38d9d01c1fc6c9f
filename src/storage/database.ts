import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../generated/prisma/client.js'
import { throwStorageError } from './storage-errors.js'

const CONNECTIONS = 6 // with the queue's 2, two processes stay below the 20 of Heroku's smallest Postgres

/**
 * A Prisma client on a Postgres. It connects when first used; `$disconnect` closes it. Its queries and transactions reject
 * with {@link DatabaseAway} and {@link StorageFull} where that is the reason.
 */
export function connect(url: string): PrismaClient {
  const adapter = new PrismaPg({ connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: 10_000 })
  const queries = new PrismaClient({ adapter }).$extends({
    query: { $allOperations: ({ args, query }) => query(args).catch(throwStorageError) }
  })
  const $transaction = (...args: Parameters<typeof queries.$transaction>) => queries.$transaction(...args).catch(throwStorageError)
  return queries.$extends({ client: { $transaction } }) as unknown as PrismaClient // what is extended has the same methods
}
