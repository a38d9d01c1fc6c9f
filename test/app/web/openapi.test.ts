import type { Router } from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answers } from '../../../src/web/responses.js'
import { createOpenApi } from '../../../src/web/openapi.js'
import { createApp } from '../../../src/web/app.js'
import { connect } from '../../../src/storage/database.js'
import { createUserStore } from '../../../src/storage/users.js'
import { settled } from '../../support/collect.js'
import { openSampleApp, serve } from '../../support/services.js'
import { startXApi, type XApiServer } from '../../../support/x-api-stand-in.js'

interface Response {
  description: string
  content?: Record<string, { schema: { $ref?: string } }>
}
interface Operation {
  summary: string
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  operationId: string
  security: object[]
  requestBody?: { content: Record<string, { schema: { properties: Record<string, object>; required: string[] } }> }
  responses: Record<string, Response>
}

const document = JSON.parse(JSON.stringify(createOpenApi())) as { paths: Record<string, Record<string, Operation>>; components: { schemas: object } }
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })))
const operationOf = (name: string): Operation => operations.find((operation) => operation.name === name)!.operation
const parameterOf = (name: string, parameter: string) => ({ required: false, ...operationOf(name).parameters!.find((given) => given.name === parameter) })

const refsIn = (value: unknown): string[] => [...JSON.stringify(value).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref)
const USERS = 'users=ruth_demo&users=ivo_demo'
const LETTER = 'The letter of the county archive, written with regret.'
const PREDICTION = `${USERS}&text=${encodeURIComponent(LETTER)}`
const PASSWORD = 'a long password'
const admin = { authorization: `Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}` }

function importForm(name = 'Kettle_Friend', text = LETTER): RequestInit {
  const body = new FormData()
  body.set('username', name)
  body.set('file', new Blob([Array.from({ length: 30 }, (_, i) => `${text} ${i}`).join('\n')]), 'tweets.txt')
  return { method: 'POST', body }
}

function addUsers(...username: string[]): RequestInit {
  return { method: 'POST', body: JSON.stringify({ username }), headers: { 'content-type': 'application/json' } }
}

/** Requests to the running app: every path with each of its answers, but for those where something has to be broken. */
const REQUESTS: [name: string, address: string, status: number, init?: RequestInit][] = [
  ['GET /users', '/users', 200],
  ['GET /users/{username}', '/users/ruth_demo', 200],
  ['GET /users/{username}', '/users/ruth_demo?page=2', 200],
  ['GET /users/{username}', '/users/nobody_here', 404],
  ['GET /users/{username}', '/users/%zz', 400],
  ['POST /users', '/users', 202, addUsers('Fell_Example', 'Bangs_Example')],
  ['POST /users', '/users', 202, { method: 'POST', body: new URLSearchParams({ username: 'Fell_Example' }) }],
  ['POST /users', '/users', 400, addUsers()],
  ['POST /users', '/users', 403, { ...addUsers('Fell_Example'), headers: { 'sec-fetch-site': 'cross-site' } }],
  ['POST /users', '/users', 413, addUsers('a'.repeat(70_000))],
  ['POST /users/import', '/users/import', 200, importForm()],
  ['POST /users/import', '/users/import', 400, importForm('no name')],
  ['POST /users/import', '/users/import', 415, { method: 'POST', body: 'a file' }],
  ['POST /users/import', '/users/import', 422, importForm('ruth_demo')],
  ['GET /users/{username}', '/users/kettle_friend', 200],
  ['GET /users/{username}/tweets.csv', '/users/ruth_demo/tweets.csv', 200],
  ['GET /users/{username}/tweets.csv', '/users/nobody_here/tweets.csv', 404],
  ['GET /users/{username}/tweets.csv', '/users/%ff/tweets.csv', 400],
  ['GET /users/{username}/tweets.jsonl', '/users/ruth_demo/tweets.jsonl', 200],
  ['GET /users/{username}/tweets.jsonl', '/users/nobody_here/tweets.jsonl', 404],
  ['GET /predictions', `/predictions?${PREDICTION}`, 200],
  ['GET /predictions', `/predictions?${USERS}`, 400],
  ['GET /predictions', `/predictions?${PREDICTION}&users=nobody_here`, 404],
  ['GET /predictions/card.png', `/predictions/card.png?${PREDICTION}`, 200],
  ['GET /predictions/card.png', `/predictions/card.png?${USERS}`, 400],
  ['GET /play', '/play', 303],
  ['GET /play', `/play?${USERS}&seed=abc`, 200],
  ['GET /play', `/play?${USERS}&seed=abc&round=2&guesses=01`, 200],
  ['GET /play', `/play?${USERS}&seed=abc&round=x`, 400],
  ['GET /progress', '/progress?users=nobody_here', 200],
  ['GET /progress', '/progress', 400],
  ['GET /health', '/health', 200],
  ['GET /health/alive', '/health/alive', 200],
  ['GET /metrics', '/metrics', 200, { headers: admin }],
  ['GET /metrics', '/metrics', 401],
  ['GET /api', '/api', 200]
]

