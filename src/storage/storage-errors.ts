// A database that is away and a disk that is full, as error classes. Every query of storage/ rejects with them: see
// connect() for the stores and openQueue() for the queue. Only this file knows the codes of Postgres, Prisma and Node.

import { ExpectedError } from '../core/errors.js'

/** The database is stopped, starting, out of reach, or has no free connection. */
export class DatabaseAway extends ExpectedError {
  override readonly name = 'DatabaseAway'

  /** @param cause the driver's error, for the log */
  constructor(override readonly cause?: unknown) {
    super('unavailable', 'The database does not answer at the moment. Please try again in a minute.', {})
  }
}

/** The disk is full: the database's, or the one that uploads go to. */
export class StorageFull extends ExpectedError {
  override readonly name = 'StorageFull'

  /** @param cause the error of the database or the file system, for the log; none where a check came first */
  constructor(override readonly cause?: unknown) {
    super('unavailable', 'There is no room left to store anything here, and nothing of this was stored. Please try again when the operator has made room.', {})
  }
}

/** A `catch` handler: throws the storage error that a driver's error stands for, and any other error as it is. */
export function throwStorageError(error: unknown): never {
  throw toStorageError(error)
}

export function toStorageError(error: unknown): unknown {
  const codes = codesOf(error)
  if (codes.some((code) => FULL.test(code))) return new StorageFull(error)
  if (codes.some((code) => AWAY.test(code)) || saysAway(error)) return new DatabaseAway(error)
  return error
}

const FULL = /^53100$/ // Postgres's disk_full

// Postgres: shutting down, crashed, starting, a statement or a pause in a transaction that lasts too long, too many connections, connection exceptions (class 08).
// Prisma's adapter for pg: its kinds of error. P2028 is Prisma's own: no transaction could be started in time, or it lasted too long.
// Node: sockets and names.
const AWAY = new RegExp(`^(${[
  '57P0[123]|57014|25P03|53300|08...',
  'DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections|P2028',
  'ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN'
].join('|')})$`)

// pg gives these errors a text and nothing else.
const AWAY_IN_WORDS = /^Connection terminated|^Query read timeout$|^timeout expired$|^timeout exceeded when trying to connect$|^Client has encountered a connection error/

/** The codes of an error and of what caused it. Prisma keeps those of its adapter in `meta`. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, meta, cause } = error as Error & { code?: unknown; meta?: Meta }
  const { kind, originalCode } = meta?.driverAdapterError?.cause ?? {}
  return [...[code, kind, originalCode].filter((value) => typeof value === 'string'), ...codesOf(cause)]
}

interface Meta { driverAdapterError?: { cause?: { kind?: unknown; originalCode?: unknown } } }

const saysAway = (error: unknown): boolean => error instanceof Error && (AWAY_IN_WORDS.test(error.message) || saysAway(error.cause))
