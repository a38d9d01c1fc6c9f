import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net'

export interface Door {
  /** The database's address through the proxy. */
  url: string
  /** Cuts all connections and refuses new ones. */
  shut(): Promise<void>
  open(): Promise<void>
  /** Cuts all connections and takes new ones. */
  cut(): void
  /** Passes nothing on any more: not on these connections, and not on new ones. No end learns of it. */
  silence(): void
  /** New connections pass again; those that fell silent stay so, as after a network's failure. */
  heal(): void
}

/** A TCP proxy in front of a database: shutting it takes the database away. */
export async function openDoor(url: string): Promise<Door> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let server: Server
  let isSilent = false
  const pipes = new Set<[Socket, Socket]>()
  const listen = async (at: number): Promise<number> => {
    server = createServer((socket) => {
      const inside = connectSocket(Number(port), hostname)
      for (const end of [socket, inside]) {
        sockets.add(end)
        end.on('error', () => {})
        end.on('close', () => (sockets.delete(end), socket.destroy(), inside.destroy()))
      }
      if (isSilent) return void socket.resume()
      socket.pipe(inside).pipe(socket)
      pipes.add([socket, inside])
    })
    await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  }
  const at = await listen(0)
  const outside = new URL(url)
  outside.host = `127.0.0.1:${at}`
  return {
    url: outside.href,
    async shut() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    open: async () => void (await listen(at)),
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    silence() {
      isSilent = true
      for (const ends of pipes) for (const end of ends) end.unpipe().removeAllListeners('close').resume()
      pipes.clear()
    },
    heal() {
      isSilent = false
    }
  }
}
