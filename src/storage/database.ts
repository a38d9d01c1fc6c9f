import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../generated/prisma/client.js'
import { throwStorageError } from './storage-errors.js'

const CONNECTIONS = 6 // with the queue's 2, two processes stay below the 20 of Heroku's smallest Postgres

/**
 * A Prisma client on a Postgres. It connects when first used; `$disconnect` closes it. Its queries and transactions reject
 * with {@link DatabaseAway} and {@link StorageFull} where that is the reason.
 */
export function connect(url: string): PrismaClient {
  const adapter = new PrismaPg({ ...connectionOf(url), Client: SureClient, max: CONNECTIONS })
  const queries = new PrismaClient({ adapter }).$extends({
    query: { $allOperations: ({ args, query }) => query(args).catch(throwStorageError) }
  })
  const $transaction = (...args: Parameters<typeof queries.$transaction>) => queries.$transaction(...args).catch(throwStorageError)
  return queries.$extends({ client: { $transaction } }) as unknown as PrismaClient // what is extended has the same methods
}

// A network can fall silent without a word: what is sent is lost, and the system notices after a quarter of an hour.
// The server ends a statement that lasts too long; the client, a second later, a connection on which nothing comes back.
// Idle connections are closed after 10 s, so no pool keeps a silent one for longer than the limit of a query.
const LIMITS = {
  connect_timeout: 5, // s, as in libpq
  statement_timeout: 20_000, // ms, as the others; the longest statements store the 3,200 posts of an import: seconds
  query_timeout: 21_000,
  idle_in_transaction_session_timeout: 60_000 // a client that fell silent in a transaction must not keep its locks
}

/** Migrations of big tables may last long; the same for each statement of another kind that a person waits for. */
export const PATIENT = { statement_timeout: 600_000, query_timeout: 601_000, idle_in_transaction_session_timeout: 60_000 }

/**
 * How pools and clients of pg reach the database, with a limit to every wait. Parameters of the address that have a limit's
 * name go first, 0 is none.
 */
export function connectionOf(url: string, other: Partial<typeof LIMITS> = {}): pg.PoolConfig {
  const address = new URL(url)
  const limits = { ...LIMITS, ...other }
  let isChanged = false
  for (const name of Object.keys(limits) as (keyof typeof LIMITS)[]) {
    const given = address.searchParams.get(name)
    if (given === null) continue
    limits[name] = Number(given)
    address.searchParams.delete(name) // pg would take "0" for a limit of 0 ms
    isChanged = true
  }
  const { connect_timeout, ...others } = limits
  return {
    ...others,
    connectionString: isChanged ? address.href : url,
    connectionTimeoutMillis: connect_timeout * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000
  }
}

/**
 * A client that ends its connection when a query gets no answer in time. pg's own gives up the query alone, and a
 * transaction would put the silent connection back into its pool.
 */
export class SureClient extends pg.Client {
  override query = ((...args: unknown[]) => {
    const result = (super.query as (...args: unknown[]) => unknown).apply(this, args)
    if (result instanceof Promise) result.catch((error: Error) => error.message === NO_ANSWER && this.connection.stream.destroy())
    return result
  }) as pg.Client['query']
}

const NO_ANSWER = 'Query read timeout' // pg gives this error no code
