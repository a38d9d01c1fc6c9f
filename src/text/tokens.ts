// Tokenizing tweets for the style profile: characters as numbers, words, and counts of marks.

import { graphemesOf } from './graphemes.js'
import { LINK, maskLinks } from './normalize.js'

const MAX_UNITS = 500 // UTF-16 code units of a tweet that are read: few posts are longer, and those can be very long

/** Which mark a character counts as, if any. Emoji by UTS #51: shown as emoji by default or by a variation selector. */
const MARKS = {
  emoji: /^(?:\p{Emoji_Presentation}|\p{Emoji}(?:\ufe0f|\p{Emoji_Modifier}))/u,
  exclamations: /^[!！]/,
  questions: /^[?？؟]/,
  links: new RegExp(`^${LINK}`),
  breaks: /^\n/,
  capitals: /^\p{Lu}/u,
  small: /^\p{Ll}/u
}
type Mark = keyof typeof MARKS

/** `length` is in characters; `punctuated`: whether the text ends with punctuation (links at the end are not looked at). */
export interface TokenizedTweet {
  characters: number[]
  words: string[]
  marks: Record<Mark, number>
  length: number
  punctuated: boolean
}

export type TweetTokenizer = ReturnType<typeof createTweetTokenizer>

/** Tokenizes tweets. A character of one UTF-16 code unit is that number; others get numbers from 0x10000 on, as they are met. */
export function createTweetTokenizer() {
  const numbers = new Map<string, number>()
  const longer: string[] = []
  const marks = new Map<number, Mark | null>() // remembered: testing each character by regular expressions would be slow

  const numberOf = (character: string): number => {
    if (character.length === 1) return character.charCodeAt(0)
    const number = numbers.get(character) ?? 0xffff + longer.push(character)
    numbers.set(character, number)
    return number
  }
  const characterOf = (number: number) => (number < 0x10000 ? String.fromCharCode(number) : longer[number - 0x10000])
  const markOf = (number: number): Mark | null => {
    const known = marks.get(number)
    if (known !== undefined) return known
    const mark = (Object.keys(MARKS) as Mark[]).find((name) => MARKS[name].test(characterOf(number))) ?? null
    marks.set(number, mark)
    return mark
  }

  return {
    textOf: (numbers: number[]): string => numbers.map(characterOf).join(''),

    /** Reads the first MAX_UNITS of a tweet, links masked; of the rest only the length counts. */
    read(text: string): TokenizedTweet {
      const masked = maskLinks(text)
      const start = masked.slice(0, MAX_UNITS)
      const found = graphemesOf(start).map(numberOf)
      const words = wordsOf(start)
      const marks = { emoji: 0, exclamations: 0, questions: 0, links: 0, breaks: 0, capitals: 0, small: 0 }
      for (const number of found) {
        const mark = markOf(number)
        if (mark) marks[mark]++
        if (mark === 'emoji') words.push(characterOf(number))
      }
      const length = found.length + masked.length - start.length
      return { characters: found, words, marks, length, punctuated: PUNCTUATED.test(masked) }
    }
  }
}

const PUNCTUATED = /\p{P}(?:\s*\ufffc[a-z0-9.-]*)*$/u
const SIGN = '(?<![\\p{L}\\p{N}_])[#@](?=[\\p{N}_]*\\p{L})'
const WORD = new RegExp(`${LINK}[a-z0-9.-]*|(?:${SIGN})?[\\p{L}\\p{M}\\p{N}_]+(?:'[\\p{L}\\p{M}\\p{N}]+)*`, 'gu')
const RUN = /\p{sc=Han}+|\p{sc=Hira}+|\p{scx=Kana}+|[^\p{sc=Han}\p{sc=Hira}\p{scx=Kana}]+/gu

/** Words in lower case, including hashtags, mentions and links; Japanese is cut where its script changes. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().replaceAll('’', "'").replaceAll('＃', '#').match(WORD) ?? []
  return words.flatMap((word) => (word < '\u2e80' ? word : (word.match(RUN) ?? [])))
}
