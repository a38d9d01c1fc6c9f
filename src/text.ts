// What the text of a tweet is. X escapes &, < and > as entities and replaces every link by a t.co address, which says
// that there is a link and nothing else. Imported tweets may have links as typed: of those the host is kept.

/** Stands for a link or a picture in the text that features are made of: one character that nobody types. */
export const LINK = '\uFFFC'

const X_LINKS = /(?:https?:\/\/|(?<![\w./-]))(?:t\.co|pic\.twitter\.com|pic\.x\.com)\/[a-z0-9]+/gi
const OTHER_LINKS = /https?:\/\/(?:www\.)?([a-z0-9.-]*)\S*/gi
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", '#x27': "'" }

/** The text as its author typed it: entities decoded once, line ends and Unicode composition made one. */
export function decodeText(raw: string): string {
  return raw
    .replace(/&(amp|lt|gt|quot|apos|#39|#x27);/gi, (_, name: string) => ENTITIES[name.toLowerCase()])
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '')
    .toWellFormed()
    .normalize('NFC')
    .trim()
}

/** The text with each link and picture replaced by {@link LINK}, followed by the host where that is not X's own. */
export function maskLinks(text: string): string {
  return text.replace(X_LINKS, LINK).replace(OTHER_LINKS, `${LINK}$1`)
}

/** Two texts with one key are duplicates: they differ in links, case and spaces at most. */
export function duplicateKey(text: string): string {
  return text.replace(X_LINKS, '').replace(OTHER_LINKS, '').replace(/\s+/g, ' ').trim().toLowerCase()
}

/** The items whose text was not there before, in order; those with nothing but links are left out. */
export function dropDuplicates<T>(items: T[], textOf: (item: T) => string): T[] {
  const seen = new Set([''])
  return items.filter((item) => {
    const key = duplicateKey(textOf(item))
    return !seen.has(key) && seen.add(key)
  })
}

// What may join with its neighbour into one character: marks, joiners, vowel signs, Hangul parts, flags, skin tones; most
// emoji join only with those.
const JOINED = '[\\p{Grapheme_Extend}\\p{M}\\p{Cf}\\u0d4e\\u0e33\\u0eb3\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff[[\\u{10000}-\\u{10ffff}]--\\p{Extended_Pictographic}]]'
const HAS_JOINED = new RegExp(JOINED, 'v')
const STRETCH = new RegExp(`[^${JOINED}]?(?:${JOINED}+[^${JOINED}]?)+`, 'gv') // of what may be joined, and the neighbours
const SURROGATE = /[\ud800-\udfff]/
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * The characters as a reader counts them (Unicode grapheme clusters, UAX #29): an emoji with its skin tone or a letter
 * with its accent is one. Segmenting is slow, so it is left to what may be joined.
 */
export function characters(text: string): string[] {
  if (!HAS_JOINED.test(text)) return codePoints(text)
  const found: string[] = []
  let end = 0
  for (const { 0: stretch, index } of text.matchAll(STRETCH)) {
    found.push(...codePoints(text.slice(end, index)))
    for (const { segment } of segmenter.segment(stretch)) found.push(segment)
    end = index + stretch.length
  }
  found.push(...codePoints(text.slice(end)))
  return found
}

function codePoints(text: string): string[] {
  return SURROGATE.test(text) ? [...text] : text.split('')
}
