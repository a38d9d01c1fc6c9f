// One JSON line an event. What visitors write does not belong here: of an address only the path is told.

import { pino, type Logger } from 'pino'

export type Log = Logger

export const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** Writes to stdout what is of this level or worse. */
export function createLog(level: (typeof LEVELS)[number]): Log {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime })
}
