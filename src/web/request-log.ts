// A log line for each answer. What visitors write stays out of it: of an address only the path is logged.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'
import { pinoHttp } from 'pino-http'
import type { Log } from '../core/log.js'

const REQUEST_ID = /^[\w-]{1,64}$/ // as a router before the app sends it, such as Heroku's

/** A line for each answer, with an id that the answer has too and the milliseconds that it took. */
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
