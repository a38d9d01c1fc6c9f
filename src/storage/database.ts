import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../generated/prisma/client.js'

const CONNECTIONS = 6 // with the queue's 2, two processes stay below the 20 of Heroku's smallest Postgres

/** A Prisma client on a Postgres. It connects when first used; `$disconnect` closes it. */
export function connect(url: string): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: 10_000 }) })
}
