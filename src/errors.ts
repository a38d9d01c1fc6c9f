/**
 * An expected failure, worded for the person who sees it. Everything else is a bug and shows as a plain 500.
 *
 * `retry` is there when trying again later may help: `{}` soon, `{at}` not before that time.
 * `charged` says that X may have served, and charged for, what did not arrive.
 */
export class VisibleError extends Error {
  override readonly name = 'VisibleError'

  constructor(
    readonly status: number,
    message: string,
    readonly retry?: { at?: Date; charged?: boolean }
  ) {
    super(message)
  }
}

/** The refusal where the disk is full. */
export const noRoom = (): VisibleError =>
  new VisibleError(503, 'There is no room left to store anything here, and nothing of this was stored. Please try again when the operator has made room.', {})
