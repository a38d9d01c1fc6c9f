// A tweet as the picture of somebody's habits needs it: its characters as numbers, its words, its marks.

import { graphemesOf } from './graphemes.js'
import { LINK, maskLinks } from './normalize.js'

const MOST_CHARACTERS = 500 // of a tweet are read (UTF-16 code units): few posts are longer, and those can be very long

/** What a character counts as, if anything. Emoji as UTS #51 has them drawn: by themselves or as asked for. */
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

/** `length` is in characters; `punctuated` says that the text ends with punctuation, links at the end aside. */
export interface TokenizedTweet {
  characters: number[]
  words: string[]
  marks: Record<Mark, number>
  length: number
  punctuated: boolean
}

export type TweetTokenizer = ReturnType<typeof createTweetTokenizer>

/** Reads tweets. A character of one UTF-16 code unit is that number, others get one from 0x10000 as they are met. */
export function createTweetTokenizer() {
  const numbers = new Map<string, number>()
  const longer: string[] = []
  const marks = new Map<number, Mark | null>() // of characters met before: to test each character would be slow

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

    /** Reads the beginning of a tweet, links masked; the rest is only measured, in code units. */
    read(text: string): TokenizedTweet {
      const masked = maskLinks(text)
      const start = masked.slice(0, MOST_CHARACTERS)
      const found = numbersOf(start, numberOf)
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
// Characters that join with none before them, but for the last of each stretch, which the next may join.
const PLAIN = /([\n -\u02ff\u0370-\u03ff\u0400-\u0482\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff]+(?=[^]))/u

/** The numbers of the text's characters; only what is round an emoji or the like is segmented, for that is slow. */
function numbersOf(text: string, numberOf: (character: string) => number): number[] {
  const numbers: number[] = []
  text.split(PLAIN).forEach((part, i) => {
    if (i % 2) for (let unit = 0; unit < part.length; unit++) numbers.push(part.charCodeAt(unit))
    else for (const character of graphemesOf(part)) numbers.push(numberOf(character))
  })
  return numbers
}

const SIGN = '(?<![\\p{L}\\p{N}_])[#@](?=[\\p{N}_]*\\p{L})'
const WORD = new RegExp(`${LINK}[a-z0-9.-]*|(?:${SIGN})?[\\p{L}\\p{M}\\p{N}_]+(?:'[\\p{L}\\p{M}\\p{N}]+)*`, 'gu')
const RUN = /\p{sc=Han}+|\p{sc=Hira}+|\p{scx=Kana}+|[^\p{sc=Han}\p{sc=Hira}\p{scx=Kana}]+/gu

/** Words in lower case, hashtags, mentions and links among them; Japanese is cut where its script changes. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().replaceAll('’', "'").replaceAll('＃', '#').match(WORD) ?? []
  return words.flatMap((word) => (word < '\u2e80' ? word : (word.match(RUN) ?? [])))
}
