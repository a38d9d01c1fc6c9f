import { beforeEach, describe, expect, test } from 'vitest'
import { addSamples } from '../../src/collecting/sample-users.js'
import { noBrowser } from '../support/browser.js'
import { add, ASK, bars, boxes, choose, chosen, TEXT, useVisitedApp } from '../support/visits.js'

describe.skipIf(noBrowser)('in a browser', () => {
  const app = useVisitedApp()

  test('characters are counted as a reader counts them, as they are typed', async () => {
    await addSamples(app.services)
    const { page, problems } = await app.visit()
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
      await addSamples(app.services)
      const { page } = await app.visit()
      await add(page, 'Stag_Example')
      await page.getByRole('status').waitFor()
    })

    test('no more than four can be chosen', async () => {
      const { page, problems } = await app.visit()
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
      const { page, problems } = await app.visit({ javaScriptEnabled: false })
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
    const { page, problems, pictures } = await app.visit({}, status)
    await add(page, 'Fell_Example')
    await page.getByRole('heading', { name: 'Ambrose Fell' }).waitFor()
    await page.waitForLoadState('networkidle')
    await page.waitForFunction(`document.querySelectorAll('.avatar img').length === ${shown}`)
    expect(pictures.length).toBeGreaterThan(0)
    expect(pictures.map(({ referrer }) => referrer).filter(Boolean)).toEqual([])
    expect(problems).toEqual([])
  })
})
