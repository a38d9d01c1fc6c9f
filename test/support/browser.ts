import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const { PROGRAMFILES = '', 'PROGRAMFILES(X86)': programFiles86 = '', LOCALAPPDATA = '' } = process.env

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ...[PROGRAMFILES, programFiles86, LOCALAPPDATA].filter(Boolean).flatMap((folder) => [
    join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
    join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe')
  ])
]

/** The Chromium to drive: what CHROMIUM_PATH names, playwright's own, or the first in a usual place. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM_PATH || [chromium.executablePath(), ...USUAL_PATHS].find((path) => existsSync(path))
}

let browser: Promise<Browser> | undefined

/** A Chromium that all test files of a process use; it asks nothing of the network by itself, and ends with the process. */
export function sharedChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error('No Chromium was found in the usual places. CHROMIUM_PATH can name one.')
  browser ??= chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--no-first-run'
    ]
  })
  return browser
}

/** Whether the tests that need a browser are left out, which REQUIRE_BROWSER_TESTS=1 does not allow. */
export const noBrowser = !findChromium() && process.env.REQUIRE_BROWSER_TESTS !== '1'
if (noBrowser) console.log('No Chromium was found, so the browser tests are skipped. CHROMIUM_PATH can name one.')
