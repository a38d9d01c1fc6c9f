// How the app's processes start and stop.

/** Whether there is a process of this number, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What a process needs before it can work. Where that fails, one line says why (no stack trace) and the process ends. */
export async function startOrExit<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    return cannotStart(error as Error)
  }
}

export function cannotStart({ message }: Error): never {
  console.error(`HypoTweet can't start. ${message}`)
  process.exit(1)
}

/** Stops in order when the process is told to end, and ends it then. */
export function onTermination(stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop().then(() => process.exit()))
}
