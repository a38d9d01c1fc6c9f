// What the report of an import says.

/** X's API gives this many of a user's newest posts, so a file gives no more. */
export const MAX_IMPORTED_TWEETS = 3_200

/** What became of a file's records: read = kept + beyond + the sum of dropped. */
export interface ImportReport {
  read: number
  kept: number
  /** Good ones that are older than the newest 3,200. */
  beyond: number
  dropped: { retweets: number; replies: number; duplicates: number; empty: number; tooLong: number }
}

/** A report's numbers without levels, as they stand in an address. */
export type ImportCounts = Omit<ImportReport, 'dropped'> & ImportReport['dropped']

const LEFT_OUT: Record<Exclude<keyof ImportCounts, 'read' | 'kept'>, string> = {
  retweets: 'reposts', replies: 'replies', duplicates: 'repeated', empty: 'without words', tooLong: 'too long', beyond: 'older than the newest 3,200'
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
