// How much of the users is stored, in bytes: what each takes stands beside them, so that the sum is quick to know.

import type { Prisma } from '../generated/prisma/client.js'
import { StorageFull } from './storage-errors.js'

/** A tweet takes this many bytes besides its text and vector: its ids, the columns and the indexes; measured on 6,700 tweets. */
const TWEET_OVERHEAD = 500

type Queries = Pick<Prisma.TransactionClient, '$executeRaw' | '$queryRaw'>

/** How many bytes tweets will take. */
export function bytesOf(tweets: { text: string; embedding: Float32Array }[]): number {
  return tweets.reduce((sum, { text, embedding }) => sum + TWEET_OVERHEAD + Buffer.byteLength(text) + embedding.byteLength, 0)
}

/** How many bytes all users' tweets take. */
export async function readStoredBytes(queries: Queries): Promise<number> {
  const [{ bytes }] = await queries.$queryRaw<[{ bytes: number }]>`SELECT coalesce(sum("storedBytes"), 0)::float8 AS "bytes" FROM "User"`
  return bytes
}

/** Counts again what a user's tweets take; called in each transaction that changes them. */
export async function saveStoredBytes(queries: Queries, userId: string): Promise<void> {
  await queries.$executeRaw`
    UPDATE "User" SET "storedBytes" = coalesce((
      SELECT sum(${TWEET_OVERHEAD}::int + octet_length("text") + octet_length("embedding")) FROM "Tweet" WHERE "userId" = ${userId}), 0)
    WHERE "id" = ${userId}`
}

/** @throws StorageFull where all users' tweets take so many bytes, or more */
export async function checkStoredBytes(queries: Queries, limit: number): Promise<void> {
  if (limit < Infinity && (await readStoredBytes(queries)) >= limit) throw new StorageFull()
}
