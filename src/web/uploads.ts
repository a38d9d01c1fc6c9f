import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { ExpectedError } from '../core/errors.js'
import { isAlive } from '../core/process.js'
import { FileQuestion } from '../sources/archive/question.js'
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
const HELD_FOR = 15 * 60_000 // ms

/** A question about a file, which is kept for the answer. */
export class HeldQuestion extends ExpectedError {
  constructor({ message, about, choices }: FileQuestion, readonly upload: string, readonly fields: Record<string, string>) {
    super('unusable', message)
    this.question = { about, choices }
  }

  readonly question: Pick<FileQuestion, 'about' | 'choices'>
}

export interface Uploads {
  /**
   * Reads a form with one file. The file is streamed to the disk, and removed when `work` has ended; but where `work` asks a
   * question (FileQuestion), it is kept for a quarter of an hour, or until the room is needed.
   * @throws ExpectedError for no form (415), no file (400), one over 50 MB (413), and before anything is received for too many
   * of this client at the moment (429) or of all (Overloaded); StorageFull where the disk for uploads is full; HeldQuestion
   */
  receive<T>(request: IncomingMessage, client: string, work: (upload: Upload) => Promise<T>): Promise<T>
  /**
   * Works on a file that is kept, with the fields that came with it.
   * @throws ExpectedError (422) where it is not there any more; HeldQuestion where there is one more question
   */
  again<T>(token: string, work: (upload: Upload) => Promise<T>): Promise<T>
}

interface Held {
  upload: Upload
  folder: string
  bytes: number
  timer: NodeJS.Timeout
}

export function createUploads(): Uploads {
  const open = new Map<string, number>() // by client
  const held = new Map<string, Held>() // the oldest first
  let [count, bytes] = [0, 0]

  function giveBack(size: number): void {
    count--
    bytes -= size
  }

  /** Takes a kept file out of those that are kept. */
  function takeOut(token: string): Held | undefined {
    const file = held.get(token)
    held.delete(token)
    clearTimeout(file?.timer)
    return file
  }

  async function drop(token: string): Promise<void> {
    const file = takeOut(token)
    if (!file) return
    giveBack(file.bytes)
    await rm(file.folder, { recursive: true, force: true })
  }

  function hold(upload: Upload, folder: string, size: number): string {
    const token = randomBytes(16).toString('hex')
    const timer = setTimeout(() => void drop(token).catch(() => {}), HELD_FOR).unref()
    held.set(token, { upload, folder, bytes: size, timer })
    return token
  }

  /** Runs `work` on a file of which the room is counted. The folder is removed and its room given back, unless there is a question. */
  async function run<T>(folder: string, size: number, open: () => Promise<Upload>, work: (upload: Upload) => Promise<T>): Promise<T> {
    let upload: Upload | undefined
    let isHeld = false
    try {
      upload = await open()
      return await work(upload)
    } catch (error) {
      if (!(error instanceof FileQuestion) || !upload) throw error
      isHeld = true
      throw new HeldQuestion(error, hold(upload, folder, size), upload.fields)
    } finally {
      if (!isHeld) {
        giveBack(size)
        await rm(folder, { recursive: true, force: true })
      }
    }
  }

  return {
    async receive(request, client, work) {
      const form = openForm(request)
      const size = Math.min(Number(request.headers['content-length'] ?? MAX_FILE), MAX_FILE) // more is read, but not written
      const own = open.get(client) ?? 0
      if (own >= MOST.perAddress) throw tooManyOwn()
      while (held.size > 0 && (count >= MOST.uploads || bytes + size > MOST.bytes)) await drop([...held.keys()][0])
      if (count >= MOST.uploads || bytes + size > MOST.bytes) throw new Overloaded(COME_AGAIN)
      open.set(client, own + 1)
      count++
      bytes += size
      try {
        const folder = await makeFolder().catch((error) => {
          giveBack(size)
          throw error
        })
        return await run(folder, size, () => receive(request, form, join(folder, 'file')), work)
      } finally {
        open.set(client, open.get(client)! - 1)
        if (open.get(client) === 0) open.delete(client)
      }
    },
    async again(token, work) {
      const file = takeOut(token)
      if (!file) throw new ExpectedError('unusable', 'That file is not here any more: it is kept for a quarter of an hour. Please choose it again.')
      return run(file.folder, file.bytes, async () => file.upload, work)
    }
  }
}

function tooManyOwn(): ExpectedError {
  const words = `${MOST.perAddress} files from your address are being read at the moment. Please try again when they are done.`
  return new ExpectedError('too-many', words, { at: new Date(Date.now() + 1000 * COME_AGAIN) })
}

// An upload's folder names the process that it belongs to; processes in containers may have the same number, but not host.
const OURS = `hypotweet-upload-${hostname()}-`

const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), `${OURS}${process.pid}-`)).catch(refuse)

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
