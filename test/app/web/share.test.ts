import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict } from '../../../src/model/question.js'
import type { Prediction } from '../../../src/prediction/predict-author.js'
import { shareOf } from '../../../src/web/share.js'
import { openSampleApp } from '../../support/services.js'

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

describe('the tags of a result', () => {
  let app: Awaited<ReturnType<typeof openSampleApp>>

  beforeAll(async () => {
    app = await openSampleApp({ TRUST_PROXY: '1' })
  })
  afterAll(() => app?.close())

  const TEXT = 'One has <mislaid> the "marmalade" & it\'s gone.'
  const PATH = `/predictions?users=ruth_demo&users=ivo_demo&text=${encodeURIComponent(TEXT)}`

  /** A page, asked for with any headers at all: fetch sets Host itself. */
  function page(path: string, headers: Record<string, string> = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      httpRequest(app.url + path, { headers: { accept: 'text/html', ...headers } }, async (response) => {
        resolve((await response.setEncoding('utf8').toArray()).join(''))
      }).on('error', reject).end()
    })
  }

  /** A tag's content, as a browser reads it. */
  function tag(html: string, name: string): string | undefined {
    const entities: Record<string, string> = { lt: '<', gt: '>', '#34': '"', '#39': "'", amp: '&' }
    const content = new RegExp(`<meta (?:property|name)="${name}" content="([^"]*)">`).exec(html)?.[1]
    return content?.replace(/&(lt|gt|#34|#39|amp);/g, (_, entity: string) => entities[entity])
  }

  test('name the answer and the picture, behind a proxy too', async () => {
    const html = await page(PATH, { host: 'hypotweet.example', 'x-forwarded-proto': 'https' })
    expect(tag(html, 'og:title')).toMatch(/^(Most likely @\w+: [<>]? ?[\d.]+%|Too close to call|Unlike any of them)$/)
    expect(tag(html, 'og:description')).toContain(`“${TEXT}”`)
    const { href, searchParams, pathname } = new URL(tag(html, 'og:url')!)
    expect(href).toMatch(/^https:\/\/hypotweet\.example\/predictions\?/)
    expect([pathname, searchParams.getAll('users'), searchParams.get('text')]).toEqual([
      '/predictions', ['ivo_demo', 'ruth_demo'], TEXT
    ])
    expect(tag(html, 'og:image')).toBe(href.replace('?', '/card.png?'))
    expect(['og:image:width', 'og:image:height', 'twitter:card'].map((name) => tag(html, name)))
      .toEqual(['1200', '630', 'summary_large_image'])
    expect(tag(html, 'og:image:alt')).toContain(TEXT)
    expect(html.slice(0, html.indexOf('</head>'))).toContain('og:title')
  })

  test('have a picture and a page at their addresses', async () => {
    const html = await page(PATH)
    const image = await fetch(tag(html, 'og:image')!)
    const again = await page(tag(html, 'og:url')!.slice(app.url.length))
    expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(tag(again, 'og:url')).toBe(tag(html, 'og:url'))
    expect(tag(again, 'og:title')).toBe(tag(html, 'og:title'))
  })

  test.each([
    [{ 'x-forwarded-host': 'shown.example', 'x-forwarded-proto': 'https' }, 'https://shown.example/'],
    [{ 'x-forwarded-proto': 'javascript:alert(1)//' }, 'http://127.0.0.1:'],
    [{ host: '"><script>alert(1)</script>' }, '/predictions?'],
    [{ 'x-forwarded-host': 'evil.example/"onload="alert(1)' }, '/predictions?']
  ])('take no markup from %j', async (headers, start) => {
    const html = await page(PATH, headers as Record<string, string>)
    expect(tag(html, 'og:url')!.slice(0, start.length)).toBe(start)
    expect(html).not.toMatch(/alert\(1\)|javascript:/)
  })

  test('are on a result and nowhere else', async () => {
    for (const path of ['/', '/users/ruth_demo', '/predictions?users=ruth_demo&text=x']) {
      expect(await page(path)).not.toContain('og:')
    }
  })

  test('the link stands in a read-only field for those without script', async () => {
    const html = await page(PATH)
    expect(html).toMatch(/<input type="text" value="http:\/\/127\.0\.0\.1:\d+\/predictions\?[^"]+" readonly/)
    expect(html).not.toMatch(/<script(?![^>]* src=)|<[^>]* style=/)
  })
})
