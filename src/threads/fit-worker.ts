// What the fitting threads run. They do not load the encoder, whose library takes much memory.

import { fitEncoderModel, fitNgramModel, readTexts, stack, type TextsRead } from '../model/attribution.js'
import { describeStyle, type StyleProfile } from '../text/style-profile.js'
import { transferred } from './transfer.js'
import { shared } from '../core/vectors.js'

/** Reads a user's texts into memory that all threads share: they are read once and fitted on many times. */
export function read(texts: string[]): TextsRead {
  const { counts: { starts, buckets, counts }, templates } = readTexts(texts)
  return { counts: { starts: shared(starts), buckets: shared(buckets), counts: shared(counts) }, templates }
}

export const ngrams = (input: Parameters<typeof fitNgramModel>[0]): unknown => transferred(fitNgramModel(input))
export const encoder = (input: Parameters<typeof fitEncoderModel>[0]): unknown => transferred(fitEncoderModel(input))
export const stacked = ({ logits, labels }: { logits: Parameters<typeof stack>[0]; labels: Int32Array }): unknown => transferred(stack(logits, labels))

export const style = (tweets: Parameters<typeof describeStyle>): StyleProfile => describeStyle(...tweets)
