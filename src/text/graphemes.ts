// Code points that may join with a neighbour into one grapheme: marks, joiners, vowel signs, Hangul parts, flags, skin
// tones. Most emoji join only with these.
const JOINED = '[\\p{Grapheme_Extend}\\p{M}\\p{Cf}\\u0d4e\\u0e33\\u0eb3\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff[[\\u{10000}-\\u{10ffff}]--\\p{Extended_Pictographic}]]'
const HAS_JOINED = new RegExp(JOINED, 'v')
const STRETCH = new RegExp(`[^${JOINED}]?(?:${JOINED}+[^${JOINED}]?)+`, 'gv') // code points that may join, with their neighbours
const SURROGATE = /[\ud800-\udfff]/
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * The characters as a reader counts them (Unicode grapheme clusters, UAX #29): an emoji with its skin tone is one, and so
 * is a letter with its accent. Segmenting is slow, so only the stretches that need it are segmented.
 */
export function graphemesOf(text: string): string[] {
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
