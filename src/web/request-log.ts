// A log line and a duration for each answer. Nothing that visitors write is logged: of a URL only the path.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'
import { pinoHttp } from 'pino-http'
import type { Log } from '../core/log.js'
import type { Metrics } from '../services/metrics.js'

const REQUEST_ID = /^[\w-]{1,64}$/ // as a proxy sends it, such as Heroku's router

/** Logs a line for each answer: its request id (also in the header X-Request-Id) and the milliseconds it took. */
export function requestLog(log: Log): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId(request, response) {
      const given = request.headers['x-request-id']
      const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
      response.setHeader('X-Request-Id', id)
      return id
    },
    customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? 'error' : 'info'),
    customSuccessMessage: () => 'answered',
    customErrorMessage: () => 'failed',
    customAttributeKeys: { responseTime: 'ms' },
    autoLogging: { ignore: ({ url }) => Boolean(url?.startsWith('/assets/')) },
    serializers: {
      req: ({ raw }: { raw: IncomingMessage & { originalUrl?: string; id: string } }) =>
        ({ id: raw.id, method: raw.method, path: (raw.originalUrl ?? raw.url ?? '').split('?')[0] }),
      res: ({ raw }: { raw: ServerResponse }) => ({ status: raw.statusCode })
    }
  })
}

/** Times each answer, by the route that gave it. */
export function requestTimes({ requests }: Metrics): RequestHandler {
  return (request, response, next) => {
    const stop = requests.startTimer()
    response.once('close', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'none'
      stop({ method: request.method, route, status: String(response.statusCode) })
    })
    next()
  }
}
