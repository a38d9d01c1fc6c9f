// The embedded Postgres has one session for all connections, so they take turns: a connection has it from its first
// message until Postgres is ready for the next query and in no transaction. Messages of several connections one by one,
// as pglite-socket's own queue hands them on, would mix their unnamed statements up.

import type { PGlite } from '@electric-sql/pglite'

interface Message {
  connection: number
  bytes: Uint8Array
  onData: (data: Uint8Array) => void
  resolve: (answered: number) => void
  reject: (error: unknown) => void
}

const SYNC_AND_ROLLBACK = Buffer.from('S\0\0\0\x04Q\0\0\0\x0dROLLBACK\0')
const READY = Buffer.from('Z\0\0\0\x05I') // ReadyForQuery, idle

/** The queue of pglite-socket's connection handlers: its methods have the names and meanings that these call. */
export class SessionQueue {
  private waiting: Message[] = []
  private holder: number | undefined
  private running = false

  constructor(private readonly db: PGlite) {}

  /** Hands a message on when it is the connection's turn; resolves with the length of the answer in bytes. */
  enqueue(connection: number, bytes: Uint8Array, onData: (data: Uint8Array) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ connection, bytes, onData, resolve, reject })
      void this.run()
    })
  }

  /** Drops what a connection that has ended had still to say. */
  clearQueueForHandler(connection: number): void {
    const dropped = this.waiting.filter((message) => message.connection === connection)
    this.waiting = this.waiting.filter((message) => message.connection !== connection)
    for (const { reject } of dropped) reject(new Error('The connection has ended.'))
  }

  /** Takes back what a connection that has ended had begun; one may end as late as the database is closed. */
  async clearTransactionIfNeeded(connection: number): Promise<void> {
    await this.db.runExclusive(async () => {
      if (this.holder !== connection || this.db.closed) return
      // As a stream, to nobody: the answer to execProtocolRaw goes to whoever was answered last, who has gone.
      await this.db.execProtocolRawStream(SYNC_AND_ROLLBACK, { onRawData: () => {} })
      this.holder = undefined
    })
    void this.run()
  }

  private async run(): Promise<void> {
    if (this.running) return
    this.running = true
    for (let message = this.next(); message; message = this.next()) await this.pass(message)
    this.running = false
  }

  private next(): Message | undefined {
    const i = this.holder === undefined ? 0 : this.waiting.findIndex(({ connection }) => connection === this.holder)
    return i < 0 ? undefined : this.waiting.splice(i, 1)[0]
  }

  private async pass({ connection, bytes, onData, resolve, reject }: Message): Promise<void> {
    this.holder = connection
    let answered = 0
    let end: Uint8Array = new Uint8Array(0)
    const onRawData = (data: Uint8Array): void => {
      answered += data.length
      end = Buffer.concat([end, data]).subarray(-READY.length)
      onData(data)
    }
    try {
      await this.db.runExclusive(() => this.db.execProtocolRawStream(bytes, { onRawData }))
      if (READY.equals(end)) this.holder = undefined
      resolve(answered)
    } catch (error) {
      reject(error) // the handler ends the connection, and its turn with it
    }
  }
}
