import { createHash, timingSafeEqual } from 'node:crypto'
import { Router, type RequestHandler } from 'express'
import { ExpectedError } from '../../core/errors.js'
import { requestRefresh } from '../../collecting/collect-worker.js'
import type { Services } from '../../services/services.js'
import type { DaySpend } from '../../storage/x-budget.js'
import { originOf } from '../rate-limits.js'
import { userJson } from '../responses.js'
import type { StoredUser, Unasked } from '../../storage/users.js'

const UNASKED_DAYS = 90

interface AdminPage {
  users: StoredUser[]
  spend: DaySpend[]
  limit: number
  storedMB: number
  /** 0 is no limit. */
  storageLimitMB: number
  unasked: Unasked & { days: number }
}

/** The operator's page (update every user from X, remove those nobody asks about, or everybody), and the metrics. */
export function adminRoutes(services: Services): Router {
  const router = Router()
  router.use('/admin', onlyAdmin(services))

  router.get('/metrics', onlyAdmin(services), async (_request, response) => {
    const { text, type } = await services.metrics.read()
    response.type(type).send(text)
  })

  router.get('/admin', async (_request, response) => {
    const shown = await adminPage()
    response.format({
      html: () => response.render('admin', shown),
      json: () => response.json({ ...shown, users: shown.users.map(userJson) })
    })
  })

  router.post('/admin/update', async (_request, response) => {
    const asked = await requestRefresh(services)
    const shown = await adminPage() // not inside `html`: Express catches what the handler rejects with, not what format's callbacks do
    response.format({
      html: () => response.render('admin', { ...shown, asked }),
      json: () => response.status(202).json({ asked })
    })
  })

  router.post('/admin/reset', async (_request, response) => {
    await services.collectJobs.reset()
    const removed = await services.userStore.reset()
    const shown = await adminPage()
    response.format({
      html: () => response.render('admin', { ...shown, removed }),
      json: () => response.json({ removed })
    })
  })

  router.post('/admin/remove-unasked', async (_request, response) => {
    const removed = await services.userStore.removeUnasked(UNASKED_DAYS)
    const shown = await adminPage()
    response.format({
      html: () => response.render('admin', { ...shown, removed }),
      json: () => response.json({ removed })
    })
  })

  async function adminPage(): Promise<AdminPage> {
    const { userStore, tweetStore, xBudget, config } = services
    const [users, spend, room, unasked] = await Promise.all([userStore.listUsers(), xBudget.listDays(), tweetStore.readRoom(), userStore.countUnasked(UNASKED_DAYS)])
    return { users, spend, limit: xBudget.limit, storedMB: room.bytes / 2 ** 20, storageLimitMB: config.STORAGE_LIMIT_MB, unasked: { ...unasked, days: UNASKED_DAYS } }
  }

  return router
}

/** HTTP Basic authentication with any user name and the operator's password, compared in constant time. Few wrong tries. */
export function onlyAdmin({ config: { ADMIN_PASSWORD: password }, rateLimits: { adminTries } }: Services): RequestHandler {
  return async (request, response, next) => {
    if (!password) throw new ExpectedError('forbidden', 'This page is closed. Set ADMIN_PASSWORD to open it.')
    const [scheme, credentials = ''] = (request.get('authorization') ?? '').split(' ')
    if (credentials) await adminTries.count(originOf(request))
    const given = Buffer.from(credentials, 'base64').toString().replace(/^[^:]*:/, '')
    if (scheme.toLowerCase() === 'basic' && timingSafeEqual(digest(given), digest(password))) {
      await adminTries.forgive(originOf(request))
      return next()
    }
    response.set('WWW-Authenticate', 'Basic realm="HypoTweet admin", charset="UTF-8"')
    throw new ExpectedError('unauthenticated', 'This page asks for the admin password.')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
