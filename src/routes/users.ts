import { Router, type Response } from 'express'
import type { Collection } from '../collections.js'
import { VisibleError } from '../errors.js'
import { describeHabits, MOST_TWEETS, MOST_USERS, type Habits } from '../habits.js'
import { AddUsers, ImportCounts, PageNumber, typedIn, Username } from '../inputs.js'
import { requestCollecting } from '../jobs.js'
import type { Parts } from '../parts.js'
import { progressJson, userJson } from '../view-helpers.js'

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

  router.post('/users', parts.limits.additions, async (request, response) => {
    const { username: usernames } = AddUsers.parse(request.body)
    await requestCollecting(parts, usernames)
    const collecting = (await parts.collections.find(usernames)).map(progressJson)
    const query = new URLSearchParams(usernames.map((name): [string, string] => ['users', name]))
    response.format({
      html: () => response.redirect(303, usernames.length === 1 ? `/users/${usernames[0]}` : `/?${query}`),
      json: () => response.status(202).json({ collecting })
    })
  })

  router.get('/users/:username', async (request, response) => {
    const username = Username.safeParse(request.params.username)
    const user = username.success ? await store.findUser(username.data) : null
    const collecting = username.success ? await parts.collections.find([username.data]) : []
    const [collection] = collecting
    if (!user && collection && collection.state !== 'done') return showCollecting(response, collection)
    if (!user) throw new VisibleError(404, `@${request.params.username} has not been added here.`)
    const { page } = PageNumber.parse(request.query)
    const tweets = await store.listTweets(user.id, page)
    const habits = tweets.page === 1 ? await habitsOf(parts, user.id) : undefined
    const imported = ImportCounts.safeParse(request.query).data
    response.format({
      html: () => response.render('user', { user, ...tweets, habits, collecting, imported }),
      json: () => response.json({ user: userJson(user), ...tweets, habits, ...(collection && { collecting: progressJson(collection) }) })
    })
  })

  /** A user of whom nothing is stored yet: how far it has come, or why it failed. */
  function showCollecting(response: Response, collection: Collection): void {
    const { username, state, status, message } = collection
    if (state === 'failed') response.status(status ?? 500)
    const canCollect = Boolean(parts.env.X_BEARER_TOKEN)
    response.format({
      html: () => response.render('collecting', { collecting: [collection], typed: typedIn({ username }), canCollect }),
      json: () => response.json(state === 'failed' ? { error: message } : { collecting: progressJson(collection) })
    })
  }

  return router
}

/** How a user writes, against the others who are stored. */
async function habitsOf({ store }: Parts, userId: string): Promise<Habits> {
  const { tweets } = await store.listTweets(userId, 1, MOST_TWEETS)
  return describeHabits(tweets, await store.listOthersTexts(userId, MOST_USERS, MOST_TWEETS))
}
