import { createHash } from 'node:crypto'
import type { Prediction } from '../prediction/predict-author.js'
import type { Services } from '../services/services.js'
import { SOMEBODY } from '../threads/fair-queue.js'
import { cardSvg } from './card.js'

/**
 * The picture of a result as a PNG. A thread draws one at a time, in turns between addresses, and it is kept in memory for
 * whoever asks for the same picture.
 * @throws Overloaded where too many pictures wait; the signal's reason where the caller has gone
 */
export async function drawCard({ threads, drawing, cards }: Services, prediction: Prediction, caller = SOMEBODY): Promise<Uint8Array> {
  const svg = cardSvg(prediction)
  const draw = async (): Promise<{ png: Uint8Array; bytes: number }> => {
    const png = await threads.draw(svg)
    return { png, bytes: png.byteLength }
  }
  const inTurn = (signal: AbortSignal) => drawing.run({ ...caller, signal }, draw)
  return (await cards.get(createHash('sha256').update(svg).digest('base64'), inTurn, caller.signal)).png
}
