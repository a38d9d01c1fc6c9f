// Logging: one JSON line per event. Nothing that visitors write is ever logged.

import { pino, type Logger } from 'pino'

export type Log = Logger

export const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** A log that writes events of this level and above to stdout. */
export function createLog(level: (typeof LEVELS)[number]): Log {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime })
}
