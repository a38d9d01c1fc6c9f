import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addSamples } from '../../src/collecting/sample-users.js'
import { findChromium, launchChromium } from '../support/browser.js'
import { openEmbeddedDatabase, type TestDatabase } from '../support/databases.js'
import { openTestServices, serve, type TestServices } from '../support/services.js'
import { startXApi, type XApiServer } from '../../support/x-api-stand-in.js'
import { sharedThreads } from '../support/threads.js'

const skipped = !findChromium() && process.env.REQUIRE_BROWSER_TESTS !== '1'
if (skipped) console.log('No Chromium was found, so the browser tests are skipped. CHROMIUM_PATH can name one.')

const PHONE = { width: 375, height: 812 }
const DESKTOP = { width: 1280, height: 900 }
const TEXT = 'A tweet that nobody has written'
const ASK = 'Who would have written it?'
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'
)

/** A page, and all that went wrong on it. */
interface Visit {
  page: Page
  /** Console errors, page errors, and requests to other hosts. */
  problems: string[]
  /** What was asked of X's picture host, and whether it learnt where from. */
  pictures: { address: string; referrer?: string }[]
}

/** The texts of two sample users, who write quite differently. */
async function samplePosts(): Promise<string[][]> {
  const json = await readFile(new URL('../../prisma/samples.json', import.meta.url), 'utf8')
  const samples: { username: string; tweets: { text: string }[] }[] = JSON.parse(json)
  const named = (name: string) => samples.find(({ username }) => username === name)!
  return ['ruth_demo', 'milo_demo'].map((name) => named(name).tweets.map(({ text }) => text))
}

