import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { afterAll, expect } from 'vitest'
import { ExpectedError } from '../../src/core/errors.js'
import { readArchive, type ArchiveOptions, type ImportedPerson } from '../../src/sources/archive/read-archive.js'
import { noneDropped } from '../../src/sources/archive/report.js'

type Options = Partial<ArchiveOptions>

export interface UploadReader {
  /** The folder in which the upload lies. */
  folder: string
  /** Reads a file with this content and name, as an upload is read. */
  read(content: string | Buffer, fileName: string, options?: Options): Promise<ImportedPerson>
  readAll(content: string | Buffer, fileName: string, options?: Options): Promise<ImportedPerson[]>
  texts(content: string | Buffer, fileName: string, options?: Options): Promise<string[]>
  /** The message for a file that cannot be read: a 422 for visitors that names no path on the machine and no library. */
  refusal(content: string | Buffer, fileName: string): Promise<string>
}

/** Reads uploads from a folder that is removed after the file's tests. */
export function openUploadReader(): UploadReader {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  const upload = join(folder, 'upload')
  afterAll(() => rmSync(folder, { recursive: true }))

  async function readAll(content: string | Buffer, fileName: string, options: Options = {}): Promise<ImportedPerson[]> {
    writeFileSync(upload, content)
    return readArchive(upload, fileName, { replies: false, ...options })
  }
  const read = async (...file: Parameters<typeof readAll>): Promise<ImportedPerson> => (await readAll(...file))[0]
  return {
    folder,
    read,
    readAll,
    texts: async (content, fileName, options) => (await read(content, fileName, options)).tweets.map(({ text }) => text),
    async refusal(content, fileName) {
      const error = await read(content, fileName).then((value) => expect.fail(`read: ${JSON.stringify(value.report)}`), (reason) => reason)
      expect(error).toBeInstanceOf(ExpectedError)
      expect(error.reason).toBe('unusable')
      expect(error.message).not.toMatch(/yauzl|CSV_|Error|position|unexpected|undefined|\/tmp/)
      return error.message
    }
  }
}

export interface ZipEntry {
  name: string
  data: string | Buffer
  flags?: number
  method?: number
  /** The size that the zip states for the unpacked data, where it is not the true one. */
  declared?: number
}

/** The bytes of a zip, with whatever false statements an entry has. */
export function zip(entries: ZipEntry[], entryCount = entries.length): Buffer {
  const [files, directory]: Buffer[][] = [[], []]
  let offset = 0
  for (const { name, data, flags = 0, method = 8, declared } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(flags, 2)
    fields.writeUInt16LE(method, 4)
    fields.writeUInt32LE(crc32(data), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(declared ?? Buffer.byteLength(data), 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    files.push(Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, Buffer.from(name))
    offset += 30 + Buffer.byteLength(name) + packed.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entryCount, 8)
  end.writeUInt16LE(entryCount, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...files, ...directory, end])
}

const X_DATE = 'Wed Oct 10 20:19:24 +0000 2018'

/** A tweet as X's archive has it. */
export const post = (full_text: string, more = {}): object => ({ full_text, id_str: '1', created_at: X_DATE, ...more })

/** A part of X's archive as older ones have it: the tweets themselves in a list. */
export const archivePart = (tweets: object[], part = 0): string => `window.YTD.tweets.part${part} = ${JSON.stringify(tweets, null, 2)}`

/** The tweets.js of X's archive, each tweet inside an object of its own. */
export const tweetsJs = (...tweets: object[]): string => archivePart(tweets.map((tweet) => ({ tweet })))

export const NONE_DROPPED = noneDropped()
