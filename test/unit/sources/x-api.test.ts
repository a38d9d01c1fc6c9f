import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ExpectedError, GoneAtSource } from '../../../src/core/errors.js'
import { createXApi, type XApi } from '../../../src/sources/x/x-api.js'
import { SinceIdRefused } from '../../../src/sources/x/x-errors.js'
import { startXApi, type XApiServer } from '../../../support/x-api-stand-in.js'

let server: XApiServer
let x: XApi

beforeEach(async () => {
  server = await startXApi()
  x = createXApi({ token: 'good', url: server.url, timeoutMs: 5000 })
})
afterEach(() => server.close())

function read(username: string, page: Partial<Parameters<XApi['readPosts']>[2]> = {}) {
  return x.readPosts(server.userId(username), username, { size: 10, ...page })
}

/** The error that a promise rejects with: it must be worded for visitors, without X's own words, and say whether the user is gone. */
async function failure(promise: Promise<unknown>, isGone = false): Promise<ExpectedError> {
  const error = await promise.then((value) => expect.fail(`resolved: ${JSON.stringify(value)}`), (reason) => reason)
  expect(error).toBeInstanceOf(ExpectedError)
  expect(error instanceof GoneAtSource).toBe(isGone) // only this deletes a stored user
  expect(error.message).not.toMatch(/twitter|problem|html|json|could not find|exceeded|not authorized|forbidden/i)
  return error
}

describe('a user', () => {
  test('is found in any case, and spelt as on X', async () => {
    const user = await x.findUser('tansy_EXAMPLE')
    expect(user).toEqual({
      id: server.userId('Tansy_Example'),
      username: 'Tansy_Example',
      name: 'tansy 🌱',
      pictureUrl: `https://pbs.twimg.com/profile_images/${user.id}/invented_normal.png`,
      posts: 300
    })
    expect(server.calls).toEqual({ requests: 1, posts: 0, users: 1 })
  })

  test.each([
    ['https://abs.twimg.com/sticky/default.png', 'https://abs.twimg.com/sticky/default.png'],
    ['http://pbs.twimg.com/a.png', null],
    ['https://pbs.twimg.com:8443/a.png', null],
    ['https://pbs.twimg.com@example.org/a.png', null],
    ['https://example.org/pbs.twimg.com/a.png', null],
    ['javascript:alert(1)', null],
    ['no address', null]
  ])('with the picture %s gets %s', async (profile_image_url, pictureUrl) => {
    server.addUser('Framed_Example', { profile_image_url })
    expect(await x.findUser('framed_example')).toMatchObject({ pictureUrl })
  })

  test('with a picture on a look-alike host gets none', async () => {
    expect(await x.findUser('oddpicture')).toMatchObject({ pictureUrl: null })
  })

  test.each(['nobody', 'gone'])('that is not there (%s) is gone at the source', async (username) => {
    const error = await failure(x.findUser(username), true)
    expect(error).toMatchObject({ reason: 'not-found', message: `There is no X user @${username}.`, retry: undefined })
  })

  test('that X has suspended is gone at the source, in words of its own', async () => {
    const error = await failure(x.findUser('suspended'), true)
    expect(error).toMatchObject({ reason: 'forbidden', retry: undefined })
    expect(error.message).toBe('X has suspended @suspended, so there are no posts to read.')
  })

  test('that is protected is gone at the source, in words of its own', async () => {
    const error = await failure(x.findUser('protected'), true)
    expect(error).toMatchObject({ reason: 'forbidden', retry: undefined })
    expect(error.message).toBe('@protected protects their posts, so they cannot be read.')
  })

  test('that only the timeline shows to be protected is the same', async () => {
    const user = await x.findUser('protectedtl')
    const error = await failure(x.readPosts(user.id, user.username, { size: 10 }), true)
    expect(error).toMatchObject({ reason: 'forbidden', message: expect.stringContaining('@protectedtl protects') })
  })

  test('that is gone by the time its posts are read is gone at the source', async () => {
    const error = await failure(x.readPosts('123', 'Gone_Example', { size: 10 }), true)
    expect(error).toMatchObject({ reason: 'not-found', message: 'There is no X user @Gone_Example.' })
  })

  test('with an impossible name cannot lead the request to another address', async () => {
    expect(await failure(x.findUser('../../1.1/a?b#c'))).toMatchObject({ reason: 'bad-source', retry: undefined })
  })
})

