// How a result is told elsewhere: in words, by its address, and to those who draw a preview of a link.

import type { Prediction } from '../prediction/predict-author.js'
import { answerInWords, oddsInWords } from '../prediction/wording.js'
import { graphemesOf } from '../text/graphemes.js'

export interface Share {
  text: string
  answer: string
  description: string
  /** The result's address on this site, the same for any order of the candidates. */
  path: string
  url: string
  image: string
  imageAlt: string
}

/** Where a request came in: Express's request has both, behind a proxy too. */
export interface Place {
  protocol: string
  host?: string
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const QUOTED = 160 // characters of the text in a description: previews show about 200

/** All that is said of a prediction where it is shared. */
export function shareOf(place: Place, prediction: Prediction): Share {
  const { text, candidates } = prediction
  const names = candidates.map(({ user }) => user.username).sort()
  const query = new URLSearchParams(names.map((name): [string, string] => ['users', name]))
  query.append('text', text)
  const answer = answerInWords(prediction)
  return {
    text,
    answer,
    description: `“${shortened(text)}” ${oddsInWords(prediction)}`,
    path: `/predictions?${query}`,
    url: `${siteOf(place)}/predictions?${query}`,
    image: `${siteOf(place)}/predictions/card.png?${query}`,
    imageAlt: `${answer}. A text that nobody has written: “${shortened(text)}”`
  }
}

/**
 * The scheme and host that the visitor sees. Both are headers that anybody can send anything in, so what is neither
 * http nor https, or cannot be a host's name, is not repeated: without a host, addresses are relative.
 */
function siteOf({ protocol, host }: Place): string {
  if (!HOST.test(host ?? '')) return ''
  return `${protocol === 'https' ? 'https' : 'http'}://${host}`
}

function shortened(text: string): string {
  const all = graphemesOf(text.trim().replace(/\s+/g, ' '))
  return all.length <= QUOTED ? all.join('') : `${all.slice(0, QUOTED).join('').trimEnd()}…`
}
