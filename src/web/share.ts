// What is shared of a result: its URL, words for it, and the tags for link previews.

import type { Request } from 'express'
import type { Prediction } from '../prediction/predict-author.js'
import { answerInWords, oddsInWords } from '../prediction/wording.js'
import { graphemesOf } from '../text/graphemes.js'

export interface Share {
  text: string
  answer: string
  description: string
  /** The result's path on this site, the same for any order of the candidates. */
  path: string
  url: string
  image: string
  imageAlt: string
}

/** The scheme and host of a request. */
export interface Site {
  protocol: string
  host?: string
}

/**
 * The scheme as the proxy in front says, and the host of the header Host. X-Forwarded-Host is not believed: proxies that do
 * not set it, such as Heroku's, pass on what a visitor sends.
 */
export const siteOf = (request: Request): Site => ({ protocol: request.protocol, host: request.get('host') })

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const QUOTED = 160 // characters of the text in a description; previews show about 200

/** What is shared of a prediction. */
export function shareOf(site: Site, prediction: Prediction): Share {
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
    url: `${urlOf(site)}/predictions?${query}`,
    image: `${urlOf(site)}/predictions/card.png?${query}`,
    imageAlt: `${answer}. A text that nobody has written: “${shortened(text)}”`
  }
}

/**
 * The site's URL as the visitor sees it. It comes from headers, in which anybody can send anything: a scheme other than
 * https counts as http, and for what cannot be a host name the URL is empty, so that links are relative.
 */
function urlOf({ protocol, host }: Site): string {
  if (!HOST.test(host ?? '')) return ''
  return `${protocol === 'https' ? 'https' : 'http'}://${host}`
}

function shortened(text: string): string {
  const all = graphemesOf(text.trim().replace(/\s+/g, ' '))
  return all.length <= QUOTED ? all.join('') : `${all.slice(0, QUOTED).join('').trimEnd()}…`
}
