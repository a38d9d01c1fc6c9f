// One request to the X API, bounded in time and in bytes, and how much of it can have been charged.

import { Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { Agent } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { TwitterApi, type ITwitterApiClientPlugin } from 'twitter-api-v2'
import { explainFailure, requestRefused, timedOut, tokenMissing, tooLong } from './x-errors.js'

export interface XApiOptions {
  token?: string
  /** The API's base; X's own by default. */
  url?: string
  /** The limit for a whole request, the body included; 10,000 by default. */
  timeoutMs?: number
}

export type Query = Record<string, string | number | undefined>
export type Send = (path: string, query: Query, username: string) => Promise<unknown>

const MAX_ANSWER = 8 * 2 ** 20 // bytes: a hundred posts of 25,000 characters each are less

/** What is seen of a request that is under way. */
interface Seen {
  /** Whether a connection was made: before that nothing can have been asked, and nothing is charged. */
  connected: boolean
  status?: number
}

/**
 * Sends requests that resolve with the text of the answer. The text is parsed by us and not by the client: an error body
 * that the client cannot describe (`{"errors": [null]}`) makes it throw where nobody can catch. For the same reason
 * answers are requested uncompressed: a broken compressed one is an unhandled 'error' event.
 */
export function createSend({ token, url = 'https://api.x.com/2/', timeoutMs = 10_000 }: XApiOptions): Send {
  const prefix = url.endsWith('/') ? url : `${url}/`
  // A connection for each request: of one that is kept alive nobody knows whether a lost request has arrived.
  const httpAgent = prefix.startsWith('http:') ? new HttpAgent() : new Agent()
  return async (path, query, username) => {
    if (!token?.trim()) throw tokenMissing()
    const [timeout, overflow] = [AbortSignal.timeout(timeoutMs), new AbortController()]
    const seen: Seen = { connected: false }
    const isAborted = () => timeout.aborted || overflow.signal.aborted
    const stopped = () => (overflow.signal.aborted ? tooLong() : timedOut(timeoutMs, seen.connected))
    const watch = watchRequest(AbortSignal.any([timeout, overflow.signal]), seen, () => overflow.abort())
    const client = new TwitterApi(token.trim(), { httpAgent, compression: false, plugins: [watch] })
    const text: unknown = await client.v2.get(path, query, { prefix, forceParseMode: 'text' }).catch((error) => {
      throw isAborted() ? stopped() : explainFailure(error, username, seen.connected)
    })
    // An answer that is cut off resolves with the part that has arrived.
    if (isAborted()) throw stopped()
    if (seen.status! >= 300) throw requestRefused(seen.status!) // elsewhere: our token is for X alone
    return text
  }
}

/**
 * Ends a request at the signal, notes what becomes of it, and calls `overflow` where the answer gets too long. The client's
 * own timeout starts again with every byte that arrives, and only a plugin can give it a signal and see its connection.
 */
function watchRequest(signal: AbortSignal, seen: Seen, overflow: () => void): ITwitterApiClientPlugin {
  const requestEventDebugHandler = (event: string, { socket, res }: { socket?: Socket; res?: IncomingMessage } = {}): void => {
    if (event === 'socket' && socket) {
      socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => (seen.connected = true))
    }
    if (event !== 'response' || !res) return
    seen.status = res.statusCode
    let bytes = 0
    res.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_ANSWER) overflow()
    })
  }
  return {
    onBeforeRequest({ params, requestOptions }) {
      Object.assign(params, { requestEventDebugHandler })
      Object.assign(requestOptions, { signal })
    }
  }
}
