import { percent } from '../text/format.js'
import type { Prediction } from './predict-author.js'

/** The answer in a few words, no surer than the page is. */
export function answerInWords({ verdict, author, candidates }: Prediction): string {
  if (verdict === 'too close to call') return 'Too close to call'
  if (verdict === 'unlike any of them') return 'Unlike any of them'
  return `Most likely @${author}: ${percent(candidates[0].probability)}`
}

export function oddsInWords({ verdict, candidates }: Prediction): string {
  const odds = candidates.map(({ user, probability }) => `@${user.username} ${percent(probability)}`).join(', ')
  return `${verdict === 'unlike any of them' ? 'If it had to be one of them:' : 'Who would have written it?'} ${odds}.`
}
