import { readFile } from 'node:fs/promises'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startXApi, type XApiServer } from '../../support/x-api-stand-in.js'
import { sharedChromium } from './browser.js'
import { openEmbeddedDatabase, type TestDatabase } from './databases.js'
import { openTestServices, serve, type TestServices } from './services.js'

export const PHONE = { width: 375, height: 812 }
export const DESKTOP = { width: 1280, height: 900 }
export const TEXT = 'A tweet that nobody has written'
export const ASK = 'Who would have written it?'
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'
)

/** A page, and all that went wrong on it. */
export interface Visit {
  page: Page
  /** Console errors, page errors, and requests to other hosts. */
  problems: string[]
  /** What was asked of X's picture host, and whether it learnt where from. */
  pictures: { address: string; referrer?: string }[]
}

export interface VisitedApp {
  services: TestServices
  /** A text of Wren_Example's (40 posts on X) and one of Stag_Example's (70), who write quite differently. */
  typicalWren: string
  typicalStag: string
  visit(options?: BrowserContextOptions, pictureStatus?: number): Promise<Visit>
}

/** The texts of two sample users, who write quite differently. */
async function samplePosts(): Promise<string[][]> {
  const json = await readFile(new URL('../../prisma/samples.json', import.meta.url), 'utf8')
  const samples: { username: string; tweets: { text: string }[] }[] = JSON.parse(json)
  const named = (name: string) => samples.find(({ username }) => username === name)!
  return ['ruth_demo', 'milo_demo'].map((name) => named(name).tweets.map(({ text }) => text))
}

/** The app with X's stand-in and a browser, for the tests of a describe; each test begins with nobody added. */
export function useVisitedApp(): VisitedApp {
  const app = {} as VisitedApp
  const contexts: BrowserContext[] = []
  let database: TestDatabase
  let x: XApiServer
  let served: { url: string; close(): Promise<void> }

  beforeAll(async () => {
    const browser = await sharedChromium()
    ;[database, x] = await Promise.all([openEmbeddedDatabase(), startXApi()])
    const settings = { X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '60', ADMIN_PASSWORD: 'a long one' }
    app.services = await openTestServices(database, settings)
    served = await serve(app.services)
    Object.assign(app, await addPosters(x))
    app.visit = async (options = {}, pictureStatus = 200) => {
      const context = await browser.newContext({ viewport: DESKTOP, ...options })
      contexts.push(context)
      return visit(context, served.url, pictureStatus)
    }
  })
  beforeEach(() => app.services.userStore.reset())
  afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())))
  afterAll(async () => {
    await served?.close()
    await app.services?.close()
    await x?.close()
    await database?.close()
  })
  return app
}

/** Without pictures, which are on a host of X's; with a name and a word that are wider than a phone. */
async function addPosters(x: XApiServer): Promise<{ typicalWren: string; typicalStag: string }> {
  const [ruth, milo] = await samplePosts()
  x.addUser('Wren_Example', { profile_image_url: '', name: `Wren ${'W'.repeat(45)}` })
  x.addPosts('Wren_Example', [...ruth.slice(0, 39), 'la'.repeat(120)])
  x.addUser('Stag_Example', { profile_image_url: '', name: 'Stag' })
  x.addPosts('Stag_Example', milo.slice(0, 70))
  return { typicalWren: ruth[20], typicalStag: milo[40] }
}

async function visit(context: BrowserContext, url: string, pictureStatus: number): Promise<Visit> {
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
export async function tooWide(page: Page): Promise<number> {
  await page.waitForLoadState() // the styles are there
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

export async function add(page: Page, username: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Add X users' }).fill(username)
  await page.getByRole('button', { name: 'Add', exact: true }).click()
}

export const bars = (page: Page) => page.getByRole('img', { name: /%$/ })
export const boxes = (page: Page) => page.getByRole('checkbox')
export const chosen = (page: Page): Promise<string[]> =>
  page.getByRole('checkbox', { checked: true })
    .evaluateAll((all) => all.map((box) => (box as unknown as { value: string }).value))

export async function choose(page: Page, names: string[]): Promise<void> {
  for (const box of await boxes(page).all()) await box.setChecked(false)
  for (const name of names) await page.getByRole('checkbox', { name: new RegExp(name) }).check()
}
