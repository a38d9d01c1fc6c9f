// RSS and Atom: each item is a post. What it holds is HTML, as a rule.

import { Parser } from 'htmlparser2'
import { MAX_RECORD_LENGTH, type Row } from '../bytes/lines.js'

const ITEMS = new Set(['item', 'entry'])
/** Our names of an item's elements; of several texts the whole one counts. */
const ELEMENTS: Record<string, string> = {
  title: 'title', description: 'content_html', summary: 'content_html', content: 'content_html', 'content:encoded': 'content_html', pubdate: 'created_at', published: 'created_at', updated: 'date',
  'dc:date': 'created_at', 'dc:creator': 'author', link: 'url', guid: 'url'
}
const REPOST = /^RT by @\w+:/
const REPLY = /^R to @(\w+):/

/** The items of a feed as records, in batches. */
export async function* readFeed(chunks: AsyncIterable<string>): AsyncGenerator<Row[]> {
  let rows: Row[] = []
  let item: Record<string, string> | null = null
  let element: string | null = null
  let [text, line, start] = ['', 1, 1]
  const parser = new Parser({
    onopentagname(name) {
      if (ITEMS.has(name)) [item, start] = [{}, line]
      else if (item && ELEMENTS[name]) [element, text] = [name, '']
    },
    ontext(data) {
      if (element && text.length < MAX_RECORD_LENGTH) text += data
    },
    onclosetag(name) {
      if (item && name === element) {
        keep(item, ELEMENTS[name], text.trim())
        element = null
      } else if (item && ITEMS.has(name)) {
        rows.push({ line: start, value: toRecord(item) })
        item = null
      }
    }
  }, { xmlMode: true, lowerCaseTags: true, recognizeCDATA: true })
  for await (const chunk of chunks) {
    parser.write(chunk)
    line += chunk.split('\n').length - 1
    yield rows
    rows = []
  }
  parser.end()
  if (item) rows.push({ line: start, value: null, odd: 'starts an item that never ends: the end of the file is missing.', isCut: true })
  yield rows
}

function keep(item: Record<string, string>, name: string, text: string): void {
  if (text.length > (item[name]?.length ?? 0)) item[name] = text
}

/** An item whose title says that it is a repost or a reply, as Nitter's do, and what it holds otherwise. */
function toRecord({ title = '', ...item }: Record<string, string>): Record<string, unknown> {
  const [, answered] = REPLY.exec(title) ?? []
  const isTitle = !item.content_html
  const text = isTitle ? title.replace(REPLY, '').trim() : undefined
  const { author, ...rest } = item
  return { ...rest, ...(isTitle && { text }), ...(author && { author: author.replace(/^@/, '') }), is_repost: REPOST.test(title), ...(answered && { in_reply_to_screen_name: answered }) }
}
