// The tests of the pages that run on a phone and on a desk, with script and without.

import type { BrowserContextOptions, ViewportSize } from 'playwright-core'
import { expect, test } from 'vitest'
import { addSamples } from '../../src/collecting/sample-users.js'
import { add, ASK, bars, choose, chosen, TEXT, tooWide, useVisitedApp } from '../support/visits.js'

/** One after another in an app of their own, so that several such lists can run side by side. */
export function testPages(viewport: ViewportSize, javaScriptEnabled: boolean): void {
  const app = useVisitedApp()
  const open = (more: BrowserContextOptions = {}) => app.visit({ viewport, javaScriptEnabled, ...more })

  test.sequential('the whole story: from nobody to a shown prediction', async () => {
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
    await page.getByRole('textbox', { name: TEXT }).fill(app.typicalStag)
    expect(await tooWide(page)).toBeLessThanOrEqual(0)
    await page.getByRole('button', { name: ASK }).click()

    await page.getByRole('heading', { name: /Most likely @Stag_Example.*%/ }).waitFor()
    expect(await bars(page).count()).toBe(2)
    const names = await page.getByRole('listitem').filter({ has: bars(page) }).allTextContents()
    expect(names[0]).toMatch(/Stag.*%/s)
    expect(names[1]).toMatch(/Wren.*%/s)
    expect(await page.getByRole('textbox', { name: TEXT }).inputValue()).toBe(app.typicalStag)
    expect(await chosen(page)).toEqual(['Stag_Example', 'Wren_Example'])
    expect(await tooWide(page)).toBeLessThanOrEqual(0)

    await page.getByRole('textbox', { name: TEXT }).fill(app.typicalWren)
    await page.getByRole('button', { name: ASK }).click()
    await page.getByRole('heading', { name: /Most likely @Wren_Example.*%/ }).waitFor()
    expect(problems).toEqual([])
    expect(pictures).toEqual([])
  })

  test.sequential('a prediction that cannot be made says why and keeps all that was typed', async () => {
    await addSamples(app.services)
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

  test.sequential('a user who cannot be added is explained, and the name is kept', async () => {
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
    await app.services.prisma.collectJob.updateMany({ data: { updatedAt: new Date(Date.now() - 11 * 60_000) } }) // what X has said holds for ten minutes
    await page.getByRole('button', { name: 'Look for newer tweets' }).click()
    await page.getByRole('status').filter({ hasText: '0 posts read, 0 new tweets kept.' }).waitFor()
    expect(problems).toEqual([])
  })

  test.sequential('the admin removes everybody', async () => {
    await addSamples(app.services)
    const { page, problems } = await open({ httpCredentials: { username: 'admin', password: 'a long one' } })
    await page.getByRole('link', { name: 'Admin' }).click()
    await page.getByText(/^4 users, \d+ tweets/).waitFor()
    expect(await tooWide(page)).toBeLessThanOrEqual(0)
    await page.getByRole('button', { name: 'Reset' }).click()
    await page.getByText('4 users removed.').waitFor()
    expect(problems).toEqual([])
  })
}