describe('posts', () => {
  test.each(['Tansy_Example', 'Fell_Example', 'Bangs_Example', 'Query_Example'])('of %s differ', async (username) => {
    const { posts } = await read(username, { size: 100 })
    expect(new Set(posts.map(({ text }) => text)).size).toBe(100)
  })

  test('come newest first, with whole ids and dates, without retweets and replies', async () => {
    const { posts, nextToken } = await read('Fell_Example', { size: 100 })
    expect(posts).toHaveLength(100)
    expect(nextToken).toBeDefined()
    const ids = posts.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].sort().reverse())
    expect(ids.every((id) => /^\d{19}$/.test(id))).toBe(true)
    expect(posts.every(({ createdAt }) => createdAt instanceof Date)).toBe(true)
    expect(posts[0].createdAt!.getTime()).toBeGreaterThan(posts[99].createdAt!.getTime())
    expect(posts.filter(({ text }) => /^(@|RT @)/.test(text))).toEqual([])
  })

  test('are read one page a request, each post once', async () => {
    const ids: string[] = []
    let nextToken: string | undefined
    do {
      const page = await read('Tansy_Example', { size: 100, nextToken })
      ids.push(...page.posts.map(({ id }) => id))
      nextToken = page.nextToken
    } while (nextToken)
    expect(new Set(ids).size).toBe(270)
    expect(server.calls).toEqual({ requests: 3, posts: 270, users: 0 })
  })

  test.each([[1, 5], [7, 7], [7.2, 8], [400, 100]])('requested %d at a time come %d at a time', async (size, count) => {
    expect((await read('Tansy_Example', { size })).posts).toHaveLength(count)
  })

  test('can be requested after a post, and before a post', async () => {
    const { posts: [newest, second, third] } = await read('Tansy_Example')
    expect((await read('Tansy_Example', { sinceId: third.id })).posts).toEqual([newest, second])
    expect((await read('Tansy_Example', { untilId: newest.id })).posts[0]).toEqual(second)
    server.addPosts('tansy_example', ['one more', 'and another'])
    const { posts } = await read('Tansy_Example', { sinceId: newest.id })
    expect(posts.map(({ text }) => text)).toEqual(['and another', 'one more'])
  })

  test('over 280 characters come whole, with entities as X encodes them', async () => {
    const { posts } = await read('longposts')
    expect(posts).toHaveLength(10)
    for (const { text } of posts) expect(text).toMatch(/^Tea &amp; toast &lt;3 .{280,}The end\.$/)
  })

  test.each(['empty', 'onlyreplies'])('of a user without any (%s) are an empty last page', async (username) => {
    expect(await read(username)).toEqual({ posts: [], sent: 0, nextToken: undefined })
  })

  test('may start with an empty page that is not the last', async () => {
    const page = await read('emptypage')
    expect(page).toEqual({ posts: [], sent: 0, nextToken: expect.any(String) })
    expect((await read('emptypage', { nextToken: page.nextToken })).posts).toHaveLength(10)
  })

  test('are read when X adds errors about something that they refer to', async () => {
    expect((await read('partial')).posts).toHaveLength(10)
  })
})

describe('a failure that the operator has to mend names the setting', () => {
  test.each([undefined, '', '  '])('no token (%j), and nothing is sent to X', async (token) => {
    const without = createXApi({ token, url: server.url })
    for (const call of [without.findUser('empty'), without.readPosts('1', 'empty', { size: 5 })]) {
      const error = await failure(call)
      expect(error).toMatchObject({ reason: 'unavailable', retry: undefined })
      expect(error.message).toMatch(/^Adding users from X needs the setting X_BEARER_TOKEN/)
    }
    expect(server.calls.requests).toBe(0)
  })

  test.each(['wrong', 'with a\nline break'])('a token that X does not accept (%j)', async (token) => {
    const error = await failure(createXApi({ token, url: server.url }).findUser('empty'))
    expect(error).toMatchObject({ reason: 'unavailable', retry: undefined })
    expect(error.message).toMatch(/does not accept the token in the setting X_BEARER_TOKEN/)
  })

  test.each([
    ['unauthorized', /does not accept the token in the setting X_BEARER_TOKEN/],
    ['broke', /account behind X_BEARER_TOKEN has no credits left.*top them up in X's developer console/],
    ['notenrolled', /app behind X_BEARER_TOKEN has no access to this part of the X API.*project and a plan/]
  ])('%s, for users and for posts', async (username, words) => {
    for (const call of [x.findUser(username), read(username)]) {
      const error = await failure(call)
      expect(error).toMatchObject({ reason: 'unavailable', retry: undefined })
      expect(error.message).toMatch(words)
    }
  })

  test('a plan whose cap is reached: not to be tried again in a quarter of an hour', async () => {
    const error = await failure(read('capped'))
    expect(error).toMatchObject({ reason: 'unavailable', retry: undefined, message: expect.stringContaining('X_BEARER_TOKEN') })
  })

  test('an address that is not the X API is not taken for a missing user', async () => {
    const elsewhere = createXApi({ token: 'good', url: server.url.replace('/2/', '/3') })
    const error = await failure(elsewhere.findUser('Tansy_Example'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: undefined, message: expect.stringContaining('X_API_URL') })
  })
})

describe('a rate limit says when to try again', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 4, 1, 13, 50, 10) }))
  afterEach(() => void vi.useRealTimers())

  test('and then works', async () => {
    const error = await failure(read('ratelimited'))
    expect(error).toMatchObject({ reason: 'unavailable', retry: { at: new Date(Date.UTC(2030, 4, 1, 13, 50, 11)) } })
    expect((await read('ratelimited')).posts).toHaveLength(10)
  })

  test.each(['ratelimitedforever', 'alwayslimited'])('in words (%s)', async (username) => {
    const error = await failure(read(username))
    expect(error.retry).toEqual({ at: new Date(Date.UTC(2030, 4, 1, 14, 5, 10)) })
    expect(error.message).toBe('X asks us to wait until 14:06 UTC.')
  })

  test('in a minute where that time is just past, by a clock that differs from ours', async () => {
    expect((await failure(read('limitedpast'))).retry).toEqual({ at: new Date(Date.UTC(2030, 4, 1, 13, 51, 10)) })
  })

  test.each(['limitedabsurd', 'limitedsilent'])('a quarter of an hour later where X gives no usable time (%s)', async (username) => {
    const error = await failure(read(username))
    expect(error).toMatchObject({ reason: 'unavailable', retry: { at: new Date(Date.UTC(2030, 4, 1, 14, 5, 10)) } })
    expect(error.message).toMatch(/14:06 UTC/)
  })
})

