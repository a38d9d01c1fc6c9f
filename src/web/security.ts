// Headers that tell a browser what a page may do, and refusal of what other sites have it send.

import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { ExpectedError } from '../core/errors.js'

const PICTURES = 'https://pbs.twimg.com' // X's host of profile pictures

/** No script, style or picture from elsewhere (but X's profile pictures), none inside a page, and no page in a frame. */
export function securityHeaders(): RequestHandler {
  const none = ["'none'"]
  const own = ["'self'"]
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none, scriptSrc: own, styleSrc: own, connectSrc: own, formAction: own, baseUri: none, frameAncestors: none,
        imgSrc: [...own, 'data:', PICTURES] // data: are the style sheet's own icons
      }
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' }, // link previews show a result's picture
    referrerPolicy: { policy: 'same-origin' }
  })
}

/** Refuses what changes something when a browser says that another site has made it ask; programs say nothing of sites. */
export const onlyFromHere: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next()
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isOurs = site ? site === 'same-origin' || site === 'none' : !origin || hostOf(origin) === request.host
  if (!isOurs) throw new ExpectedError('forbidden', 'That was sent from another site. Please use the form here.')
  next()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
