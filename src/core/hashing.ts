// 32-bit hashes. FNV-1a (Fowler, Noll and Vo) takes in one number after the other; MurmurHash3's finaliser (Appleby 2011)
// then makes each bit depend on all others: without it, inputs that end alike lie close together.

/** What FNV-1a starts from. */
export const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a's hash with one more number taken in. */
export const fnv = (hash: number, next: number): number => Math.imul(hash ^ next, FNV_PRIME)

/** MurmurHash3's finaliser: 32 bits → 32 bits, as a signed number. */
export function scramble(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/**
 * The hash of a text's UTF-16 code units, 0 … 2³² − 1.
 * @param start another start gives another hash
 * @param multiplier an odd number; hashes by two of them are independent of each other
 */
export function hashText(text: string, start = FNV_START, multiplier = FNV_PRIME): number {
  let hash = start
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), multiplier)
  return scramble(hash) >>> 0
}