describe('when X fails', () => {
  test('a 5xx can be tried again', async () => {
    for (let i = 0; i < 2; i++) expect(await failure(read('flaky'))).toMatchObject({ reason: 'bad-source', retry: {} })
    expect((await read('flaky')).posts).toHaveLength(10)
  })

  test('a 5xx with a web page can be tried again', async () => {
    const error = await failure(x.findUser('down'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: {}, message: expect.stringContaining('not well') })
  })

  test.each(['garbage', 'oddshape', 'badgzip'])('nonsense (%s) can be tried again', async (username) => {
    for (const call of [x.findUser(username), read(username)]) {
      const error = await failure(call)
      expect(error).toMatchObject({ reason: 'bad-source', retry: {}, message: expect.stringContaining('made no sense') })
    }
  })

  test('an error body that cannot be read is a bad source', async () => {
    expect(await failure(x.findUser('nullerror'))).toMatchObject({ reason: 'bad-source' })
  })

  test('an answer that is cut off can be tried again', async () => {
    const error = await failure(read('cutoff'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: {}, message: expect.stringContaining('broke off') })
    expect((await read('cutoff')).posts).toHaveLength(10)
  })

  test('a connection that ends without an answer can be tried again', async () => {
    const error = await failure(x.findUser('hangup'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: {}, message: expect.stringContaining('could not be reached') })
  })

  test('a connection that is refused can be tried again', async () => {
    const closed = await startXApi()
    await closed.close()
    const error = await failure(createXApi({ token: 'good', url: closed.url }).findUser('Tansy_Example'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: { charged: false }, message: expect.stringContaining('could not be reached') })
  })

  test('a name that nobody knows costs nothing', async () => {
    const error = await failure(createXApi({ token: 'good', url: 'http://x.invalid/2/' }).findUser('Tansy_Example'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: { charged: false } })
  })

  test('a connection that is never made costs nothing, although the time runs out', async () => {
    const silent = createServer() // says nothing, where TLS needs a greeting
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/2/`
    const error = await failure(createXApi({ token: 'good', url, timeoutMs: 200 }).findUser('Tansy_Example'))
    expect(error).toMatchObject({ reason: 'bad-source', retry: { charged: false } })
    silent.close()
  })

  test('a connection that ends after the request may have cost something', async () => {
    expect(await failure(x.findUser('hangup'))).toMatchObject({ retry: { charged: true } })
  })

  test('an answer that leads elsewhere is not followed, and names the setting', async () => {
    expect(await failure(x.findUser('redirects'))).toMatchObject({ reason: 'bad-source', retry: undefined, message: expect.stringContaining('X_API_URL') })
    expect(server.calls.requests).toBe(1)
  })

  test('a since_id that X does not take is told apart, and blames no setting', async () => {
    const error = await failure(read('sinceold', { sinceId: '1' }))
    expect(error).toBeInstanceOf(SinceIdRefused)
    expect(error.message).not.toMatch(/X_/)
  })

  test('an answer of any length ends after 8 MB', async () => {
    const before = process.memoryUsage().arrayBuffers
    for (const call of [() => x.findUser('endless'), () => read('endless')]) {
      expect(await failure(call())).toMatchObject({ reason: 'bad-source', retry: { charged: true }, message: "X's answer had no end." })
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 2 ** 20)
    await vi.waitFor(async () => expect(await server.connections()).toBe(0))
  })

  test.each(['slow', 'trickle'])('an answer without an end (%s) times out, and its connection is closed', async (username) => {
    const hasty = createXApi({ token: 'good', url: server.url, timeoutMs: 150 })
    for (const call of [
      () => hasty.findUser(username),
      () => hasty.readPosts(server.userId(username), username, { size: 10 })
    ]) {
      const error = await failure(call())
      expect(error).toMatchObject({ reason: 'bad-source', retry: { charged: true } })
      expect(error.message).toMatch(/^X did not answer within 0\.15 seconds\./)
    }
    await vi.waitFor(async () => expect(await server.connections()).toBe(0))
  })
})
