import { openThreads, type Threads } from '../../src/threads/pool.js'

let threads: Threads | undefined

/**
 * Threads that all test files of a process use: starting them and loading the encoder takes more than a second of a
 * processor. They end with the process; closing them does nothing.
 */
export function sharedThreads(): Threads {
  threads ??= openThreads()
  return { ...threads, close: async () => {} }
}
