import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { noBrowser, sharedChromium } from '../support/browser.js'
import { openSampleApp } from '../support/services.js'

const PHONE = { width: 375, height: 812 }
const TEXT = 'ngl the train was late again, coffee went cold 💀'
const NAMES = ['milo_demo', 'ruth_demo', 'ivo_demo', 'tara_demo']
const RESULT = `/predictions?${NAMES.map((name) => `users=${name}&`).join('')}text=${encodeURIComponent(TEXT)}`

interface Violation {
  id: string
  impact: string
  nodes: { html: string }[]
}

describe.skipIf(noBrowser)('the sample users in a browser', () => {
  let browser: Browser
  let app: Awaited<ReturnType<typeof openSampleApp>>
  let axe: string

  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    ;[browser, app] = await Promise.all([sharedChromium(), openSampleApp({ ADMIN_PASSWORD: 'a long password' })])
  })
  afterEach(() => Promise.all((browser?.contexts() ?? []).map((context) => context.close())))
  afterAll(() => app?.close())

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: PHONE, ...options })
    const page = await context.newPage()
    await page.goto(app.url + path)
    return page
  }

  const width = (page: Page): Promise<number> =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')

  describe.each([{ javaScriptEnabled: true }, { javaScriptEnabled: false }])('the result page with %o', (options) => {
    test('shows the answer, the reasons, the nearest tweets, the accuracy and the map', async () => {
      const page = await open(RESULT, options)
      await expect(page.getByRole('heading', { level: 1 }).innerText()).resolves.toMatch(/@milo_demo would have written it/)
      const bars = page.getByRole('list').filter({ hasText: 'how it is written' }).getByRole('img')
      expect(await bars.count()).toBe(4)
      await expect(page.getByText('Strongest:').first().innerText()).resolves.toContain('“')
      expect(await page.locator('.nearest figure').count()).toBe(8)
      await expect(page.getByText(/it is right \d+ times in 100/).innerText()).resolves.toContain('Guessing would be right 25 times')
      expect(await page.getByRole('table').getByRole('row').count()).toBe(5)
      expect(await page.locator('[data-map] .dot').count()).toBe(160)
      expect(await width(page)).toBe(0)
    })

    test('shows what speaks for another candidate when that one is chosen', async () => {
      const page = await open(RESULT, options)
      await page.getByRole('radio', { name: '@ruth_demo' }).check()
      const shown = await page.locator('.shades:visible').all()
      expect(shown).toHaveLength(1)
      expect(await shown[0].locator('.shaded').innerText()).toBe(TEXT)
    })
  })

  test.each([{ javaScriptEnabled: true }, { javaScriptEnabled: false }])('the page of a user with %o shows how they write', async (options) => {
    const page = await open('/users/milo_demo', options)
    await page.getByRole('heading', { name: 'How they write' }).waitFor()
    for (const name of [/hour/i, /day/i]) expect(await page.getByRole('img', { name }).count()).toBeGreaterThan(0)
    expect(await page.getByRole('table').count()).toBeGreaterThanOrEqual(3)
    expect(await page.getByRole('table').first().innerText()).toContain('and')
    expect(await width(page)).toBe(0)
  })

  test('a dot on the map shows its tweet when it is focused, and arrow keys move on', async () => {
    const page = await open(RESULT)
    const output = page.locator('[data-map-tweet]')
    await page.locator('[data-map] .dot').first().focus()
    const first = await output.innerText()
    expect(first).toMatch(/^@milo_demo: /)
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) await page.keyboard.press(key)
    expect(await output.innerText()).toMatch(/^@\w+_demo: /)
    await page.locator('[data-map] .dot').nth(100).hover({ force: true })
    expect(await output.innerText()).not.toBe(first)
  })

  test('says "Unlike any of them" and no name for a text that is like nobody’s', async () => {
    const page = await open(RESULT.replace(/text=.*/, `text=${encodeURIComponent('Доброе утро, сегодня прекрасная погода')}`))
    await expect(page.getByRole('heading', { level: 1 }).innerText()).resolves.toBe('Unlike any of them')
  })

  test.each([
    ['home', '/'],
    ['a user', '/users/ruth_demo'],
    ['the result', RESULT],
    ['the game', '/play'],
    ['an error', '/predictions?users=milo_demo&text=hi'],
    ['what is not there', '/nowhere'],
    ['the admin page', '/admin']
  ])('axe finds no serious problem on the page of %s, light or dark', async (_, path) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(path, { colorScheme, httpCredentials: { username: 'admin', password: 'a long password' } })
      await page.evaluate(axe)
      const { violations } = (await page.evaluate('axe.run()')) as { violations: Violation[] }
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)).toEqual([])
      expect(await width(page)).toBe(0)
      await page.context().close()
    }
  })
})
