import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSampleApp } from '../../support/services.js'

describe('the meta tags of a result', () => {
  let app: Awaited<ReturnType<typeof openSampleApp>>

  beforeAll(async () => {
    app = await openSampleApp({ TRUST_PROXY: '1' })
  })
  afterAll(() => app?.close())

  const TEXT = 'One has <mislaid> the "marmalade" & it\'s gone.'
  const PATH = `/predictions?users=ruth_demo&users=ivo_demo&text=${encodeURIComponent(TEXT)}`

  /** Asks for a page with any headers; fetch would not let the test set Host. */
  function page(path: string, headers: Record<string, string> = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      httpRequest(app.url + path, { headers: { accept: 'text/html', ...headers } }, async (response) => {
        resolve((await response.setEncoding('utf8').toArray()).join(''))
      }).on('error', reject).end()
    })
  }

  /** The content of a meta tag as a browser reads it. */
  function tag(html: string, name: string): string | undefined {
    const entities: Record<string, string> = { lt: '<', gt: '>', '#34': '"', '#39': "'", amp: '&' }
    const content = new RegExp(`<meta (?:property|name)="${name}" content="([^"]*)">`).exec(html)?.[1]
    return content?.replace(/&(lt|gt|#34|#39|amp);/g, (_, entity: string) => entities[entity])
  }

  test('have the answer and the picture, also behind a proxy', async () => {
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

  test('have URLs at which the picture and the page are found', async () => {
    const html = await page(PATH)
    const image = await fetch(tag(html, 'og:image')!)
    const again = await page(tag(html, 'og:url')!.slice(app.url.length))
    expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(tag(again, 'og:url')).toBe(tag(html, 'og:url'))
    expect(tag(again, 'og:title')).toBe(tag(html, 'og:title'))
  })

  test.each([
    [{ host: 'shown.example', 'x-forwarded-proto': 'https' }, 'https://shown.example/'],
    [{ 'x-forwarded-host': 'evil.example' }, 'http://127.0.0.1:'],
    [{ 'x-forwarded-proto': 'javascript:alert(1)//' }, 'http://127.0.0.1:'],
    [{ host: '"><script>alert(1)</script>' }, '/predictions?'],
    [{ host: 'evil.example/"onload="alert(1)' }, '/predictions?']
  ])('contain no markup from the headers %j', async (headers, start) => {
    const html = await page(PATH, headers as Record<string, string>)
    expect(tag(html, 'og:url')!.slice(0, start.length)).toBe(start)
    expect(html).not.toMatch(/alert\(1\)|javascript:/)
  })

  test('say with a header too that search engines keep neither the page nor its picture', async () => {
    expect(await page(PATH)).toContain('<meta name="robots" content="noindex">')
    expect(await page('/')).not.toContain('noindex')
    for (const path of [PATH, PATH.replace('?', '/card.png?'), '/predictions?text=x']) {
      expect((await fetch(app.url + path)).headers.get('x-robots-tag')).toBe('noindex')
    }
  })

  test('are on results and on no other page', async () => {
    for (const path of ['/', '/users/ruth_demo', '/predictions?users=ruth_demo&text=x']) {
      expect(await page(path)).not.toContain('og:')
    }
  })

  test('come with a read-only field that has the link, for browsers without script', async () => {
    const html = await page(PATH)
    expect(html).toMatch(/<input type="text" value="http:\/\/127\.0\.0\.1:\d+\/predictions\?[^"]+" readonly/)
    expect(html).not.toMatch(/<script(?![^>]* src=)|<[^>]* style=/)
  })
})
