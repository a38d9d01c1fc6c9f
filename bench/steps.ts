// A benchmark is a list of steps; each measures the rows of the table that it names.

import { SingleBar } from 'cli-progress'
import type { Row } from './report.js'

/** Prints something that is not in the table, such as a loss. */
export type Note = (text: string) => void

export interface Step {
  title: string
  /** The names of the rows that it measures. */
  names: string[]
  run(note: Note): Promise<Row[]>
}

/** Runs the steps with a row whose name has the word, and returns these rows; progress and notes go to stderr. */
export async function runSteps(steps: Step[], word = ''): Promise<Row[]> {
  const isAsked = (name: string): boolean => name.toLowerCase().includes(word.toLowerCase())
  const asked = steps.filter(({ names }) => names.some(isAsked))
  const rows: Row[] = []
  const bar = new SingleBar({ format: 'Measuring {bar} {value} of {total} {title}' })
  bar.start(asked.length, 0, { title: '' })
  const notes: string[] = []
  try {
    for (const [done, step] of asked.entries()) {
      bar.update(done, { title: step.title })
      rows.push(...(await step.run((text) => notes.push(text))))
    }
    bar.update(asked.length, { title: '' })
  } finally {
    bar.stop()
    for (const note of notes) console.error(note)
  }
  return rows.filter(({ name }) => isAsked(name))
}
