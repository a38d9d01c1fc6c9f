import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import ejs from 'ejs'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { ZodError } from 'zod'
import * as drawing from './drawing.js'
import { noRoom, VisibleError } from './errors.js'
import { typedIn } from './inputs.js'
import { requestLog } from './log.js'
import type { Parts } from './parts.js'
import { adminRoutes } from './routes/admin.js'
import { apiRoutes } from './routes/api.js'
import { cardRoutes } from './routes/card.js'
import { exportRoutes } from './routes/exports.js'
import { healthRoutes } from './routes/health.js'
import { homeRoutes } from './routes/home.js'
import { importRoutes } from './routes/imports.js'
import { playRoutes } from './routes/play.js'
import { predictionRoutes } from './routes/predictions.js'
import { progressRoutes } from './routes/progress.js'
import { userRoutes } from './routes/users.js'
import { onlyFromHere, securityHeaders } from './safety.js'
import * as viewHelpers from './view-helpers.js'

const SLOWEST_HEADERS = 10_000 // ms
const SLOWEST_REQUEST = 300_000 // ms: a file of 50 MB by a slow line

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const picoFolder = dirname(createRequire(import.meta.url).resolve('@picocss/pico/css/pico.min.css'))

/** The web app on its parts; whoever calls it listens. */
export function createApp(parts: Parts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag') // of pages that are made anew each time; files have their own
  app.set('trust proxy', parts.env.TRUST_PROXY) // the scheme, host and address that the last proxy saw
  app.set('view engine', 'ejs')
  app.set('views', folder('../views'))
  const avatar = ejs.compile(readFileSync(folder('../views/partials/avatar.ejs'), 'utf8')) // once: an include finds its file anew each time
  Object.assign(app.locals, viewHelpers, drawing, { avatar })

  app.use(requestLog(parts.log), parts.metrics.requests, securityHeaders(), onlyFromHere)
  app.use('/assets', express.static(folder('../public'), { maxAge: '1h' }))
  app.use('/assets/pico', express.static(picoFolder, { maxAge: '1d' }))
  app.use(express.urlencoded({ extended: false, limit: '64kb' }), express.json({ limit: '64kb' }))
  app.use(homeRoutes(parts), importRoutes(parts), progressRoutes(parts), userRoutes(parts), predictionRoutes(parts), cardRoutes(parts))
  app.use(exportRoutes(parts), playRoutes(parts), adminRoutes(parts), healthRoutes(parts), apiRoutes())
  app.use((request) => {
    throw new VisibleError(404, `There is no page ${request.path} here.`)
  })
  app.use(errorPage(parts))
  return app
}

/** A server that takes requests as long as the longest text needs in an address (4,000 characters of up to 12 bytes). */
export function createHttpServer(app: Express): Server {
  return createServer({ maxHeaderSize: 96 * 1024, headersTimeout: SLOWEST_HEADERS, requestTimeout: SLOWEST_REQUEST, connectionsCheckingInterval: 5_000 }, app)
}

/** The one error page: what went wrong, and the forms with what was typed. */
function errorPage({ env, store, log }: Parts): ErrorRequestHandler {
  return async (error, request, response, next) => {
    if (response.headersSent) return next(error)
    const { status, message, retry } = toVisible(error)
    if (status >= 500 && !(error instanceof VisibleError)) log.error({ err: error as unknown, path: request.path }, 'failed')
    if (retry?.at) response.set('Retry-After', String(Math.max(1, Math.ceil((retry.at.getTime() - Date.now()) / 1000))))
    response.status(status)
    if (request.accepts(['html', 'json']) === 'json') return void response.json({ error: message })
    const users = await store.listProfiles().catch(() => [])
    const typed = typedIn(request.query, request.body)
    response.render('error', { status, message, users, typed, canCollect: Boolean(env.X_BEARER_TOKEN) })
  }
}

function toVisible(error: unknown): VisibleError {
  if (error instanceof VisibleError) return error
  if (error instanceof ZodError) return new VisibleError(400, error.issues[0].message)
  if (isFull(error)) return noRoom()
  if (isAway(error)) return new VisibleError(503, 'The database does not answer at the moment. Please try again in a minute.', {})
  if (isThreadLost(error)) return new VisibleError(503, 'That computation broke off. Please try again.', {})
  const status = (error as { status?: unknown } | undefined)?.status
  if (typeof status === 'number' && status >= 400 && status < 500) return new VisibleError(status, BAD_REQUESTS[status] ?? BAD_REQUESTS[400])
  return new VisibleError(500, 'Something went wrong on our side. It has been noted; please try again.')
}

// How a database that is stopped, starting, or has no connection left shows: in Prisma's codes, Postgres's, and the system's.
const AWAY = /^(P1001|P1002|P1008|P1017|P2024|P2028|P2037|57P0[123]|53300|08\w{3}|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/
const AWAY_IN_WORDS = /Connection terminated|timeout exceeded when trying to connect|Can't reach database|Server has closed the connection/

const isAway = (error: unknown): boolean => isKnownAs(error, AWAY, AWAY_IN_WORDS)

// How a full disk shows, the database's or that of the uploads.
const isFull = (error: unknown): boolean => isKnownAs(error, /^(53100|ENOSPC)$/, /Code: `53100`|no space left on device/i)

/** Whether an error, or what caused it, has such a code or says such a thing. */
function isKnownAs(error: unknown, codes: RegExp, words: RegExp): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (codes.test(String((e as NodeJS.ErrnoException).code)) || words.test(e.message)) return true
  }
  return false
}

/** A worker thread that ended under its task. */
function isThreadLost(error: unknown): boolean {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: '', message: '' }
  return /^ERR_WORKER_/.test(code ?? '') || message === 'Terminating worker thread' || message.startsWith('worker exited')
}

// The body parser's and the router's own refusals, in the visitor's words.
const BAD_REQUESTS: Record<number, string> = {
  400: 'That request could not be understood.',
  413: 'That is too large to be sent here.',
  415: 'That is sent in a form that is not understood here.'
}
