import { createHash, timingSafeEqual } from 'node:crypto'
import { Router, type RequestHandler } from 'express'
import { VisibleError } from '../errors.js'
import { requestRefresh } from '../jobs.js'
import type { Parts } from '../parts.js'
import type { DaySpend } from '../spending.js'
import type { StoredUser } from '../store.js'
import { userJson } from '../view-helpers.js'

/** The operator's page: update every user from X, or remove all. */
export function adminRoutes(parts: Parts): Router {
  const router = Router()
  router.use('/admin', onlyAdmin(parts))

  router.get('/metrics', onlyAdmin(parts), async (_request, response) => {
    const { text, type } = await parts.metrics.read()
    response.type(type).send(text)
  })

  router.get('/admin', async (_request, response) => {
    const shown = await adminPage()
    response.format({
      html: () => response.render('admin', shown),
      json: () => response.json({ users: shown.users.map(userJson), spend: shown.spend, budget: shown.budget })
    })
  })

  router.post('/admin/update', async (_request, response) => {
    const asked = await requestRefresh(parts)
    const shown = await adminPage() // here and not in `html`: Express awaits the handler, not what format calls
    response.format({
      html: () => response.render('admin', { ...shown, asked }),
      json: () => response.status(202).json({ asked })
    })
  })

  router.post('/admin/reset', async (_request, response) => {
    await parts.collections.reset()
    const removed = await parts.store.reset()
    const shown = await adminPage()
    response.format({
      html: () => response.render('admin', { ...shown, removed }),
      json: () => response.json({ removed })
    })
  })

  async function adminPage(): Promise<{ users: StoredUser[]; spend: DaySpend[]; budget: number }> {
    const [users, spend] = await Promise.all([parts.store.listUsers(), parts.spending.listDays()])
    return { users, spend, budget: parts.env.X_DAILY_POST_BUDGET }
  }

  return router
}

/** HTTP Basic with any user name and the operator's password, compared in constant time; few wrong ones from an address. */
export function onlyAdmin({ env: { ADMIN_PASSWORD: password }, limits: { adminTries } }: Parts): RequestHandler {
  return async (request, response, next) => {
    if (!password) throw new VisibleError(403, 'This page is closed. Set ADMIN_PASSWORD to open it.')
    await adminTries.check(request)
    const [scheme, credentials = ''] = (request.get('authorization') ?? '').split(' ')
    const given = Buffer.from(credentials, 'base64').toString().replace(/^[^:]*:/, '')
    if (scheme.toLowerCase() === 'basic' && timingSafeEqual(digest(given), digest(password))) return next()
    if (credentials) await adminTries.count(request)
    response.set('WWW-Authenticate', 'Basic realm="HypoTweet admin", charset="UTF-8"')
    throw new VisibleError(401, 'This page asks for the admin password.')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
