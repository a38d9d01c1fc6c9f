import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { ExpectedError } from '../core/errors.js'
import { StorageFull } from '../storage/storage-errors.js'

export interface Upload {
  fields: Record<string, string>
  /** The uploaded file on the disk. */
  path: string
  /** Its name on the visitor's computer. */
  fileName: string
}

type Form = InstanceType<typeof Busboy>

const MAX_FILE = 50 * 2 ** 20 // bytes
const LIMITS = { files: 1, fileSize: MAX_FILE, fields: 10, fieldSize: 10_000, parts: 20 }

/**
 * Reads a form with one file. The file is streamed to the disk, and removed when `work` has ended.
 * @throws ExpectedError for no form (415), no file (400) or one over 50 MB (413), StorageFull where the disk for uploads is full
 */
export async function withUpload<T>(request: IncomingMessage, work: (upload: Upload) => Promise<T>): Promise<T> {
  const form = openForm(request)
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-upload-')).catch(refuse)
  try {
    return await work(await receive(request, form, join(folder, 'file')))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function openForm({ headers }: IncomingMessage): Form {
  try {
    if (headers['content-type']?.startsWith('multipart/form-data')) return new Busboy({ headers: headers as BusboyHeaders, limits: LIMITS })
  } catch {
    // a form that is not well-formed, such as one without a boundary, is refused like none
  }
  throw new ExpectedError('unsupported', 'Send the file with the form on this page.')
}

async function receive(request: IncomingMessage, form: Form, path: string): Promise<Upload> {
  const fields: Record<string, string> = {}
  let fileName: string | undefined
  let tooLarge = false
  let writing = Promise.resolve()
  form.on('field', (name, value) => void (fields[name] = value))
  form.on('file', (_name, stream, name) => {
    fileName = name
    stream.once('limit', () => (tooLarge = true))
    const file = createWriteStream(path)
    file.once('error', () => stream.unpipe(file).resume()) // the disk is full: the rest has to be read, or the answer cannot be sent
    stream.once('error', (error) => file.destroy(error))
    writing = finished(stream.pipe(file))
    writing.catch(() => {}) // awaited below
  })
  await pipeline(request, form).catch(() => {
    throw new ExpectedError('invalid', 'The file did not arrive whole. Please send it again.')
  })
  await writing.catch(refuse)
  if (tooLarge) throw new ExpectedError('too-large', 'That file is too large: 50 MB at the most.')
  if (!fileName) throw new ExpectedError('invalid', 'Choose a file first.')
  return { fields, path, fileName }
}

function refuse(error: unknown): never {
  throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? new StorageFull(error) : error
}