describe('the OpenAPI document', () => {
  test('is OpenAPI 3.1: every operation has its own id and summary, its security, and described answers', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'HypoTweet', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) } })
    expect(new Set(operations.map(({ operation }) => operation.summary)).size).toBe(operations.length)
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
    for (const { name, operation } of operations) {
      expect(operation.operationId, name).toMatch(/^[a-z]+[A-Za-z]+$/)
      expect(operation.security, name).toEqual(name === 'GET /metrics' ? [{ admin: [] }] : [])
      expect(Object.keys(operation.responses).length, name).toBeGreaterThan(0)
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect([status, description], name).toEqual([expect.stringMatching(/^[2345]\d\d$/), expect.stringMatching(/./)])
      }
    }
  })

  test('describes every parameter in its paths', () => {
    for (const { name, path, operation } of operations) {
      const inPath = operation.parameters?.filter((parameter) => parameter.in === 'path').map((parameter) => `{${parameter.name}}`) ?? []
      expect(inPath, name).toEqual(path.match(/\{\w+\}/g) ?? [])
    }
  })

  test('has every schema that it refers to, and no other', () => {
    const names = refsIn(document).map((ref) => /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1])
    expect([...new Set(names)].sort()).toEqual(Object.keys(document.components.schemas).sort())
  })

  test('describes requests as the routes check them', () => {
    const name = { type: 'string', pattern: '^[A-Za-z0-9_]{1,15}$' }
    expect(parameterOf('GET /predictions', 'users')).toMatchObject({ required: true, schema: { type: 'array', items: name, minItems: 2, maxItems: 4 } })
    expect(parameterOf('GET /predictions', 'text')).toMatchObject({ required: true, schema: { type: 'string', maxLength: 32_000 } })
    expect(parameterOf('GET /users/{username}', 'username')).toMatchObject({ required: true, schema: name })
    expect(parameterOf('GET /users/{username}', 'page')).toMatchObject({ required: false, schema: { type: 'integer', minimum: 1, default: 1 } })
    expect(parameterOf('GET /play', 'seed')).toMatchObject({ required: false, schema: { pattern: '^[A-Za-z0-9]{1,16}$' } })
    expect(parameterOf('GET /progress', 'users')).toMatchObject({ required: true, schema: { type: 'array', items: name, minItems: 1, maxItems: 4 } })
    expect(operationOf('POST /users').requestBody!.content['application/json'].schema)
      .toMatchObject({ properties: { username: { type: 'array', items: name, minItems: 1, maxItems: 4 } }, required: ['username'] })
    expect(operationOf('POST /users/import').requestBody!.content['multipart/form-data'].schema)
      .toMatchObject({ properties: { username: name, replies: { type: 'boolean', default: false } }, required: ['file'] })
  })
})

