import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of the built app, once its output matches `ready`; `said` is that match. */
export async function startProcess(file: 'server' | 'worker', settings: Record<string, string>, ready: RegExp): Promise<{ child: ChildProcess; said: RegExpExecArray }> {
  const path = fileURLToPath(new URL(`../../dist/${file}.js`, import.meta.url))
  const env = { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...settings }
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const said = await new Promise<RegExpExecArray>((resolve, reject) => {
    const hear = (data: Buffer): void => {
      output += data
      const match = ready.exec(output)
      if (match) resolve(match)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}: ${output}`)))
  })
  return { child, said }
}

/** Ends a process with a signal; its exit code and, where it did not end by itself, the signal. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<[number | null, NodeJS.Signals | null]> {
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  child.kill(signal)
  return exit
}
