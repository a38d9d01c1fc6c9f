// 32-bit hashes. FNV-1a (Fowler, Noll and Vo) takes in one number after the other; MurmurHash3's finaliser (Appleby 2011)
// then makes each bit depend on all others: without it, inputs that end alike lie close together.

/** What FNV-1a starts from. */
export const FNV_START = 0x811c9dc5

/** FNV-1a's hash with one more number taken in. */
export const fnv = (hash: number, next: number): number => Math.imul(hash ^ next, 0x01000193)

/** MurmurHash3's finaliser: 32 bits → 32 bits, as a signed number. */
export function scramble(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** The hash of a text's UTF-16 code units, 0 … 2³² − 1. */
export function hashText(text: string): number {
  let hash = FNV_START
  for (let i = 0; i < text.length; i++) hash = fnv(hash, text.charCodeAt(i))
  return scramble(hash) >>> 0
}
