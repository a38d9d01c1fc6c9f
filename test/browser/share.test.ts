import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { noBrowser, sharedChromium } from '../support/browser.js'
import { openSampleApp } from '../support/services.js'

const PHONE = { width: 375, height: 812 }
const DESKTOP = { width: 1280, height: 900 }

describe.skipIf(noBrowser)('sharing and coming back, in a browser', () => {
  let browser: Browser
  let app: Awaited<ReturnType<typeof openSampleApp>>
  let url: string

  beforeAll(async () => {
    ;[browser, app] = await Promise.all([sharedChromium(), openSampleApp()])
    url = app.url
  })
  afterEach(() => Promise.all((browser?.contexts() ?? []).map((context) => context.close())))
  afterAll(() => app?.close())

  /** A page, what went wrong on it, and everything that it asked of the server. */
  async function open(options: BrowserContextOptions = {}, before = '') {
    const context = await browser.newContext({ viewport: DESKTOP, ...options })
    context.setDefaultTimeout(20_000)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url })
    if (before) await context.addInitScript(before)
    const page = await context.newPage()
    const problems: string[] = []
    const requests: string[] = []
    page.on('pageerror', (error) => problems.push(`page error: ${error.message}`))
    page.on('console', (message) => void (message.type() === 'error' && problems.push(`console: ${message.text()}`)))
    page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
    return { page, problems, requests }
  }

  const result = (text: string, users = ['ruth_demo', 'ivo_demo']): string =>
    `${url}/predictions?${users.map((user) => `users=${user}`).join('&')}&text=${encodeURIComponent(text)}`
  const shared = (page: Page): Promise<string> => page.locator('[data-share-link]').inputValue()
  const recent = (page: Page) => page.getByRole('region', { name: 'Your last tries' })
  const tries = (page: Page): Promise<string[]> => recent(page).getByRole('link').allTextContents()
  const tooWide = (page: Page): Promise<number> =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')

  describe.each([['on a phone', PHONE], ['on a desk', DESKTOP]])('%s', (_, viewport) => {
    test('the link of a result is copied, and leads to it', async () => {
      const { page, problems } = await open({ viewport })
      await page.goto(result('One fears the "marmalade" is <lost> & gone 🌱'))
      const link = await shared(page)
      expect(link.startsWith(`${url}/predictions?users=ivo_demo&users=ruth_demo&text=One+fears`)).toBe(true)
      expect(await page.locator('[data-share-link]').isVisible()).toBe(false)
      expect(await page.getByRole('button', { name: 'Share', exact: true }).isVisible()).toBe(false)
      await page.getByRole('button', { name: 'Copy link' }).click()
      await page.getByRole('status').filter({ hasText: /^Copied$/ }).waitFor()
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(link)
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      const answer = await page.getByRole('heading', { level: 1 }).textContent()
      await page.goto(link)
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(answer)
      expect(problems).toEqual([])
    })

    test('the last results are offered at home, newest first and once, until they are forgotten', async () => {
      const { page, problems, requests } = await open({ viewport })
      await page.goto(url)
      expect(await recent(page).isVisible()).toBe(false)
      await page.goto(result('first <b>try</b> & "quotes" 💀'))
      await page.goto(result('second try'))
      await page.goto(result('first <b>try</b> & "quotes" 💀', ['ivo_demo', 'ruth_demo']))
      const answer = await page.getByRole('heading', { level: 1 }).textContent()
      requests.length = 0
      await page.goto(url)
      await recent(page).waitFor()
      expect(await tries(page)).toEqual(['first <b>try</b> & "quotes" 💀', 'second try'])
      expect(await recent(page).getByRole('listitem').first().textContent())
        .toMatch(/(Most likely @\w+: [<>]? ?[\d.]+%|Too close to call|Unlike any of them)$/)
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      expect(requests.filter((request) => !request.includes('/assets/'))).toEqual([`GET ${url}/`])

      await recent(page).getByRole('link', { name: /^first/ }).click()
      await page.locator('[data-share]').waitFor()
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(answer)
      await page.goto(url)
      await recent(page).getByRole('button', { name: 'Forget them' }).click()
      await recent(page).getByRole('status').filter({ hasText: 'Forgotten.' }).waitFor()
      expect(await tries(page)).toEqual([])
      expect(await page.evaluate('document.activeElement.id')).toBe('recent-heading')
      await page.goto(url)
      expect(await recent(page).isVisible()).toBe(false)
      expect(problems).toEqual([])
    })

    test('without script the link stands in a field, and nothing that needs script is shown', async () => {
      const { page, problems } = await open({ viewport, javaScriptEnabled: false })
      await page.goto(result('no script'))
      const link = page.getByRole('textbox', { name: 'The link to this result' })
      expect(await link.inputValue()).toMatch(/^http:.*text=no\+script$/)
      expect(await link.isEditable()).toBe(false)
      expect(await page.getByRole('button', { name: /Copy|Share/ }).count()).toBe(0)
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      await page.goto(url)
      expect(await recent(page).isVisible()).toBe(false)
      expect(problems).toEqual([])
    })
  })

  test('ten results are kept, of a long text the beginning', async () => {
    const { page } = await open()
    for (let i = 1; i <= 11; i++) await page.goto(result(`try ${i} ${'x'.repeat(400)}`))
    await page.goto(url)
    const texts = await tries(page)
    expect(texts.map((text) => text.slice(0, 6).trim())).toEqual(
      ['try 11', 'try 10', ...Array.from({ length: 8 }, (_, i) => `try ${9 - i}`)].map((text) => text.slice(0, 6)))
    expect(Math.max(...texts.map(({ length }) => length))).toBe(280)
  })

  test("a result is passed to the browser's own sharing, and closing that is no error", async () => {
    const share = 'navigator.share = (data) => { (window.sent ??= []).push(data); ' +
      'return window.sent.length === 2 ? Promise.reject(new DOMException("no", "AbortError")) : Promise.resolve() }'
    const { page, problems } = await open({ viewport: PHONE }, share)
    await page.goto(result('send me'))
    const button = page.getByRole('button', { name: 'Share', exact: true })
    await button.click()
    await button.click()
    const sent = (await page.evaluate('window.sent')) as { title: string; url: string }[]
    expect(sent).toHaveLength(2)
    expect(sent[0].url).toBe(await shared(page))
    expect(sent[0].title).toMatch(/^(Most likely|Too close|Unlike)/)
    expect(problems).toEqual([])
  })

  test('a browser without a clipboard copies from the field', async () => {
    const { page, problems } = await open({}, 'Object.defineProperty(navigator, "clipboard", { value: undefined })')
    await page.goto(result('old ways'))
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByRole('status').filter({ hasText: /Copied|copy it from there/ }).waitFor()
    expect(await page.getByRole('textbox', { name: 'The link to this result' }).isVisible()).toBe(true)
    expect(problems).toEqual([])
  })

  test.each([
    ['what is not JSON', '"{"'],
    ['another shape', 'JSON.stringify({ a: 1 })'],
    ['an address of elsewhere',
      'JSON.stringify([null, 7, { text: "x", answer: "y", path: "javascript:alert(1)" }, { text: "z" }])']
  ])('%s in the local storage is ignored', async (_, stored) => {
    const { page, problems } = await open({}, `localStorage.setItem('hypotweet-recent', ${stored})`)
    await page.goto(url)
    expect(await recent(page).isVisible()).toBe(false)
    expect(problems).toEqual([])
  })

  test('a result page without access to the local storage shows no error', async () => {
    const { page, problems } = await open({}, `Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('closed', 'SecurityError') }
    })`)
    await page.goto(result('closed'))
    await page.goto(url)
    expect(await recent(page).isVisible()).toBe(false)
    expect(problems).toEqual([])
  })
})
