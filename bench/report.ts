// The rows of the benchmark's table, and how times are measured.

import { availableParallelism, cpus, totalmem } from 'node:os'

/** What is measured, beside what, and the target: for the value itself or for its ratio to the rival's; none for what only informs. */
export interface Measure {
  name: string
  unit: string
  rival: string
  target?: { of: 'value' | 'ratio'; is: '<=' | '>='; bound: number }
}

export interface Row {
  name: string
  /** null where it was not measured. */
  value: number | null
  unit: string
  /** What it is compared with, or why there is no comparison. */
  rival: string
  ratio: number | null
  target: string
  /** null where the target could not be judged, or where there is none. */
  ok: boolean | null
}

/** @param spoilt whether the target is missed whatever the numbers are, for example because a loss is too high */
export function rowOf({ name, unit, rival, target }: Measure, value: number, ratio: number | null = null, spoilt = false): Row {
  const measured = { name, value: round(value), unit, rival, ratio: ratio === null ? null : round(ratio), target: wordsOf(target, unit) }
  if (!target) return { ...measured, ok: null }
  const judged = target.of === 'value' ? value : ratio!
  return { ...measured, ok: !spoilt && (target.is === '<=' ? judged <= target.bound : judged >= target.bound) }
}

/** A row whose rival could not be measured, or nothing of it. */
export function skippedRow({ name, unit, rival, target }: Measure, why: string, value: number | null = null): Row {
  const measured = value === null ? null : round(value)
  return { name, value: measured, unit, rival: `${rival} (${why})`, ratio: null, target: wordsOf(target, unit), ok: null }
}

/** The rows as a Markdown table, below a line that describes the machine. */
export function tableOf(rows: Row[]): string {
  const lines = rows.map(({ name, value, unit, rival, ratio, target, ok }) => {
    const cells = [name, value === null ? '–' : `${value} ${unit}`, rival, ratio === null ? '' : `${ratio}`, target, target === '' ? '' : ok === null ? 'skipped' : ok ? 'yes' : '**no**']
    return `| ${cells.join(' | ')} |`
  })
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
  return [machine, '', '| what | measured | beside | ratio | target | met |', '| --- | --- | --- | --- | --- | --- |', ...lines].join('\n')
}

/** The median time of a call in ms, after two calls that do not count. */
export async function medianMs(call: () => unknown, atLeast = 5, forMs = 2000): Promise<number> {
  return (await mediansMs([call], atLeast, forMs))[0]
}

/** The median times of several calls in ms, taken in turns: whatever else the machine does then slows all of them. */
export async function mediansMs(calls: (() => unknown)[], atLeast = 5, forMs = 2000 * calls.length): Promise<number[]> {
  for (let i = 0; i < 2; i++) for (const call of calls) await call()
  const times = calls.map((): number[] => [])
  const until = performance.now() + forMs
  while (times[0].length < atLeast || performance.now() < until) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now()
      await call()
      times[i].push(performance.now() - start)
    }
  }
  return times.map((of) => percentile(of, 0.5))
}

/** The number that this share (0 to 1) of the numbers is below. */
export function percentile(numbers: number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

const wordsOf = (target: Measure['target'], unit: string): string =>
  target ? `${target.is === '<=' ? '≤' : '≥'} ${target.bound}${target.of === 'ratio' ? '×' : ` ${unit}`}` : ''

const round = (x: number): number => Number(x.toPrecision(3))
