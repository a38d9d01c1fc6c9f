// What the drawing thread runs: SVG → PNG. A drawing cannot be interrupted, so whoever asks for one bounds what is drawn. The
// fonts come with the app, since a server may have none; the system's fonts are used for scripts that ours lack.

import { createRequire } from 'node:module'
import { Resvg } from '@resvg/resvg-js'
import { move } from 'piscina'

const FONTS = [
  'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
  'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
  '@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf' // outlines: resvg cannot draw colour emoji
]

const { resolve } = createRequire(import.meta.url)
const fontFiles = FONTS.map((path) => resolve(path))

/** The picture as a PNG; its texts are in DejaVu Sans and Noto Emoji. */
export default function draw(svg: string): unknown {
  const font = { fontFiles, loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' }
  return move(Uint8Array.from(new Resvg(svg, { font }).render().asPng()))
}
