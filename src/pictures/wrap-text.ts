// Line breaking for a picture, since SVG has none. The widths are estimates for DejaVu Sans in em, wide enough to be
// safe: exact ones would need the font's tables and text shaping.

import { graphemesOf } from '../text/graphemes.js'

const NARROW = /^[ijlI.,:;'|! \u2018\u2019]$/
const SLIM = /^[frtJ()[\]/\\"\-\u201c\u201d`]$/
const BROAD = /^[mwMW@%#+=<>&~\u2014\u2026]$/
const FULL_WIDTH = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/u
const EMOJI = /^\p{Extended_Pictographic}/u

// East Asian text may break between any two characters, but not before NOT_FIRST nor after NOT_LAST.
const NOT_FIRST = /^[、。，．！？」』）】〉》ー々ゃゅょっャュョッ…!?.,:;)\]}”’]/
const NOT_LAST = /^[「『（【〈《([{“‘]/

/** The width of a text on one line, in em. */
export function widthOf(text: string): number {
  return graphemesOf(text).reduce((sum, character) => sum + characterWidth(character), 0)
}

/** The text in lines at most `width` em wide. Words that are wider are cut, blank lines are left out. */
export function wrap(text: string, width: number): string[] {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '').flatMap((line) => wrapLine(graphemesOf(line), width))
}

/** The first `max` lines; where some are left out, the last one ends in "…". */
export function clip(lines: string[], max: number, width: number): string[] {
  if (lines.length <= max) return lines
  const last = graphemesOf(lines[max - 1])
  while (last.length > 1 && widthOf(`${last.join('')}…`) > width) last.pop()
  return [...lines.slice(0, max - 1), `${last.join('').trimEnd()}…`]
}

function wrapLine(all: string[], width: number): string[] {
  const lines: string[] = []
  let [start, lastBreak, used] = [0, 0, 0]
  for (let i = 0; i < all.length; i++) {
    if (i > 0 && mayBreak(all[i - 1], all[i])) lastBreak = i
    used += characterWidth(all[i])
    if (used <= width || i === start || isSpace(all[i])) continue
    const end = lastBreak > start ? lastBreak : i
    lines.push(all.slice(start, end).join('').trimEnd())
    start = end
    used = all.slice(start, i + 1).reduce((sum, character) => sum + characterWidth(character), 0)
  }
  return [...lines, all.slice(start).join('')]
}

function mayBreak(before: string, after: string): boolean {
  if (isSpace(before)) return true
  if (isSpace(after) || NOT_FIRST.test(after) || NOT_LAST.test(before)) return false
  return isEastAsian(before) || isEastAsian(after)
}

const isSpace = (character: string): boolean => /^\s/.test(character)
const isEastAsian = (character: string): boolean => FULL_WIDTH.test(character) && !/^\p{Script=Hangul}/u.test(character)

function characterWidth(character: string): number {
  if (NARROW.test(character)) return 0.34
  if (SLIM.test(character)) return 0.43
  if (BROAD.test(character)) return 0.98
  if (/^[a-z0-9]$/.test(character)) return 0.63
  if (FULL_WIDTH.test(character)) return 1
  return EMOJI.test(character) ? 1.3 : 0.76
}
