import { Piscina } from 'piscina'
import { ExpectedError } from '../core/errors.js'

/** A worker thread ended before its task did: it crashed, ran out of memory, or the app is closing. The next task gets another. */
export class ThreadLost extends ExpectedError {
  override readonly name = 'ThreadLost'

  constructor(override readonly cause?: unknown) {
    super('unavailable', 'That computation broke off. Please try again.', {})
  }
}

/** Worker threads whose tasks reject with ThreadLost where their thread has ended, and otherwise as the task did. */
export class ThreadPool extends Piscina {
  override async run(...task: Parameters<Piscina['run']>): ReturnType<Piscina['run']> {
    try {
      return await super.run(...task)
    } catch (error) {
      throw isThreadLost(error) ? new ThreadLost(error) : error
    }
  }
}

/** Node.js has codes for a thread that ends; Piscina only has messages, and aborts the tasks that come after its end. */
function isThreadLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code = '', name, message } = error as NodeJS.ErrnoException
  return code.startsWith('ERR_WORKER_') || name === 'AbortError' || /^(Terminating worker thread$|worker exited with code)/.test(message)
}
