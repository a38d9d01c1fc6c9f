// A programming language's notation of a text, in place of the text: b'caf\xc3\xa9', as Python writes bytes into a CSV file.

const BYTES = /^b(?:'([^]*)'|"([^]*)")$/
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"', '\n': '' }

/** The text that is meant by Python's notation of bytes; any other text as it is, and one whose bytes are no UTF-8. */
export function decodeNotation(raw: string): string {
  const [, single, double] = BYTES.exec(raw) ?? []
  const inside = single ?? double
  if (inside === undefined) return raw
  const bytes = inside.replace(/\\(?:x([0-9a-f]{2})|([^x]))/gi, (whole, code: string | undefined, letter: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (ESCAPES[letter] ?? whole))
  const isBytes = !/[^\0-\xff]/.test(bytes)
  try {
    return isBytes ? new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1')) : bytes
  } catch {
    return raw
  }
}
