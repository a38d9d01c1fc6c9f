import { inflateSync } from 'node:zlib'
import { expect } from 'vitest'

/** The width, height and pixels' bytes (with a filter byte before each row) of a PNG. */
export function readPng(png: Buffer): { width: number; height: number; bytes: Buffer } {
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), bytes: inflateSync(Buffer.concat(parts)) }
}

/** Expects a PNG of a card's size with something drawn on it. */
export function expectPicture(png: Buffer): void {
  expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const { width, height, bytes } = readPng(png)
  expect([width, height]).toEqual([1200, 630])
  expect(new Set(bytes).size).toBeGreaterThan(50)
}
