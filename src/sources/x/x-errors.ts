// What the X API reports when it fails, as errors in a visitor's words. Only a GoneAtSource deletes a stored user.

import { ApiPartialResponseError, ApiRequestError, ApiResponseError } from 'twitter-api-v2'
import { z } from 'zod'
import { ExpectedError, GoneAtSource } from '../../core/errors.js'

const Problem = z.object({
  title: z.string().catch(''),
  type: z.string().catch(''),
  resource_type: z.string().catch('user')
})

/** The `errors` of an answer. */
export const Problems = z.array(Problem).catch([])

const FailedAnswer = z.object({ type: z.string().catch(''), errors: Problems }).catch({ type: '', errors: [] })

/** X takes no posts newer than the one that was named, since that one is too old or gone. */
export class SinceIdRefused extends ExpectedError {
  override readonly name = 'SinceIdRefused'

  constructor() {
    super('bad-source', 'X cannot say which posts are newer than those that are stored.')
  }
}

const RefusedParameters = z.object({ errors: z.array(z.object({ parameters: z.record(z.string(), z.unknown()) })) })

export function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

/** X answers 200 when it cannot show a user, and says why in `errors`. Sometimes the same comes with a 4xx status. */
export function explainProblem(problems: z.infer<typeof Problems>, username: string): ExpectedError | undefined {
  for (const { title, type, resource_type } of problems) {
    if (resource_type !== 'user') continue
    if (title === 'Authorization Error' || type.endsWith('not-authorized-for-resource')) return userProtected(username)
    if (title === 'Forbidden') return userSuspended(username)
    if (title === 'Not Found Error' || type.endsWith('resource-not-found')) return userMissing(username)
  }
}

/**
 * What twitter-api-v2 throws, as an ExpectedError; anything that it does not throw stays as it is.
 * @param connected whether there was a connection: without one nothing is charged
 */
export function explainFailure(error: unknown, username: string, connected: boolean): unknown {
  if (error instanceof ApiResponseError) return explainStatus(error, username)
  if (error instanceof ApiRequestError || error instanceof ApiPartialResponseError) return unreachable(connected)
  // Node does not send a token with, for example, a line break in it.
  if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_CHAR') return tokenRefused()
  return error
}

function explainStatus({ code, data, headers }: ApiResponseError, username: string): ExpectedError {
  if (code >= 500) return serverFailed()
  const { type, errors } = FailedAnswer.parse(parseJson(data))
  if (code === 429) return type.endsWith('usage-capped') ? capReached() : rateLimited(headers['x-rate-limit-reset'])
  if (code === 402) return creditsMissing()
  if (code === 400 && refusesSinceId(data)) return new SinceIdRefused()
  const problem = explainProblem(errors, username)
  if (problem) return problem
  if (code === 401) return tokenRefused()
  if (code === 403) return accessMissing()
  // A 404 without a problem is about the address, not about the user.
  return code === 404 && errors.length > 0 ? userMissing(username) : requestRefused(code)
}

function refusesSinceId(data: unknown): boolean {
  const { success, data: refused } = RefusedParameters.safeParse(parseJson(data))
  return success && refused.errors.some(({ parameters }) => 'since_id' in parameters)
}

function userMissing(username: string): GoneAtSource {
  return new GoneAtSource('not-found', `There is no X user @${username}.`)
}

function userSuspended(username: string): GoneAtSource {
  return new GoneAtSource('forbidden', `X has suspended @${username}, so there are no posts to read.`)
}

export function userProtected(username: string): GoneAtSource {
  return new GoneAtSource('forbidden', `@${username} protects their posts, so they cannot be read.`)
}

export function tokenMissing(): ExpectedError {
  return new ExpectedError('unavailable', 'Adding users from X needs the setting X_BEARER_TOKEN, which this site does not have.')
}

function tokenRefused(): ExpectedError {
  return new ExpectedError('unavailable', 'X does not accept the token in the setting X_BEARER_TOKEN. ' +
    'The operator of this site has to put a valid one there.')
}

function creditsMissing(): ExpectedError {
  return new ExpectedError('unavailable', 'The X account behind X_BEARER_TOKEN has no credits left. ' +
    "The operator of this site has to top them up in X's developer console.")
}

function capReached(): ExpectedError {
  return new ExpectedError('unavailable', 'The X account behind X_BEARER_TOKEN has read as many posts as its plan allows. ' +
    "The operator of this site can raise the cap in X's developer console.")
}

function accessMissing(): ExpectedError {
  return new ExpectedError('unavailable', 'The app behind X_BEARER_TOKEN has no access to this part of the X API. ' +
    "The operator of this site has to attach it to a project and a plan in X's developer console.")
}

export function requestRefused(status: number): ExpectedError {
  return new ExpectedError('bad-source', `X turned the request down with status ${status}. ` +
    'The operator of this site should check the setting X_API_URL.')
}

/**
 * `reset` is in seconds since 1970. X's windows last 15 minutes, so that is the guess where it gives none or an absurd one:
 * long past, or further ahead than any of X's windows.
 */
function rateLimited(reset: unknown): ExpectedError {
  const minute = 60_000
  const now = Date.now()
  const resetMs = Number(reset) * 1000
  const isPlausible = resetMs > now - minute && resetMs < now + 24 * 60 * minute
  // A little in the past: a clock that differs from ours, and no reason to ask again at once.
  const at = new Date(isPlausible ? (resetMs > now ? resetMs : now + minute) : now + 15 * minute)
  // Rounded up, so that what goes on by itself never seems late.
  const clock = new Date(Math.ceil(at.getTime() / minute) * minute).toISOString().slice(11, 16)
  return new ExpectedError('unavailable', `X asks us to wait until ${clock} UTC.`, { at })
}

function serverFailed(): ExpectedError {
  return new ExpectedError('bad-source', 'X is not well at the moment.', {})
}

/** @param connected whether there was a connection: without one nothing is charged */
export function timedOut(timeoutMs: number, connected: boolean): ExpectedError {
  const seconds = timeoutMs / 1000
  const limit = `${seconds} second${seconds === 1 ? '' : 's'}`
  return new ExpectedError('bad-source', `X did not answer within ${limit}.`, { charged: connected })
}

function unreachable(connected: boolean): ExpectedError {
  return new ExpectedError('bad-source', 'X could not be reached.', { charged: connected })
}

export function tooLong(): ExpectedError {
  return new ExpectedError('bad-source', "X's answer had no end.", { charged: true })
}

export function unreadable(): ExpectedError {
  return new ExpectedError('bad-source', "X's answer broke off or made no sense.", { charged: true })
}
