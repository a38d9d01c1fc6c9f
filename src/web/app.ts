import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import ejs from 'ejs'
import express, { type Express } from 'express'
import * as predictionCharts from '../pictures/prediction-charts.js'
import * as userCharts from '../pictures/user-charts.js'
import { importInWords, importNotes, LEFT_OUT } from '../sources/archive/report.js'
import * as format from '../text/format.js'
import { ExpectedError } from '../core/errors.js'
import { PATHS } from '../core/paths.js'
import { errorPage } from './error-page.js'
import { requestLog, requestTimes } from './request-log.js'
import type { Services } from '../services/services.js'
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
import { onlyFromHere, securityHeaders } from './security.js'
import { cutStuckReaders } from './stuck-readers.js'
import * as viewHelpers from './view-helpers.js'

const SLOWEST_HEADERS = 10_000 // ms
const SLOWEST_REQUEST = 300_000 // ms: 50 MB over a slow connection

const picoFolder = dirname(createRequire(import.meta.url).resolve('@picocss/pico/css/pico.min.css'))

/** The web app; the caller makes it listen. */
export function createApp(services: Services): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag') // pages are made anew for each request; static files have their own etags
  app.set('trust proxy', services.config.TRUST_PROXY) // how many proxies may say the scheme, host and IP address
  app.set('view engine', 'ejs')
  app.set('views', PATHS.views)
  // Compiled once: an include looks for its file each time.
  const avatar = ejs.compile(readFileSync(join(PATHS.views, 'partials', 'avatar.ejs'), 'utf8'))
  Object.assign(app.locals, format, viewHelpers, predictionCharts, userCharts, { avatar, importInWords, importNotes, LEFT_OUT })

  app.use(requestLog(services.log), requestTimes(services.metrics), securityHeaders(), onlyFromHere)
  // A folder has no page, and no redirect to one, which would repeat the query.
  app.use('/assets', express.static(PATHS.public, { maxAge: '1h', redirect: false }))
  app.use('/assets/pico', express.static(picoFolder, { maxAge: '1d', redirect: false }))
  app.use(express.urlencoded({ extended: false, limit: '64kb' }), express.json({ limit: '64kb' }))
  app.use(homeRoutes(services), importRoutes(services), progressRoutes(services), userRoutes(services), exportRoutes(services))
  app.use(predictionRoutes(services), cardRoutes(services), playRoutes(services))
  app.use(adminRoutes(services), healthRoutes(services), apiRoutes())
  app.use((request) => {
    throw new ExpectedError('not-found', `There is no page ${request.path} here.`)
  })
  app.use(errorPage(services))
  return app
}

/**
 * An HTTP server whose URLs may be long enough for the longest text: 4,000 characters of up to 12 bytes.
 * @param stuckFor ms after which a reader who takes nothing is cut off
 */
export function createHttpServer(app: Express, stuckFor?: number): Server {
  const timeouts = { headersTimeout: SLOWEST_HEADERS, requestTimeout: SLOWEST_REQUEST, connectionsCheckingInterval: 5_000 }
  const server = createServer({ maxHeaderSize: 96 * 1024, ...timeouts }, app)
  cutStuckReaders(server, stuckFor)
  return server
}
