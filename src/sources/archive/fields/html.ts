import { Parser } from 'htmlparser2'

const BREAKS = new Set(['br'])
const BLOCKS = new Set(['p', 'div', 'li', 'tr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'pre'])
const LEFT_OUT = new Set(['script', 'style', 'blockquote', 'template'])

/** The text of a piece of HTML, such as a post of Mastodon's: a line for each break and block, and nothing of what it quotes. */
export function htmlToText(html: string): string {
  let text = ''
  let leftOut = 0 // depth
  const parser = new Parser({
    onopentag(name) {
      if (LEFT_OUT.has(name)) leftOut++
      else if (BREAKS.has(name)) text += '\n'
      else if (BLOCKS.has(name) && text !== '') text += '\n'
    },
    ontext(data) {
      if (leftOut === 0) text += data
    },
    onclosetag(name) {
      if (LEFT_OUT.has(name)) leftOut--
    }
  })
  parser.end(html)
  return text.replace(/[ \t]*\n[ \t]*/g, '\n').replace(/\n{3,}/g, '\n\n').trim()
}