describe('the app answers as the OpenAPI document says', () => {
  let x: XApiServer
  let app: Awaited<ReturnType<typeof openSampleApp>>

  beforeAll(async () => {
    x = await startXApi()
    app = await openSampleApp({ X_BEARER_TOKEN: 'good', X_API_URL: x.url, X_POSTS_PER_USER: '25', ADMIN_PASSWORD: PASSWORD })
  })
  afterAll(async () => {
    await app?.close()
    await x?.close()
  })

  /** Asks for JSON. The answer's status, type and JSON have to be as the document says. */
  async function ask(name: string, address: string, status: number, init: RequestInit = {}, url = app.url): Promise<string> {
    const headers = { accept: 'application/json', ...(init.headers as Record<string, string>) }
    const response = await fetch(url + address, { redirect: 'manual', ...init, headers })
    const body = await response.text()
    expect([response.status, body.slice(0, 200)]).toEqual([status, expect.anything()])
    const described = operationOf(name).responses[status]
    expect(described, `${name} ${status}`).toBeDefined()
    if (!described.content) return body
    const [type, { schema }] = Object.entries(described.content)[0]
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(type)
    if (schema.$ref) answers[schema.$ref.split('/').at(-1) as keyof typeof answers].parse(JSON.parse(body))
    return body
  }

  test.each(REQUESTS)('to %s at %s with a %d', async (name, address, status, init) => {
    await ask(name, address, status, init)
  })

  test('in every operation, with every answer that is no failure', () => {
    const expected = operations.flatMap(({ name, operation }) =>
      Object.keys(operation.responses).filter((status) => status < '4').map((status) => `${name} ${status}`))
    const asked = new Set(REQUESTS.map(([name, , status]) => `${name} ${status}`))
    expect(expected.filter((answer) => !asked.has(answer))).toEqual([])
  })

  test('for a user who is being collected: first the progress, then the user or why it failed', async () => {
    x.latency = 300
    await ask('POST /users', '/users', 202, addUsers('Query_Example', 'nobody'))
    const before = await ask('GET /users/{username}', '/users/query_example', 200)
    expect(Object.keys(JSON.parse(before))).toEqual(['collecting'])
    x.latency = 0
    const events = (await ask('GET /progress', '/progress?users=Query_Example,nobody', 200)).trim().split('\n\n')
    for (const event of events) answers.ProgressList.parse(JSON.parse(event.replace(/^data: /, '')))
    await settled(app.services, ['Query_Example', 'nobody'])
    const after = await ask('GET /users/{username}', '/users/query_example', 200)
    expect(JSON.parse(after)).toMatchObject({ user: { username: 'Query_Example' }, collecting: { state: 'done' } })
    await ask('GET /users/{username}', '/users/nobody', 404)
  })

  test('to GET /health with a 503 while the database does not answer', async () => {
    const gone = connect('postgres://somebody@127.0.0.1:1/postgres')
    const ill = await serve({ ...app.services, userStore: createUserStore(gone), config: { ...app.services.config, WORK_QUEUE: false } })
    await ask('GET /health', '/health', 503, {}, ill.url)
    await ill.close()
    await gone.$disconnect()
  })

  test('to GET /api with the document, which has every route but the home page and the admin pages', async () => {
    expect(JSON.parse(await ask('GET /api', '/api', 200))).toEqual(document)
    const routes = routesOf(createApp(app.services).router).map((route) => route.replace(/:(\w+)/g, '{$1}'))
    expect(routes.length).toBeGreaterThan(10)
    expect([...new Set(routes)].filter((route) => !/ \/(admin.*)?$/.test(route)).sort()).toEqual(operations.map(({ name }) => name).sort())
  })
})

/** Every route of a router and of its inner routers, such as "GET /users/:username". */
function routesOf({ stack }: Router): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (route) return [...new Set(route.stack.map(({ method }) => `${method.toUpperCase()} ${route.path}`))]
    return 'stack' in handle ? routesOf(handle as unknown as Router) : []
  })
}
