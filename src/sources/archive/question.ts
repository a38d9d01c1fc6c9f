import { ExpectedError } from '../../core/errors.js'

/** One of the answers to a question about a file. */
export interface Choice {
  /** Of an author or a column. */
  name: string
  /** How many posts there are under this name. */
  posts?: number
  /** The beginning of what stands there. */
  example?: string
}

/** A file that can be read in several ways: whose posts, or which column. The visitor has to say which. */
export class FileQuestion extends ExpectedError {
  constructor(message: string, readonly about: 'authors' | 'text', readonly choices: Choice[]) {
    super('unusable', message)
  }
}
