// The picture of a result for link previews, 1200×630: the text as a quotation, the answer, a bar for each candidate. It
// must not look like a post on X: nobody has posted the text.

import type { Prediction } from '../prediction/predict-author.js'
import { graphemesOf } from '../text/graphemes.js'
import { clip, widthOf, wrap } from './wrap-text.js'
import { answerInWords } from '../prediction/wording.js'
import { percent } from '../text/format.js'

export const CARD = { width: 1200, height: 630 }

const LEFT = 64
const RIGHT = CARD.width - LEFT
const TEXT = { top: 118, left: LEFT + 30, right: RIGHT - 30, sizes: [56, 48, 40, 34, 28, 24], lineHeight: 1.34 }
const BARS = { left: 430, right: 1000, bottom: 594, row: 44, height: 20 }
const ANSWER = { size: 42, space: 76 }
const MAX_CHARACTERS = 700 // more than fit at the smallest size
const MAX_UNITS = 8 * MAX_CHARACTERS // UTF-16 units of the text that are looked at
const MAX_MARKS = 3 // on a letter, of those that take no room: enough for Hebrew, Thai and Vietnamese
const MAX_CODE_POINTS = 8 // of a character: enough for a syllable of Indic scripts

/** The picture as SVG. */
export function cardSvg(prediction: Prediction): string {
  const { width, height } = CARD
  const barsTop = BARS.bottom - BARS.row * prediction.candidates.length
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" \
font-family="DejaVu Sans" fill="#1d1a2f">
<rect width="${width}" height="${height}" fill="#fbfaff"/>
<rect width="${width}" height="12" fill="#5b4bb7"/>
<text x="${LEFT}" y="80" font-size="32" font-weight="700" fill="#5b4bb7">HypoTweet</text>
<text x="${RIGHT}" y="80" font-size="24" text-anchor="end" fill="#615c7a">A text that nobody has written</text>
${quotation(prediction.text, barsTop - ANSWER.space - 18)}
${answer(prediction, barsTop - 24)}
${prediction.candidates.map((_, rank) => bar(prediction, rank, barsTop + rank * BARS.row)).join('\n')}
</svg>
`
}

/** The text at the largest size at which it fits above `bottom`; clipped if it does not fit even at the smallest. */
function quotation(text: string, bottom: number): string {
  const { top, left, right, lineHeight } = TEXT
  const { size, lines } = fitted(drawable(text), right - left, bottom - top)
  const first = (top + bottom - lines.length * size * lineHeight) / 2 + size
  const rtl = isRightToLeft(text.slice(0, MAX_UNITS))
  const drawn = lines.map((line, i) => {
    const place = `x="${rtl ? right : left}" y="${round(first + i * size * lineHeight)}" font-size="${size}"`
    const words = escapeXml(unjoined(line))
    return rtl ? `<text ${place} text-anchor="end">\u202b${words}\u202c</text>` : `<text ${place}>${words}</text>`
  })
  const ruleLeft = rtl ? RIGHT - 6 : LEFT
  const rule = `<rect x="${ruleLeft}" y="${top}" width="6" height="${bottom - top}" rx="3" fill="#c9c1ee"/>`
  return [rule, ...drawn].join('\n')
}

function fitted(text: string, width: number, height: number): { size: number; lines: string[] } {
  const { sizes, lineHeight } = TEXT
  const maxLines = (size: number): number => Math.floor(height / (size * lineHeight))
  for (const size of sizes) {
    const lines = wrap(text, width / size)
    if (lines.length <= maxLines(size)) return { size, lines }
  }
  const size = sizes[sizes.length - 1]
  return { size, lines: clip(wrap(text, width / size), maxLines(size), width / size) }
}

function answer(prediction: Prediction, y: number): string {
  const words = answerInWords(prediction)
  const size = sizeFor(words, ANSWER.size, RIGHT - LEFT)
  const headline = `<text x="${LEFT}" y="${y}" font-size="${size}" font-weight="700">${escapeXml(words)}</text>`
  if (prediction.verdict !== 'unlike any of them') return headline
  return `${headline}\n<text x="${RIGHT}" y="${y}" font-size="24" text-anchor="end" fill="#615c7a">\
If it had to be one of them:</text>`
}

/** A candidate's row. Only the bar of a named author is highlighted. */
function bar({ candidates, verdict }: Prediction, rank: number, top: number): string {
  const { user, probability } = candidates[rank]
  const { left, right, row, height } = BARS
  const named = rank === 0 && verdict === 'named'
  const name = `@${user.username}`
  const baseline = top + row / 2 + 9
  const weight = named ? ' font-weight="700"' : ''
  const track = `x="${left}" y="${top + (row - height) / 2}" height="${height}" rx="${height / 2}"`
  const width = round(Math.max(height, (right - left) * probability)) // wide enough for its round ends
  const size = sizeFor(name, 26, left - LEFT - 20)
  return `<text x="${LEFT}" y="${baseline}" font-size="${size}"${weight}>${escapeXml(name)}</text>
<rect ${track} width="${right - left}" fill="#e7e3f6"/>
<rect ${track} width="${width}" fill="${named ? '#5b4bb7' : '#958bc8'}"/>
<text x="${RIGHT}" y="${baseline}" font-size="26" text-anchor="end"${weight}>${escapeXml(percent(probability))}</text>`
}

/** The font size at which bold words fit into the width: `size` at the most. */
function sizeFor(words: string, size: number, width: number): number {
  return Math.min(size, Math.floor(width / (1.12 * widthOf(words))))
}

/**
 * The text with only what the rasteriser can draw, and no more than it draws in a moment: it cannot be interrupted, and its
 * time grows with the marks on a letter. It finds no fallback font for an emoji of several code points: of such
 * an emoji the first code point stays (an astronaut becomes a woman), and a flag becomes its letters.
 */
function drawable(text: string): string {
  const all = graphemesOf(withoutControls(text.slice(0, MAX_UNITS))).slice(0, MAX_CHARACTERS)
  return all.map((character) => {
    if (/^\p{Regional_Indicator}/u.test(character)) return bounded(character.replace(/\p{Regional_Indicator}/gu, regionLetter))
    if (/\p{Extended_Pictographic}/u.test(character)) return Array.from(character)[0]
    return bounded(character.replace(/[\ufe00-\ufe0f\u20e3]/g, ''))
  }).join('')
}

const MARK = /^[\p{Mn}\p{Me}]$/u

/** A character without the marks and code points that are more than any language puts on a letter. */
function bounded(character: string): string {
  if (character.length <= MAX_MARKS) return character
  let marks = 0
  const kept = Array.from(character).filter((point) => {
    marks = MARK.test(point) ? marks + 1 : 0
    return marks <= MAX_MARKS
  })
  return kept.slice(0, MAX_CODE_POINTS).join('')
}

/** Keeps letters from joining into ligatures: in a line with one, the rasteriser finds no fallback font for emoji. */
const unjoined = (line: string): string => line.replace(/f(?=[fijl])/g, 'f\u200c')

const regionLetter = (indicator: string): string => String.fromCodePoint(indicator.codePointAt(0)! - 0x1f1e6 + 65)

/** Without characters that XML forbids or that change the text's direction. Joiners stay: letters and emoji need them. */
function withoutControls(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/\t/g, ' ')
    .replace(/(?!\n)\p{Cc}|[\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/gu, '')
}

/** The first letter decides. */
function isRightToLeft(text: string): boolean {
  const letter = /\p{L}/u.exec(text)?.[0] ?? ''
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter)
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character])
const round = (n: number): number => Math.round(n * 10) / 10
