// What the report of an import says.

/**
 * How much of a file is kept. X's API gives 3,200 of a user's newest posts, so a file gives no more; so many of the usual
 * length, 280 characters, are within the bound on characters, of which a fit reads an eighth.
 */
export const MAX_IMPORTED = { tweets: 3_200, characters: 1_000_000 }

/** What became of a file's records: read = kept + beyond + the sum of dropped. */
export interface ImportReport {
  read: number
  kept: number
  /** Good ones that are older than the newest 3,200, or come after 1,000,000 characters. */
  beyond: number
  dropped: { retweets: number; replies: number; duplicates: number; empty: number; tooLong: number }
}

/** A report's numbers without levels, as they stand in an address. */
export type ImportCounts = Omit<ImportReport, 'dropped'> & ImportReport['dropped']

const LEFT_OUT: Record<Exclude<keyof ImportCounts, 'read' | 'kept'>, string> = {
  retweets: 'reposts', replies: 'replies', duplicates: 'repeated', empty: 'without words', tooLong: 'too long', beyond: 'older than the newest 3,200 or 1,000,000 characters'
}

/** How many records of a file were read and kept, and why the others were not. */
export function importInWords(counts: ImportCounts): string {
  const reasons = Object.entries(LEFT_OUT).flatMap(([key, words]) => {
    const n = counts[key as keyof typeof LEFT_OUT]
    return n > 0 ? [`${words} (${n.toLocaleString('en')})`] : []
  })
  const leftOut = reasons.length ? ` Left out: ${reasons.join(', ')}.` : ''
  return `${counts.read.toLocaleString('en')} read, ${counts.kept.toLocaleString('en')} kept.${leftOut}`
}
