// What became of a file's records.

const LEFT_OUT = {
  retweets: 'reposts', replies: 'replies', duplicates: 'repeated', empty: 'without words', tooLong: 'too long', beyond: 'older than the newest 3,200'
}

/** How many records of a file were read and kept, and why the others were not. */
export function importInWords(counts: Record<'read' | 'kept' | keyof typeof LEFT_OUT, number>): string {
  const reasons = Object.entries(LEFT_OUT).flatMap(([key, words]) => {
    const n = counts[key as keyof typeof LEFT_OUT]
    return n > 0 ? [`${words} (${n.toLocaleString('en')})`] : []
  })
  const left = reasons.length ? ` Left out: ${reasons.join(', ')}.` : ''
  return `${counts.read.toLocaleString('en')} read, ${counts.kept.toLocaleString('en')} kept.${left}`
}
