// The text of a tweet, made comparable. X escapes &, < and > as entities and replaces each link by a t.co address, which
// tells only that there is a link. Imported tweets may have links as they were typed: their host is kept.

import { decodeHTMLStrict } from 'entities'

/** Stands for a link or a picture in the text that features are made from: one character that nobody types. */
export const LINK = '\uFFFC'

const X_LINKS = /(?:https?:\/\/|(?<![\w./-]))(?:t\.co|pic\.twitter\.com|pic\.x\.com)\/[a-z0-9]+/gi
const OTHER_LINKS = /https?:\/\/(?:www\.)?([a-z0-9.-]*)\S*/gi

/** The text as its author typed it: HTML's entities decoded once, all that end with a semicolon, and {@link tidyText}. */
export function decodeText(raw: string): string {
  return tidyText(decodeEntities(raw))
}

/** A text with HTML's entities decoded once: text that was copied out of a file or a page. */
export const decodeEntities = (raw: string): string => (raw.includes('&') ? decodeHTMLStrict(raw) : raw)

/** A text as it can be stored: line ends and Unicode composition unified. A text that was stored is tidy, and stays as it is. */
export function tidyText(text: string): string {
  return limitMarks(text)
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '')
    .toWellFormed()
    .normalize('NFC')
    .trim()
}

/**
 * The text with at most 30 combining marks in a row. The time of composing (NFC, in decodeText) grows with the square of
 * their number: one post of 25,000 marks takes a second. Texts that take no time stay as they are.
 */
export const limitMarks = (raw: string): string => (raw.length < 1000 ? raw : raw.replace(/(\p{M}{30})\p{M}+/gu, '$1'))

/** The text with each link and picture replaced by {@link LINK}; the host follows, unless it is X's own. */
export function maskLinks(text: string): string {
  return text.replace(X_LINKS, LINK).replace(OTHER_LINKS, `${LINK}$1`)
}

/** Texts with the same key are duplicates: they differ only in links, case and spaces. */
export function duplicateKey(text: string): string {
  return text.replace(X_LINKS, '').replace(OTHER_LINKS, '').replace(/\s+/g, ' ').trim().toLowerCase()
}

/**
 * The items in order, without those whose text repeats an earlier one's or has nothing but links.
 * @param seen keys of earlier texts; the keys of the items returned are added
 */
export function dropDuplicates<T>(items: T[], textOf: (item: T) => string, seen = new Set<string>()): T[] {
  return items.filter((item) => {
    const key = duplicateKey(textOf(item))
    return key !== '' && !seen.has(key) && seen.add(key)
  })
}
