import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noBrowser, sharedChromium } from '../support/browser.js'
import { openSampleApp } from '../support/services.js'

const PHONE = { width: 375, height: 812 }

describe.skipIf(noBrowser)('the game in a browser on a phone', () => {
  let browser: Browser
  let app: Awaited<ReturnType<typeof openSampleApp>>

  beforeAll(async () => {
    ;[browser, app] = await Promise.all([sharedChromium(), openSampleApp()])
  })
  afterAll(() => app?.close())

  async function tooWide(page: Page): Promise<number> {
    await page.waitForLoadState() // the styles are there
    return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  }

  const authorOf = async (page: Page): Promise<string> => {
    const text = (await page.locator('blockquote p').textContent())!
    return (await app.services.prisma.tweet.findFirstOrThrow({ where: { text }, select: { user: true } })).user.username
  }

  test.each([['with script', true], ['without script', false]])('is played %s', async (_, javaScriptEnabled) => {
    const context = await browser.newContext({ viewport: PHONE, javaScriptEnabled })
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())))
    await page.goto(app.url)
    await page.getByRole('link', { name: 'Play: who wrote it?' }).click()

    const seen = new Set<string>()
    let right = 0
    for (let round = 1; round <= 4; round++) {
      await page.getByRole('heading', { level: 1, name: 'Who wrote it?' }).waitFor()
      await page.getByText(`Round ${round} of 50`).waitFor()
      expect(await tooWide(page)).toBeLessThanOrEqual(0)
      const guesses = page.getByRole('list', { name: 'Your guess' }).getByRole('link')
      expect(await guesses.count()).toBe(4)
      for (const guess of await guesses.all()) expect((await guess.boundingBox())!.height).toBeGreaterThanOrEqual(44)
      const author = await authorOf(page)
      seen.add((await page.locator('blockquote p').textContent())!)

      const guess = round === 2 ? guesses.filter({ hasNotText: author }).first() : guesses.filter({ hasText: author })
      if (round === 3) { // by keyboard
        await guess.focus()
        await page.keyboard.press('Enter')
      } else await guess.click()
      if (round !== 2) right++
      await page.getByRole('heading', { name: `${round === 2 ? 'No' : 'Right'}: @${author} wrote it` }).waitFor()
      expect(await page.getByRole('status').textContent()).toMatch(/^You said @\w+\. HypoTweet.* says @\w+ \(.*%\)/)
      const score = new RegExp(`^You ${right}, HypoTweet [0-4] of ${round}$`)
      expect(await page.locator('.score').textContent()).toMatch(score)
      expect(await page.title()).toContain(`@${author} wrote it`)
      expect(await tooWide(page)).toBeLessThanOrEqual(0)

      await page.reload() // counts the round no second time
      expect(await page.locator('.score').textContent()).toContain(`You ${right},`)
      await page.getByRole('link', { name: 'Next tweet' }).click()
    }
    expect(seen.size).toBe(4)

    await page.getByText('Round 5 of 50').waitFor()
    const game = new URL(page.url())
    game.searchParams.set('round', '50')
    game.searchParams.set('guesses', '0'.repeat(50))
    await page.goto(game.href)
    await page.getByRole('heading', { name: 'The final result' }).waitFor()
    expect(await tooWide(page)).toBeLessThanOrEqual(0)
    await page.getByRole('link', { name: 'Play again' }).click()
    await page.getByText('Round 1 of 50').waitFor()
    expect(new URL(page.url()).searchParams.get('seed')).not.toBe(game.searchParams.get('seed'))
    expect(problems).toEqual([])
    expect(await context.cookies()).toEqual([])
    await context.close()
  })
})
