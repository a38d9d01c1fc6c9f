// SVG → PNG, on libuv's threads. The fonts come with the app, since a server may have none; the system's fonts are used
// for scripts that ours lack.

import { createRequire } from 'node:module'
import { renderAsync } from '@resvg/resvg-js'

const FONTS = [
  'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
  'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
  '@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf' // outlines: resvg cannot draw colour emoji
]

/** The picture as a PNG; its texts are in DejaVu Sans and Noto Emoji. */
export async function toPng(svg: string): Promise<Buffer> {
  const { resolve } = createRequire(import.meta.url)
  const fontFiles = FONTS.map((path) => resolve(path))
  const image = await renderAsync(svg, {
    font: { fontFiles, loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' }
  })
  return image.asPng()
}
