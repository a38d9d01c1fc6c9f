// Security headers, and a check against requests that other sites make a browser send (CSRF).

import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { ExpectedError } from '../core/errors.js'

const PICTURES = 'https://pbs.twimg.com' // where X has profile pictures

/** Scripts, styles and pictures only as files of this site (and X's profile pictures), nothing inline, no page in a frame. */
export function securityHeaders(): RequestHandler {
  const none = ["'none'"]
  const own = ["'self'"]
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none, scriptSrc: own, styleSrc: own, connectSrc: own, formAction: own, baseUri: none, frameAncestors: none,
        imgSrc: [...own, 'data:', PICTURES] // the style sheet has its icons as data: URLs
      }
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' }, // link previews on other sites show a result's picture
    referrerPolicy: { policy: 'same-origin' }
  })
}

/** Refuses a request that changes something and comes from another site's page. Programs send neither of these headers. */
export const onlyFromHere: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next()
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isOurs = site ? site === 'same-origin' || site === 'none' : !origin || hostOf(origin) === request.get('host')
  if (!isOurs) throw new ExpectedError('forbidden', 'That was sent from another site. Please use the form here.')
  next()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
