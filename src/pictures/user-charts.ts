// Charts of a user's page: the tables and bars of their style profile, in the units of each SVG's viewBox, which the
// views only print.

import { percent } from '../text/format.js'
import type { Measure, StyleProfile, Times } from '../text/style-profile.js'

/** The tables of typical words and n-grams with a bar for each weight, 100 wide for the heaviest; none for an empty list. */
export function pieceTables({ words, ngrams }: Pick<StyleProfile, 'words' | 'ngrams'>) {
  const heaviest = Math.max(...[...words, ...ngrams].map(({ weight }) => weight))
  const tables = [{ title: 'Words', head: 'Word', pieces: words }, { title: 'Pieces of text', head: 'Piece', pieces: ngrams }]
  return tables.filter(({ pieces }) => pieces.length > 0).map(({ title, head, pieces }) => ({
    title,
    head,
    rows: pieces.map(({ text, weight, theirs, others }) => ({
      text, weight: weight.toFixed(1), width: barWidth(weight, heaviest), theirs: shortNumber(theirs), others: shortNumber(others)
    }))
  }))
}

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const TALLEST = 78 // where the axis is; the highest bar is 70

interface TimeChart {
  id: string
  title: string
  /** What its columns are called in a table, and the word before one of them in a sentence. */
  head: string
  preposition: string
  highest: { label: string; tweets: number }
  /** `slot` is the whole column, in which the bar stands. */
  bars: { label: string; tweets: number; slot: { x: number; width: number }; x: number; width: number; y: string; height: string }[]
  ticks: { x: number; label: string; isCentred: boolean }[]
}

/** When somebody posts, as two bar charts of 240 × 96: by the hour and by the weekday. */
export function timeCharts({ hours, weekdays }: Times): TimeChart[] {
  const hour = (i: number): string => String(i).padStart(2, '0')
  return [
    {
      id: 'chart-10', title: 'Hours of the day', head: 'From', preposition: 'from',
      ...timeBars(hours, (i) => `${hour(i)}:00`, { step: 10, gap: 1 }),
      ticks: [0, 6, 12, 18].map((i) => ({ x: i * 10, label: hour(i), isCentred: false }))
    },
    {
      id: 'chart-34', title: 'Days of the week', head: 'Day', preposition: 'on',
      ...timeBars(weekdays, (i) => DAYS[i], { step: 34, gap: 5 }),
      ticks: DAYS.map((day, i) => ({ x: i * 34 + 17, label: day.slice(0, 3), isCentred: true }))
    }
  ]
}

type Bars = Pick<TimeChart, 'highest' | 'bars'>

function timeBars(counts: number[], labelOf: (i: number) => string, { step, gap }: { step: number; gap: number }): Bars {
  const most = Math.max(...counts)
  const bars = counts.map((tweets, i) => {
    const height = (70 * tweets) / most
    return {
      label: labelOf(i), tweets, slot: { x: i * step, width: step },
      x: i * step + gap, width: step - 2 * gap, y: (TALLEST - height).toFixed(1), height: height.toFixed(1)
    }
  })
  return { highest: bars.find(({ tweets }) => tweets === most)!, bars }
}

/** The habits in numbers, with a bar for the user and one for the others, 100 wide for the larger. */
export function measureRows(measures: Measure[]) {
  return measures.map(({ name, unit, theirs, others }) => {
    const larger = Math.max(theirs ?? 0, others ?? 0)
    return {
      name,
      theirs: { amount: amount(theirs, unit), width: barWidth(theirs ?? 0, larger) },
      others: { amount: amount(others, unit), width: barWidth(others ?? 0, larger) }
    }
  })
}

/** 100 for the largest; what is more than nothing is seen. */
function barWidth(n: number, largest: number): string {
  return (largest > 0 ? Math.max(n > 0 ? 1 : 0, (100 * n) / largest) : 0).toFixed(1)
}

/** How many of 100 tweets: 0.04 → "< 0.1", 3.04 → "3", 12.3 → "12". */
function shortNumber(n: number): string {
  if (n === 0) return '0'
  if (n < 0.05) return '< 0.1'
  return n < 9.95 ? n.toFixed(1).replace(/\.0$/, '') : n.toFixed(0)
}

/** A measure as people read it: "–" for none, "12%" for a share, "0.25" for a number. */
function amount(n: number | null, unit: Measure['unit']): string {
  if (n === null) return '–'
  if (unit === 'share') return percent(n)
  if (n >= 10 || n === 0) return n.toFixed(0)
  return n < 0.005 ? '< 0.01' : n.toFixed(2)
}
