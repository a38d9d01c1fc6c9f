import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../../src/model/question.js'
import type { Prediction } from '../../../src/prediction/predict-author.js'
import { shareOf } from '../../../src/web/share.js'

const PLACE = { protocol: 'https', host: 'hypotweet.example' }

function predictionOf(text: string, verdict: Verdict = 'named'): Prediction {
  const candidates = [['ruth_demo', 0.92], ['Ivo_demo', 0.08]]
    .map(([username, probability]) => ({ user: { username }, probability }))
  return { text, verdict, author: 'ruth_demo', candidates } as unknown as Prediction
}

describe('what is shared', () => {
  test('is the result: its address and its picture, the same for any order of the candidates', () => {
    const { path, url, image } = shareOf(PLACE, predictionOf('a & b?'))
    expect(path).toBe('/predictions?users=Ivo_demo&users=ruth_demo&text=a+%26+b%3F')
    expect(url).toBe(`https://hypotweet.example${path}`)
    expect(image).toBe(`https://hypotweet.example${path.replace('?', '/card.png?')}`)
    const turned = predictionOf('a & b?')
    turned.candidates.reverse()
    expect(shareOf(PLACE, turned).path).toBe(path)
  })

  test.each([
    ['named', 'Most likely @ruth_demo: 92%', 'Who would have written it? @ruth_demo 92%, @Ivo_demo 8%.'],
    ['too close to call', 'Too close to call', 'Who would have written it? @ruth_demo 92%, @Ivo_demo 8%.'],
    ['unlike any of them', 'Unlike any of them', 'If it had to be one of them: @ruth_demo 92%, @Ivo_demo 8%.']
  ] as const)('is no surer than the page (%s)', (verdict, answer, odds) => {
    const share = shareOf(PLACE, predictionOf('Tea?', verdict))
    expect(share.answer).toBe(answer)
    expect(share.description).toBe(`“Tea?” ${odds}`)
    expect(share.imageAlt).toContain(answer)
  })

  test('is short, whatever the text', () => {
    const { description, imageAlt, text } = shareOf(PLACE, predictionOf('👩🏽‍🚀 é\n'.repeat(900)))
    expect(description).toMatch(/^“(👩🏽‍🚀 é )+👩🏽‍🚀 é…” Who/u)
    expect(Array.from(imageAlt).length).toBeLessThan(700)
    expect(text).toBe('👩🏽‍🚀 é\n'.repeat(900))
  })

  test.each([
    ['http', 'localhost:3000', 'http://localhost:3000'],
    ['https', 'a-b.example.org', 'https://a-b.example.org'],
    ['http', '[::1]:3000', 'http://[::1]:3000'],
    ['javascript', 'a.example', 'http://a.example'],
    ['https', 'a.example"><script>', ''],
    ['https', 'a.example/path', ''],
    ['https', 'user@a.example', ''],
    ['https', '', ''],
    ['https', undefined, '']
  ])('is on the site that the visitor sees, if that can be one (%s, %s)', (protocol, host, site) => {
    const { path, url } = shareOf({ protocol, host }, predictionOf('x'))
    expect(url).toBe(site + path)
  })
})
