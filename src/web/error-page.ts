// The error page, and the HTTP status of each kind of failure.

import type { ErrorRequestHandler, Request, Response } from 'express'
import { ZodError } from 'zod'
import { ExpectedError, isForLog, type Reason } from '../core/errors.js'
import type { Services } from '../services/services.js'
import { CallerGone } from './rate-limits.js'
import { typedIn } from './requests.js'
import { HeldQuestion } from './uploads.js'

/** The HTTP status of each reason. */
export const STATUS: Record<Reason, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'too-large': 413,
  unsupported: 415,
  unusable: 422,
  'too-many': 429,
  bug: 500,
  'bad-source': 502,
  unavailable: 503
}

const REASONS: Record<number, Reason> = { 413: 'too-large', 415: 'unsupported', 404: 'not-found', 403: 'forbidden' } // by the status of errors of Express

/** Answers every failure, as a page with the forms as they were filled in, or as JSON. */
export function errorPage({ config, userStore, log }: Services): ErrorRequestHandler {
  return async (error, request, response, _next) => {
    if (error instanceof CallerGone || response.closed) return
    if (response.headersSent) {
      if (isForLog(error)) log.error({ err: error as unknown, path: request.path }, 'failed')
      return void response.destroy() // the only way to say that what was sent is not whole
    }
    const { reason, message, retry } = toExpected(error)
    const status = STATUS[reason]
    if (status >= 500 && isForLog(error)) log.error({ err: error as unknown, path: request.path }, 'failed')
    if (retry?.at) response.set('Retry-After', String(Math.max(1, Math.ceil((retry.at.getTime() - Date.now()) / 1000))))
    response.status(status)
    if (error instanceof HeldQuestion) return showQuestion(error, request, response)
    if (request.accepts(['html', 'json']) === 'json') return void response.json({ error: message })
    const users = await userStore.listProfiles().catch(() => [])
    const typed = typedIn(request.query, request.body)
    response.render('error', { status, message, users, typed, canCollect: Boolean(config.X_BEARER_TOKEN) })
  }
}

/** Asks a visitor what a file does not tell by itself. */
function showQuestion({ message, question, upload, fields }: HeldQuestion, request: Request, response: Response): void {
  if (request.accepts(['html', 'json']) === 'json') return void response.json({ error: message, question: { ...question, upload } })
  response.render('import-question', { message, question, upload, fields })
}

function toExpected(error: unknown): ExpectedError {
  if (error instanceof ExpectedError) return error
  if (error instanceof ZodError) return new ExpectedError('invalid', error.issues[0].message)
  const status = (error as { status?: unknown } | undefined)?.status
  if (typeof status === 'number' && status >= 400 && status < 500) return new ExpectedError(REASONS[status] ?? 'invalid', BAD_REQUESTS[status] ?? BAD_REQUESTS[400])
  return new ExpectedError('bug', 'Something went wrong on our side. It has been noted; please try again.')
}

// What Express's own parsers and router refuse, worded for visitors.
const BAD_REQUESTS: Record<number, string> = {
  400: 'That request could not be understood.',
  413: 'That is too large to be sent here.',
  415: 'That is sent in a form that is not understood here.'
}
