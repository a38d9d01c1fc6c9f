// Everything that X charges for, within the day's budget: reserved before the request, and returned where it is certain that
// nothing was served.

import type { Services } from '../services/services.js'
import { ExpectedError, GoneAtSource } from '../core/errors.js'
import type { PostPage, XUser } from '../sources/x/x-answers.js'
import type { PageQuery, XApi } from '../sources/x/x-api.js'

type Spending = Pick<Services, 'xApi' | 'xBudget'>

/**
 * Looks a user up. An answer counts whatever it says of the user.
 * @throws ExpectedError `unavailable` where the budget is spent; whatever the look-up throws
 */
export async function buyUser({ xApi, xBudget }: Spending, lookUp: (xApi: XApi) => Promise<XUser>): Promise<XUser> {
  const { users, day } = await xBudget.reserveUser()
  if (users === 0) throw await budgetSpent(xBudget)
  try {
    return await lookUp(xApi)
  } catch (error) {
    if (isFree(error) && !(error instanceof GoneAtSource)) await xBudget.refund({ users }, day)
    throw error
  }
}

/**
 * Reads a page of posts, a smaller one where less is left.
 * @throws ExpectedError `unavailable` where the budget is spent; whatever readPosts throws
 */
export async function buyPage({ xApi, xBudget, log }: Spending & Pick<Services, 'log'>, { id, username }: XUser, query: PageQuery): Promise<PostPage> {
  const { posts, day } = await xBudget.reservePosts(query.size)
  if (posts === 0) throw await budgetSpent(xBudget)
  try {
    const page = await xApi.readPosts(id, username, { ...query, size: posts })
    await xBudget.refund({ posts: posts - page.sent }, day)
    const odd = page.sent - page.posts.length
    if (odd > 0) log.warn({ username, odd }, 'X sent posts that cannot be read; they are left out')
    return page
  } catch (error) {
    if (isFree(error)) await xBudget.refund({ posts }, day)
    throw error
  }
}

/** The error for the rest of the day. */
export async function budgetSpent(xBudget: Services['xBudget']): Promise<ExpectedError> {
  const { opensAt } = await xBudget.today()
  return new ExpectedError('unavailable', `Today's budget of $${xBudget.limit.toFixed(2)} for reading from X is spent. It opens again at 00:00 UTC ` +
    '(tweets can be imported from a file at any time).', { at: opensAt })
}

/** Whether a request that failed like this costs nothing. */
const isFree = (error: unknown): boolean => error instanceof ExpectedError && !error.retry?.charged
