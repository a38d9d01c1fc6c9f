import { createHash, timingSafeEqual } from 'node:crypto'
import { Router, type RequestHandler } from 'express'
import { collectTweets } from '../collect-tweets.js'
import { VisibleError } from '../errors.js'
import type { Parts } from '../parts.js'
import { userJson } from '../view-helpers.js'

/** The operator's page: update every user from X, or remove all. */
export function adminRoutes(parts: Parts): Router {
  const router = Router()
  router.use('/admin', onlyAdmin(parts.env.ADMIN_PASSWORD))

  router.get('/admin', async (_request, response) => {
    const users = await parts.store.listUsers()
    response.format({
      html: () => response.render('admin', { users, report: undefined }),
      json: () => response.json({ users: users.map(userJson) })
    })
  })

  router.post('/admin/update', async (_request, response) => {
    const report = await updateAll(parts)
    const users = await parts.store.listUsers() // here and not in `html`: Express awaits the handler, not what format calls
    response.format({
      html: () => response.render('admin', { users, report }),
      json: () => response.json({ users: report })
    })
  })

  router.post('/admin/reset', async (_request, response) => {
    const removed = await parts.store.reset()
    response.format({
      html: () => response.render('admin', { users: [], report: undefined, removed }),
      json: () => response.json({ removed })
    })
  })

  return router
}

/** Collects what is newer for each user of X; one that fails does not hold up the others. */
async function updateAll(parts: Parts): Promise<{ username: string; added?: number; error?: string }[]> {
  const users = (await parts.store.listUsers()).filter(({ source }) => source === 'x')
  const report = []
  for (const { username } of users) {
    report.push(await collectTweets(parts, username).then(({ added }) => ({ username, added }), (error) => {
      if (error instanceof VisibleError) return { username, error: error.message }
      throw error
    }))
  }
  return report
}

/** HTTP Basic with any user name and the operator's password, compared in constant time. */
function onlyAdmin(password: string | undefined): RequestHandler {
  return (request, response, next) => {
    if (!password) throw new VisibleError(403, 'This page is closed. Set ADMIN_PASSWORD to open it.')
    const [scheme, credentials = ''] = (request.get('authorization') ?? '').split(' ')
    const given = Buffer.from(credentials, 'base64').toString().replace(/^[^:]*:/, '')
    if (scheme.toLowerCase() === 'basic' && timingSafeEqual(digest(given), digest(password))) return next()
    response.set('WWW-Authenticate', 'Basic realm="HypoTweet admin", charset="UTF-8"')
    throw new VisibleError(401, 'This page asks for the admin password.')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
