// Bytes → text, a chunk at a time.

import { setImmediate } from 'node:timers/promises'
import { TextDecoder } from 'node:util'
import { ExpectedError } from '../../../core/errors.js'
import { attempt } from './lines.js'

/** How a file's text is written. `damaged` is UTF-8 in which some bytes are wrong. */
export type Encoding = 'UTF-8' | 'UTF-16 LE' | 'UTF-16 BE' | 'Windows-1252' | 'damaged UTF-8'

/** A file that is not in the encoding in which it was read: {@link findEncoding} looks for another. */
export class OtherEncoding extends Error {}

const LABELS: Record<Encoding, string> = {
  'UTF-8': 'utf-8', 'UTF-16 LE': 'utf-16le', 'UTF-16 BE': 'utf-16be', 'Windows-1252': 'windows-1252', 'damaged UTF-8': 'utf-8'
}
const NEVER_IN_TEXT = /[^\P{Cc}\t-\r]/u // control characters but for those that end lines or cells
const UNUSED_IN_1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d])
const MOST_DAMAGE = 0.05 // wrong bytes for each letter beyond ASCII: with more, the file is not UTF-8

/**
 * The text of a file in chunks of about the size of the bytes' chunks. Between chunks the event loop is free for other work.
 * @param found the encoding where it has been found; otherwise UTF-8, or UTF-16 with a byte order mark
 * @param tell is told which it is, before the first chunk
 * @throws OtherEncoding for any other bytes
 */
export async function* decodeBytes(bytes: AsyncIterable<Buffer>, found?: Encoding, tell: (encoding: Encoding) => void = () => {}): AsyncGenerator<string> {
  const open = (encoding: Encoding): TextDecoder => {
    tell(encoding)
    return new TextDecoder(LABELS[encoding], { fatal: encoding !== 'damaged UTF-8' })
  }
  let decoder: TextDecoder | undefined
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    if (!decoder && held.length < 2) continue
    decoder ??= open(found ?? markOf(held))
    yield decode(decoder, held, true)
    held = Buffer.alloc(0)
    await setImmediate()
  }
  yield decode(decoder ?? open('UTF-8'), held, false)
}

/** The encoding that a byte order mark tells, or UTF-8. */
function markOf(bytes: Buffer): Encoding {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0)
  return mark === 0xfffe ? 'UTF-16 LE' : mark === 0xfeff ? 'UTF-16 BE' : 'UTF-8'
}

function decode(decoder: TextDecoder, bytes: Buffer, stream: boolean): string {
  const text = attempt(() => decoder.decode(bytes, { stream }))
  // UTF-16 without its mark, UTF-32 and most binary files may be valid UTF-8, but they have zero bytes.
  if (text !== undefined && !text.includes('\0')) return text
  throw new OtherEncoding()
}

/**
 * The encoding of a file that is not plain UTF-8, by all of its bytes.
 * @throws ExpectedError (422) where it is none of ours
 */
export async function findEncoding(bytes: AsyncIterable<Buffer>, name: string | null): Promise<Encoding> {
  const seen = { zeros: [0, 0], bytes: 0, wrong: 0, letters: 0, never: false, unused: false, mark: 'UTF-8' as Encoding }
  const utf8 = new TextDecoder('utf-8')
  for await (const chunk of bytes) {
    if (seen.bytes === 0) seen.mark = markOf(chunk)
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] === 0) seen.zeros[(seen.bytes + i) % 2]++
      else if (UNUSED_IN_1252.has(chunk[i])) seen.unused = true
    }
    const text = utf8.decode(chunk, { stream: true })
    seen.never ||= NEVER_IN_TEXT.test(text.replaceAll('\0', ''))
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) === 0xfffd) seen.wrong++
      else if (text.charCodeAt(i) > 0x7f) seen.letters++
    }
    seen.bytes += chunk.length
    await setImmediate()
  }
  const found = seen.never || seen.mark !== 'UTF-8' ? null : judge(seen)
  if (found) return found
  throw new ExpectedError(
    'unusable',
    `${name ?? 'The file'} is not UTF-8 text. Save it again as UTF-8: in Excel as "CSV UTF-8", in Notepad with the ` +
      'encoding "UTF-8", in TextEdit as plain text.'
  )
}

/** Western text in UTF-16 has a zero in every second byte, other text has none. */
function judge({ zeros: [even, odd], bytes, wrong, letters, unused }: { zeros: number[]; bytes: number; wrong: number; letters: number; unused: boolean }): Encoding | null {
  if (even + odd > 0) {
    if (bytes % 2 === 1 || even + odd < bytes / 5) return null
    return odd > 20 * even ? 'UTF-16 LE' : even > 20 * odd ? 'UTF-16 BE' : null
  }
  // What ends inside of a character has no wrong byte but the last one, which is not decoded here.
  if (wrong <= MOST_DAMAGE * letters) return 'damaged UTF-8'
  return unused ? null : 'Windows-1252'
}
