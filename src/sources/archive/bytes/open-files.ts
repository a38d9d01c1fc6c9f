// The files of posts in what was uploaded: a file, a zip, or a folder of files that were taken out of a large zip.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ExpectedError } from '../../../core/errors.js'
import { brokenZip, isZip, openTweetFiles, type TweetFile } from './zip.js'

const CHUNK = 2 ** 14 // bytes: parsing them takes some milliseconds, for which nothing else runs
const MAX_UNPACKED = 300 * 2 ** 20 // bytes, as for a file in a zip
const OLD_OFFICE = Buffer.from('d0cf11e0a1b11ae1', 'hex')

/**
 * The files to read posts from, in the order in which they are read.
 * @param fileName the name of what was uploaded, on the visitor's side
 * @throws ExpectedError (422) for a zip that is damaged, locked, without posts or too large, and for an Excel workbook
 */
export async function* openFiles(path: string, fileName: string): AsyncGenerator<TweetFile> {
  const start = await readStart(path)
  if (isZip(start)) {
    for await (const file of openTweetFiles(path)) yield { ...file, bytes: unpacked(file.bytes) }
    return
  }
  if (/\.zip$/i.test(fileName)) throw brokenZip()
  if (start.equals(OLD_OFFICE)) throw new ExpectedError('unusable', 'This is a workbook or document of an old Office. In Excel, save its sheet as "CSV UTF-8" and upload that file.')
  yield { name: null, role: 'posts', bytes: unpacked(createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) }
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The bytes of a file, unpacked where it is compressed with gzip. */
async function* unpacked(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = bytes[Symbol.asyncIterator]()
  async function* rest(first: Buffer): AsyncGenerator<Buffer> {
    try {
      yield first
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    } finally {
      await chunks.return?.()
    }
  }
  const { value: first = Buffer.alloc(0), done } = await chunks.next()
  if (done) return
  yield* first[0] === 0x1f && first[1] === 0x8b ? gunzip(rest(first)) : rest(first)
}

async function* gunzip(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(bytes)
  const unzip = createGunzip({ chunkSize: CHUNK })
  source.once('error', (error) => unzip.destroy(error))
  let size = 0
  try {
    for await (const chunk of source.pipe(unzip)) {
      size += (chunk as Buffer).length
      if (size > MAX_UNPACKED) throw new ExpectedError('unusable', 'This file is larger than 300 MB when unpacked: too large.')
      yield chunk as Buffer
    }
  } catch (error) {
    if (error instanceof ExpectedError) throw error
    throw new ExpectedError('unusable', 'This compressed file is damaged, or a part of it is missing. Unpack it yourself, or download it again.')
  } finally {
    source.destroy()
  }
}
