import { setTimeout as pause } from 'node:timers/promises'
import type { Services } from './services.js'

export interface Health {
  ready: boolean
  database: 'ok' | 'unreachable'
  /** Its name. */
  encoder: string | 'not loaded'
}

const LONGEST_ANSWER = 1_500 // ms

/**
 * A check whether the database and the encoder answer now. One that takes too long counts as one that does not, and is asked
 * again only when it has answered: checks of a silent database would take all its connections.
 */
export function createHealthCheck({ userStore, threads }: Pick<Services, 'userStore' | 'threads'>): () => Promise<Health> {
  let ping: Promise<void> | undefined
  return async () => {
    ping ??= userStore.ping().finally(() => (ping = undefined))
    const [database, encoder] = await Promise.allSettled([inTime(ping), inTime(threads.checkEncoder())])
    return {
      ready: database.status === 'fulfilled' && encoder.status === 'fulfilled',
      database: database.status === 'fulfilled' ? 'ok' : 'unreachable',
      encoder: encoder.status === 'fulfilled' ? encoder.value : 'not loaded'
    }
  }
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  const tooLate = pause(LONGEST_ANSWER, undefined, { ref: false }).then(() => {
    throw new Error(`No answer within ${LONGEST_ANSWER} ms.`)
  })
  return Promise.race([answer, tooLate])
}
