// Readers that stand still: who asks for something and never reads it would hold its memory for ever.

import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const LONGEST = 30_000 // ms in which nothing of what waits to be sent is taken

interface Watched {
  sent: number
  since: number
}

/**
 * Cuts the connections of a server whose other end has taken nothing for `longest` ms of what waits to be sent. One that
 * waits for its answer stays, however long that takes: there nothing waits to be sent.
 */
export function cutStuckReaders(server: Server, longest = LONGEST): void {
  const open = new Map<Socket, Watched>()
  server.on('connection', (socket) => {
    open.set(socket, { sent: 0, since: performance.now() })
    socket.once('close', () => open.delete(socket))
  })
  const watch = setInterval(() => {
    for (const [socket, watched] of open) if (isStuck(socket, watched, longest)) socket.destroy()
  }, longest / 6).unref()
  server.once('close', () => clearInterval(watch))
}

function isStuck(socket: Socket, watched: Watched, longest: number): boolean {
  const sent = socket.bytesWritten - socket.writableLength
  if (socket.writableLength > 0 && sent === watched.sent) return performance.now() - watched.since > longest
  watched.sent = sent
  watched.since = performance.now()
  return false
}
