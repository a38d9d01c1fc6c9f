import { setTimeout as pause } from 'node:timers/promises'
import type { Services } from './services.js'

export interface Health {
  ready: boolean
  database: 'ok' | 'unreachable'
  /** Its name. */
  encoder: string | 'not loaded'
}

const LONGEST_ANSWER = 1_500 // ms

/** Whether the database and the encoder answer now. One that takes too long counts as one that does not. */
export async function checkHealth({ userStore, threads }: Pick<Services, 'userStore' | 'threads'>): Promise<Health> {
  const [database, encoder] = await Promise.allSettled([inTime(userStore.ping()), inTime(threads.checkEncoder())])
  return {
    ready: database.status === 'fulfilled' && encoder.status === 'fulfilled',
    database: database.status === 'fulfilled' ? 'ok' : 'unreachable',
    encoder: encoder.status === 'fulfilled' ? encoder.value : 'not loaded'
  }
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  const tooLate = pause(LONGEST_ANSWER, undefined, { ref: false }).then(() => {
    throw new Error(`No answer within ${LONGEST_ANSWER} ms.`)
  })
  return Promise.race([answer, tooLate])
}
