// What the threads that fit run; they know nothing of the encoder, whose library takes much memory.

import { fitEncoder, fitNgrams, readTexts, type TextsRead } from '../model/attribution.js'
import { transferred } from './transfer.js'
import { shared } from '../core/vectors.js'

/** Of a user, read once and fitted on many times by any thread. */
export function read(texts: string[]): TextsRead {
  const { counts: { starts, buckets, counts }, templates } = readTexts(texts)
  return { counts: { starts: shared(starts), buckets: shared(buckets), counts: shared(counts) }, templates }
}

export const ngrams = (half: Parameters<typeof fitNgrams>[0]): unknown => transferred(fitNgrams(half))
export const whole = (half: Parameters<typeof fitEncoder>[0]): unknown => transferred(fitEncoder(half))
