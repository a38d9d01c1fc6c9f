// What the threads that fit run; they know nothing of the encoder, whose library takes much memory.

import { fitEncoder, fitNgrams, readTexts } from './attribution.js'
import { moved } from './moved.js'

export const read = (texts: string[]): unknown => moved(readTexts(texts))
export const ngrams = (half: Parameters<typeof fitNgrams>[0]): unknown => moved(fitNgrams(half))
export const whole = (half: Parameters<typeof fitEncoder>[0]): unknown => moved(fitEncoder(half))
