/** Why something that was expected to fail sometimes has failed. web/ alone knows which HTTP status belongs to each. */
export type Reason =
  | 'invalid' // what was sent cannot be taken
  | 'unauthenticated' // the password is missing or wrong
  | 'forbidden' // not allowed: closed by a setting, sent from another site
  | 'not-found'
  | 'too-large'
  | 'unsupported' // sent in a form that is not understood
  | 'unusable' // understood, but nothing can be learnt from it
  | 'too-many' // more than one address may ask for
  | 'bad-source' // the network that posts are read from failed or made no sense
  | 'unavailable' // not possible at the moment
  | 'bug' // stored for a failure that nobody expected

/**
 * An expected failure, worded for the person who sees it. Everything else is a bug and shows as a plain 500.
 *
 * `retry` is there when trying again later may help: `{}` soon, `{at}` not before that time. `retry.charged` says that
 * the source may have served, and charged for, what did not arrive.
 */
export class ExpectedError extends Error {
  override readonly name: string = 'ExpectedError'

  constructor(
    readonly reason: Reason,
    message: string,
    readonly retry?: { at?: Date; charged?: boolean }
  ) {
    super(message)
  }
}

/**
 * The source says that a person is gone there: deleted, suspended, protected, or left without own posts. Its rules ask
 * that what is stored of them goes here too. Nothing else deletes a stored person.
 */
export class GoneAtSource extends ExpectedError {
  override readonly name = 'GoneAtSource'
}

/** Whether the operator has to see an error in the log: it is a bug, or an expected failure with a technical cause. */
export function isForLog(error: unknown): boolean {
  return !(error instanceof ExpectedError) || error.cause !== undefined
}
