import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { ExpectedError } from '../core/errors.js'
import { isAlive } from '../core/process.js'
import { Overloaded } from '../threads/fair-queue.js'
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

// All files on the disk at a time, and how many of them from one address.
const MOST = { bytes: 512 * 2 ** 20, uploads: 64, perAddress: 3 }
const COME_AGAIN = 30 // s

export interface Uploads {
  /**
   * Reads a form with one file. The file is streamed to the disk, and removed when `work` has ended.
   * @throws ExpectedError for no form (415), no file (400), one over 50 MB (413), and before anything is received for too many
   * of this client at the moment (429) or of all (Overloaded); StorageFull where the disk for uploads is full
   */
  receive<T>(request: IncomingMessage, client: string, work: (upload: Upload) => Promise<T>): Promise<T>
}

export function createUploads(): Uploads {
  const open = new Map<string, number>() // by client
  let [count, bytes] = [0, 0]

  return {
    async receive(request, client, work) {
      const form = openForm(request)
      const size = Math.min(Number(request.headers['content-length'] ?? MAX_FILE), MAX_FILE) // more is read, but not written
      const own = open.get(client) ?? 0
      if (own >= MOST.perAddress) throw tooManyOwn()
      if (count >= MOST.uploads || bytes + size > MOST.bytes) throw new Overloaded(COME_AGAIN)
      open.set(client, own + 1)
      count++
      bytes += size
      try {
        return await inFolder(async (folder) => work(await receive(request, form, join(folder, 'file'))))
      } finally {
        open.set(client, open.get(client)! - 1)
        if (open.get(client) === 0) open.delete(client)
        count--
        bytes -= size
      }
    }
  }
}

function tooManyOwn(): ExpectedError {
  const words = `${MOST.perAddress} files from your address are being read at the moment. Please try again when they are done.`
  return new ExpectedError('too-many', words, { at: new Date(Date.now() + 1000 * COME_AGAIN) })
}

// An upload's folder names the process that it belongs to; processes in containers may have the same number, but not host.
const OURS = `hypotweet-upload-${hostname()}-`

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `${OURS}${process.pid}-`)).catch(refuse)
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Removes the uploads that a process has left behind which was killed, or had this one's number. For the start only. */
export async function removeLeftUploads(): Promise<void> {
  const names = (await readdir(tmpdir()).catch(() => [])).filter((name) => name.startsWith(OURS))
  const left = names.filter((name) => {
    const pid = Number(/^\d+/.exec(name.slice(OURS.length)))
    return pid > 0 && (pid === process.pid || !isAlive(pid))
  })
  await Promise.allSettled(left.map((name) => rm(join(tmpdir(), name), { recursive: true, force: true })))
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
