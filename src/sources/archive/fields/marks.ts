// What marks a post as a repost or as a reply: fields that say so, or how its text begins.

/** Cells and values that say "no" or nothing, as programs write them. */
const NOTHING = /^(|0|0\.0|-|f|false|n|no|na|n\/a|nan|nat|null|nil|none|undefined|\[\]|\{\}|""|'')$/i
const YES = /^(1|1\.0|t|true|y|yes)$/i
const REPOST_WORD = /^(retweet(ed)?|rt|repost(ed)?|reblog(ged)?|boost(ed)?|share|announce|app\.bsky\.feed\.repost)$/i
const REPLY_WORD = /^(repl(y|ied)(_?to)?|comment|answer)$/i

// RT @name: …, RT: @name …, MT @name, ♺ @name, also in quotation marks; and "@name: …", as people quoted before there was a button.
const OLD_REPOST = /^["“”'«‹]?\s*(?:(?:rt|mt)\b\s*:?\s*@\w|[♺♻]️?\s*@\w|["“”«]\s*@\w+\s*:)/iu
const FIRST_NAME = /^@\w/

/** Whether a field holds something: an id, a name, a text, an object. */
export function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object') return Object.keys(value).length > 0
  return !NOTHING.test(String(value).trim())
}

/** Whether a field says yes. A count is no mark: 14 reposts do not make a post another's. */
export const isYes = (value: unknown): boolean => value === true || YES.test(text(value))

export const isRepostWord = (value: unknown): boolean => REPOST_WORD.test(text(value)) || /reasonrepost$/i.test(text((value as { $type?: unknown } | null)?.$type))
export const isReplyWord = (value: unknown): boolean => REPLY_WORD.test(text(value))

/** Whether a text begins as reposts did before there was a button for them. */
export const beginsAsRepost = (text: string): boolean => OLD_REPOST.test(text)

/** Whether a text begins with a name: X shows such a post as a reply. */
export const beginsWithName = (text: string): boolean => FIRST_NAME.test(text)

/** The id of the post that a list of references names as this kind, as JSON or in another notation of one; '' where it has none. */
export function referenceOf(value: unknown, kind: 'retweeted' | 'replied_to'): string | null {
  if (!isFilled(value)) return null
  const list = typeof value === 'string' ? value : JSON.stringify(value)
  const at = list.search(new RegExp(`\\b${kind}\\b`))
  if (at < 0) return null
  const around = list.slice(list.lastIndexOf('{', at) + 1, list.indexOf('}', at) < 0 ? undefined : list.indexOf('}', at))
  return /\bid["']?\s*[:=]\s*["']?(\d+)/.exec(around)?.[1] ?? ''
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '')
