import { describe } from 'vitest'
import { noBrowser } from '../support/browser.js'
import { DESKTOP, PHONE } from '../support/visits.js'
import { testPages } from './all-pages.js'

describe.skipIf(noBrowser)('in a browser without script', () => {
  describe.concurrent.each([['on a phone', PHONE], ['on a desk', DESKTOP]])('%s', (_, viewport) => testPages(viewport, false))
})