describe.skipIf(skipped)('in a browser', () => {
  let browser: Browser
  const threads = sharedThreads()
  let database: TestDatabase
  let x: XApiServer
  let services: TestServices
  let url: string
  let closeApp: () => Promise<void>
  let typicalWren: string
  let typicalStag: string

  beforeAll(async () => {
    ;[browser, database, x] = await Promise.all([launchChromium(), openEmbeddedDatabase(), startXApi()])
    const settings = { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '60', ADMIN_PASSWORD: 'a long one' }
    services = await openTestServices(database, settings, threads)
    const app = await serve(services)
    url = app.url
    closeApp = app.close
    // Without pictures, which are on a host of X's; with a name and a word that are wider than a phone.
    const [ruth, milo] = await samplePosts()
    x.addUser('Wren_Example', { profile_image_url: '', name: `Wren ${'W'.repeat(45)}` })
    x.addPosts('Wren_Example', [...ruth.slice(0, 39), 'la'.repeat(120)])
    x.addUser('Stag_Example', { profile_image_url: '', name: 'Stag' })
    x.addPosts('Stag_Example', milo.slice(0, 70))
    ;[typicalWren, typicalStag] = [ruth[20], milo[40]]
  })
  beforeEach(() => services.userStore.reset())
  afterEach(() => Promise.all((browser?.contexts() ?? []).map((context) => context.close())))
  afterAll(async () => {
    await browser?.close()
    await closeApp?.()
    await services?.close()
    await x?.close()
    await database?.close()
  })

  async function visit(options: BrowserContextOptions = {}, pictureStatus = 200): Promise<Visit> {
    const context = await browser.newContext({ viewport: DESKTOP, ...options })
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    const problems: string[] = []
    const pictures: Visit['pictures'] = []
    const pages = new Set<string>()
    await context.route((address) => address.origin !== url, (route) => {
      const request = route.request()
      const isPicture = request.url().startsWith('https://pbs.twimg.com/') && request.resourceType() === 'image'
      if (!isPicture) problems.push(`request to ${request.url()}`)
      else pictures.push({ address: request.url(), referrer: request.headers().referer })
      return route.fulfill(pictureStatus === 200
        ? { contentType: 'image/png', body: PIXEL }
        : { status: pictureStatus, contentType: 'text/plain', body: 'no picture' })
    })
    page.on('request', (request) => void (request.isNavigationRequest() && pages.add(request.url())))
    page.on('pageerror', (error) => problems.push(`page error: ${error.message}`))
    page.on('console', (message) => {
      // The browser itself notes when the page that was asked for is a worded refusal.
      const isRefusal = /^Failed to load resource: .* status of 4\d\d/.test(message.text())
      const { url } = message.location()
      const expected = isRefusal && (pages.has(url) || url.startsWith('https://pbs.twimg.com/'))
      if (message.type() === 'error' && !expected) problems.push(`console: ${message.text()}`)
    })
    await page.goto(url)
    return { page, problems, pictures }
  }

  /** The width that the page needs beyond what there is. */
  async function tooWide(page: Page): Promise<number> {
    await page.waitForLoadState() // the styles are there
    return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  }

  async function add(page: Page, username: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Add X users' }).fill(username)
    await page.getByRole('button', { name: 'Add', exact: true }).click()
  }

  const bars = (page: Page) => page.getByRole('img', { name: /%$/ })
  const boxes = (page: Page) => page.getByRole('checkbox')
  const chosen = (page: Page): Promise<string[]> =>
    page.getByRole('checkbox', { checked: true })
      .evaluateAll((all) => all.map((box) => (box as unknown as { value: string }).value))

  async function choose(page: Page, names: string[]): Promise<void> {
    for (const box of await boxes(page).all()) await box.setChecked(false)
    for (const name of names) await page.getByRole('checkbox', { name: new RegExp(name) }).check()
  }

  describe.each([
    ['on a phone', PHONE, true],
    ['on a phone without script', PHONE, false],
    ['on a desk', DESKTOP, true],
    ['on a desk without script', DESKTOP, false]
  ])('%s', (_, viewport, javaScriptEnabled) => {
    const open = (more: BrowserContextOptions = {}) => visit({ viewport, javaScriptEnabled, ...more })

    test('the whole story: from nobody to a shown prediction', async () => {
      const { page, problems, pictures } = await open()
      await page.getByRole('heading', { name: ASK }).waitFor()
      await page.getByText('Nobody has been added yet.').waitFor()
      expect(await tooWide(page)).toBeLessThanOrEqual(0)

      await add(page, '@wren_example')
      await page.getByRole('heading', { name: /^Wren/ }).waitFor()
      expect(await page.getByRole('status').textContent()).toBe('Last look on X: 40 posts read, 40 new tweets kept.')
      expect(await tooWide(page)).toBeLessThanOrEqual(0)

      await page.getByRole('link', { name: 'HypoTweet' }).click()
      await add(page, 'https://x.com/Stag_Example')
      await page.getByRole('heading', { name: 'Stag' }).waitFor()
      await page.getByText('Page 1 of 2').waitFor()
      await page.getByRole('link', { name: 'Older' }).click()
      await page.getByText('Page 2 of 2').waitFor()
      await page.getByRole('link', { name: 'HypoTweet' }).click()

      await page.getByRole('link', { name: /Wren.*@Wren_Example.*40 tweets/ }).waitFor()
      expect(await chosen(page)).toEqual(['Stag_Example', 'Wren_Example'])
      await page.getByRole('textbox', { name: TEXT }).fill(typicalStag)
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      await page.getByRole('button', { name: ASK }).click()

      await page.getByRole('heading', { name: /Most likely @Stag_Example.*%/ }).waitFor()
      expect(await bars(page).count()).toBe(2)
      const names = await page.getByRole('listitem').filter({ has: bars(page) }).allTextContents()
      expect(names[0]).toMatch(/Stag.*%/s)
      expect(names[1]).toMatch(/Wren.*%/s)
      expect(await page.getByRole('textbox', { name: TEXT }).inputValue()).toBe(typicalStag)
      expect(await chosen(page)).toEqual(['Stag_Example', 'Wren_Example'])
      expect(await tooWide(page)).toBeLessThanOrEqual(0)

      await page.getByRole('textbox', { name: TEXT }).fill(typicalWren)
      await page.getByRole('button', { name: ASK }).click()
      await page.getByRole('heading', { name: /Most likely @Wren_Example.*%/ }).waitFor()
      expect(problems).toEqual([])
      expect(pictures).toEqual([])
    })

    test('a prediction that cannot be made says why and keeps all that was typed', async () => {
      await addSamples(services)
      const { page, problems } = await open()
      await choose(page, ['ruth_demo'])
      await page.getByRole('textbox', { name: TEXT }).fill('\n\n  <b>one</b> & "two"\n\n🌱 three  ')
      await page.getByRole('button', { name: ASK }).click()
      expect(await page.getByRole('alert').textContent()).toBe('Pick two to four different users.')
      const kept = await page.getByRole('textbox', { name: TEXT }).inputValue()
      expect(kept).toBe('\n\n  <b>one</b> & "two"\n\n🌱 three  ')
      expect(await chosen(page)).toEqual(['ruth_demo'])
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      await page.getByRole('checkbox', { name: /ivo_demo/ }).check()
      await page.getByRole('button', { name: ASK }).click()
      await bars(page).first().waitFor()
      expect(problems).toEqual([])
    })

    test('a user who cannot be added is explained, and the name is kept', async () => {
      const { page, problems } = await open()
      for (const [username, words] of [
        ['no such name!', /1 to 15 letters/],
        ['nobody', /There is no X user @nobody/],
        ['suspended', /X has suspended @suspended/]
      ] as const) {
        await add(page, username)
        await page.getByRole('alert').filter({ hasText: words }).waitFor()
        expect(await page.getByRole('textbox', { name: 'Add X users' }).inputValue()).toBe(username)
      }
      await add(page, 'Stag_Example')
      await page.getByRole('status').waitFor()
      await page.getByRole('button', { name: 'Look for newer tweets' }).click()
      await page.getByRole('status').filter({ hasText: '0 posts read, 0 new tweets kept.' }).waitFor()
      expect(problems).toEqual([])
    })

    test('the admin removes everybody', async () => {
      await addSamples(services)
      const { page, problems } = await open({ httpCredentials: { username: 'admin', password: 'a long one' } })
      await page.getByRole('link', { name: 'Admin' }).click()
      await page.getByText(/^4 users, \d+ tweets/).waitFor()
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      await page.getByRole('button', { name: 'Reset' }).click()
      await page.getByText('4 users removed.').waitFor()
      expect(problems).toEqual([])
    })
  })

  test('characters are counted as a reader counts them, as they are typed', async () => {
    await addSamples(services)
    const { page, problems } = await visit()
    const text = page.getByRole('textbox', { name: TEXT })
    const count = page.locator('#count')
    expect(await count.textContent()).toBe('0 of 280 characters')
    await text.fill('tea 👩🏽‍🚀 é')
    expect(await count.textContent()).toBe('7 of 280 characters')
    await text.press('End')
    await text.press('!')
    expect(await count.textContent()).toBe('8 of 280 characters')
    await text.fill('a'.repeat(281))
    expect(await count.textContent()).toBe('281 of 280 characters')
    await page.getByRole('button', { name: ASK }).click()
    await bars(page).first().waitFor()
    expect(await count.textContent()).toBe('281 of 280 characters')
    expect(problems).toEqual([])
  })

  describe('of five users', () => {
    beforeEach(async () => {
      await addSamples(services)
      const { page } = await visit()
      await add(page, 'Stag_Example')
      await page.getByRole('status').waitFor()
    })

    test('no more than four can be chosen', async () => {
      const { page, problems } = await visit()
      expect(await boxes(page).count()).toBe(5)
      const disabled = () => boxes(page).and(page.locator(':disabled')).count()
      expect([(await chosen(page)).length, await disabled()]).toEqual([4, 1])
      await page.getByRole('checkbox', { checked: true }).first().uncheck()
      expect([(await chosen(page)).length, await disabled()]).toEqual([3, 0])
      await choose(page, ['ruth_demo', 'ivo_demo', 'tara_demo', 'Stag_Example'])
      expect(await page.getByRole('checkbox', { name: /milo_demo/ }).isDisabled()).toBe(true)
      expect(problems).toEqual([])
    })

    test('five are refused without script, and stay chosen', async () => {
      const { page, problems } = await visit({ javaScriptEnabled: false })
      for (const box of await boxes(page).all()) await box.check()
      await page.getByRole('textbox', { name: TEXT }).fill('who says so?')
      await page.getByRole('button', { name: ASK }).click()
      expect(await page.getByRole('alert').textContent()).toBe('Pick two to four different users.')
      expect(await page.getByRole('textbox', { name: TEXT }).inputValue()).toBe('who says so?')
      expect(await chosen(page)).toHaveLength(5)
      expect(problems).toEqual([])
    })
  })

  test.each([
    [200, 1], [404, 0]
  ])('a picture on X that answers %d is asked for without saying where from', async (status, shown) => {
    const { page, problems, pictures } = await visit({}, status)
    await add(page, 'Fell_Example')
    await page.getByRole('heading', { name: 'Ambrose Fell' }).waitFor()
    await page.waitForLoadState('networkidle')
    await page.waitForFunction(`document.querySelectorAll('.avatar img').length === ${shown}`)
    expect(pictures.length).toBeGreaterThan(0)
    expect(pictures.map(({ referrer }) => referrer).filter(Boolean)).toEqual([])
    expect(problems).toEqual([])
  })
})
