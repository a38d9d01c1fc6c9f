// Which column, or which field of the records, holds the posts' texts: by its name, and where no name is known, by what is in it.

import { readDate } from './dates.js'
import { FIELDS, isTextName, knownName, plainName } from './field-names.js'
import { isFilled } from './marks.js'
import { isObject } from './post.js'
import { FileQuestion } from '../question.js'

const WORDS = /\p{L}[\p{L}\p{M}'’]*[\s,.;:!?…–—-]+\p{L}|\p{Lo}{5}/u // two words, or a script without spaces
const ADDRESS = /^(https?:\/\/|www\.|at:\/\/)\S+$/i
const CODE = /^["'[{(]*[\d\s.,:;+%$€£/-]*["'\]})]*$/ // numbers, and lists of them
const LEAST_WORDS = 0.5 // of the cells of a column of prose
const RIVAL = 0.4 // so much of the longest column's length makes a second one likely too
const LONGEST_EXAMPLE = 80
const MAX_SAMPLES = 200

/** The cells of some records, by the names that the file gives them. */
export type Samples = Map<string, string[]>

/**
 * The name of what holds the texts: the best of the known names under which there are texts, or the only column of prose.
 * @param chosen the name that the visitor has chosen
 * @returns null where no column holds texts
 * @throws FileQuestion where there are several
 */
export function findTextColumn(samples: Samples, chosen?: string): string | null {
  if (chosen !== undefined && samples.has(chosen)) return chosen
  const named = [...samples.keys()].filter(isTextName).sort((a, b) => rank(a) - rank(b)).find((name) => holdsTexts(samples.get(name)!))
  if (named !== undefined) return named
  const prose = [...samples].filter(([name, cells]) => !isOtherField(name) && isProse(cells)).map(([name, cells]) => ({ name, cells, length: meanLength(cells) }))
  const longest = Math.max(...prose.map(({ length }) => length))
  const likely = prose.filter(({ length }) => length >= RIVAL * longest)
  if (likely.length < 2) return likely.at(0)?.name ?? null
  throw new FileQuestion('Which column holds the texts?', 'text', likely.map(({ name, cells }) => ({ name, example: cells.find(isFilled)!.slice(0, LONGEST_EXAMPLE) })))
}

/**
 * The field of the texts in records that have none under a known name: see {@link findTextColumn}.
 * @param values some records, as they were parsed
 */
export function findTextField(values: unknown[], chosen?: string): string | undefined {
  const records = values.filter(isObject).slice(0, MAX_SAMPLES)
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))]
  const samples: Samples = new Map(names.map((name) => [name, records.map((record) => (typeof record[name] === 'string' ? record[name] : ''))]))
  return findTextColumn(samples, chosen) ?? undefined
}

const rank = (name: string): number => (FIELDS.longText.some((long) => plainName(long) === plainName(name)) ? FIELDS.text.length : (knownName(plainName(name))?.rank ?? 0))

function isOtherField(name: string): boolean {
  const field = knownName(plainName(name))?.field
  return field !== undefined && field !== 'text' && field !== 'html'
}

const filled = (cells: string[]): string[] => cells.filter((cell) => cell.trim() !== '')

/** Whether most cells that are filled are more than numbers, dates and addresses; also where none is filled. */
function holdsTexts(cells: string[]): boolean {
  const texts = filled(cells)
  return texts.filter((cell) => !isNoText(cell)).length * 2 >= texts.length
}

function isProse(cells: string[]): boolean {
  const texts = filled(cells)
  const different = new Set(texts).size
  return texts.length > 0 && different * 2 > texts.length && texts.filter((cell) => WORDS.test(cell) && !isNoText(cell)).length >= LEAST_WORDS * texts.length
}

const isNoText = (cell: string): boolean => CODE.test(cell) || ADDRESS.test(cell.trim()) || readDate(cell, 'day') !== null

function meanLength(cells: string[]): number {
  const texts = filled(cells)
  return texts.reduce((sum, text) => sum + text.length, 0) / texts.length
}
