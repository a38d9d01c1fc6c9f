import { Router } from 'express'
import { collectTweets } from '../collect-tweets.js'
import { VisibleError } from '../errors.js'
import { describeHabits, MOST_TWEETS, MOST_USERS, type Habits } from '../habits.js'
import { AddUser, ImportCounts, PageNumber, Username } from '../inputs.js'
import type { Parts } from '../parts.js'
import { userJson } from '../view-helpers.js'

/** Adding users and looking at them. */
export function userRoutes(parts: Parts): Router {
  const { store } = parts
  const router = Router()

  router.get('/users', async (_request, response) => {
    const users = await store.listUsers()
    response.format({
      html: () => response.redirect('/'),
      json: () => response.json({ users: users.map(userJson) })
    })
  })

  router.post('/users', async (request, response) => {
    const { username } = AddUser.parse(request.body)
    const { user, added } = await collectTweets(parts, username)
    response.format({
      html: () => response.redirect(303, `/users/${user.username}?added=${added}`),
      json: () => response.json({ user: userJson(user), added })
    })
  })

  router.get('/users/:username', async (request, response) => {
    const username = Username.safeParse(request.params.username)
    const user = username.success ? await store.findUser(username.data) : null
    if (!user) throw new VisibleError(404, `@${request.params.username} has not been added here.`)
    const { page } = PageNumber.parse(request.query)
    const tweets = await store.listTweets(user.id, page)
    const habits = tweets.page === 1 ? await habitsOf(parts, user.id) : undefined
    response.format({
      html: () => response.render('user', { user, ...tweets, habits, added: addedOf(request.query.added), imported: ImportCounts.safeParse(request.query).data }),
      json: () => response.json({ user: userJson(user), ...tweets, habits })
    })
  })

  return router
}

/** How a user writes, against the others who are stored. */
async function habitsOf({ store }: Parts, userId: string): Promise<Habits> {
  const { tweets } = await store.listTweets(userId, 1, MOST_TWEETS)
  return describeHabits(tweets, await store.listOthersTexts(userId, MOST_USERS, MOST_TWEETS))
}

/** How many tweets the visitor has just added, where the address says so. */
function addedOf(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : undefined
}
