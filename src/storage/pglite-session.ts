// The embedded Postgres has one session for all connections, so they take turns. A connection keeps the session from its
// first message until Postgres reports that it is idle: ready for a query, and in no transaction. pglite-socket's own queue
// passes messages one by one; messages of several connections in between would mix up their unnamed statements.

import type { PGlite } from '@electric-sql/pglite'

interface Message {
  connection: number
  bytes: Uint8Array
  onData: (data: Uint8Array) => void
  resolve: (answerLength: number) => void
  reject: (error: unknown) => void
}

const SYNC_AND_ROLLBACK = Buffer.from('S\0\0\0\x04Q\0\0\0\x0dROLLBACK\0')
const READY = Buffer.from('Z\0\0\0\x05I') // ReadyForQuery, idle

/** Replaces the queue of pglite-socket's connection handlers, which call these methods. */
export class SessionQueue {
  private waiting: Message[] = []
  private holder: number | undefined // the connection that has the session
  private isProcessing = false

  constructor(private readonly db: PGlite) {}

  /** Passes a message to Postgres when it is the connection's turn. Resolves with the length of the answer in bytes. */
  enqueue(connection: number, bytes: Uint8Array, onData: (data: Uint8Array) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ connection, bytes, onData, resolve, reject })
      void this.processQueue()
    })
  }

  /** Drops the waiting messages of a connection that has ended. */
  clearQueueForHandler(connection: number): void {
    const dropped = this.waiting.filter((message) => message.connection === connection)
    this.waiting = this.waiting.filter((message) => message.connection !== connection)
    for (const { reject } of dropped) reject(new Error('The connection has ended.'))
  }

  /** Rolls back the transaction of a connection that has ended, which may be as late as the database is closed. */
  async clearTransactionIfNeeded(connection: number): Promise<void> {
    await this.db.runExclusive(async () => {
      if (this.holder !== connection || this.db.closed) return
      // As a stream whose data nobody reads: execProtocolRaw would send the answer to the last receiver, which is gone.
      await this.db.execProtocolRawStream(SYNC_AND_ROLLBACK, { onRawData: () => {} })
      this.holder = undefined
    })
    void this.processQueue()
  }

  private async processQueue(): Promise<void> {
    if (this.isProcessing) return
    this.isProcessing = true
    for (let message = this.takeNext(); message; message = this.takeNext()) await this.execute(message)
    this.isProcessing = false
  }

  /** The next message of the connection that has the session, or of any where none has it. */
  private takeNext(): Message | undefined {
    const i = this.holder === undefined ? 0 : this.waiting.findIndex(({ connection }) => connection === this.holder)
    return i < 0 ? undefined : this.waiting.splice(i, 1)[0]
  }

  private async execute({ connection, bytes, onData, resolve, reject }: Message): Promise<void> {
    this.holder = connection
    let length = 0
    let end: Uint8Array = new Uint8Array(0) // the last bytes of the answer
    const onRawData = (data: Uint8Array): void => {
      length += data.length
      end = Buffer.concat([end, data]).subarray(-READY.length)
      onData(data)
    }
    try {
      await this.db.runExclusive(() => this.db.execProtocolRawStream(bytes, { onRawData }))
      if (READY.equals(end)) this.holder = undefined
      resolve(length)
    } catch (error) {
      reject(error) // the handler then ends the connection, and with it the connection's turn
    }
  }
}
