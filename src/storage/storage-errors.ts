import { ExpectedError } from '../core/errors.js'

/** The refusal where the disk is full. */
export const noRoom = (): ExpectedError =>
  new ExpectedError('unavailable', 'There is no room left to store anything here, and nothing of this was stored. Please try again when the operator has made room.', {})
