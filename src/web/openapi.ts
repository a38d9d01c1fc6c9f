// The JSON interface as an OpenAPI document. zod-openapi makes it from the schemas that check requests (requests.ts) and
// from those of the answers (responses.ts).

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import {
  createDocument, type ZodOpenApiMediaTypeObject as MediaType, type ZodOpenApiOperationObject as Operation, type ZodOpenApiPathsObject as Paths,
  type ZodOpenApiResponseObject as Response
} from 'zod-openapi'
import { PATHS } from '../core/paths.js'
import { AddUsers, AskPrediction, AskRound, ImportAnswer, ImportForm, PageNumber, Username, Usernames } from './requests.js'
import { answers } from './responses.js'

/** The document that GET /api answers. */
export function createOpenApi(): ReturnType<typeof createDocument> {
  const { version, license } = JSON.parse(readFileSync(PATHS.packageJson, 'utf8')) as { version: string; license: string }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'HypoTweet',
      version,
      license: { name: license, identifier: license },
      description: 'Pages and JSON have the same addresses: ask with "Accept: application/json", or answers and errors may be pages.'
    },
    servers: [{ url: '/' }],
    paths: { ...users, ...predictions, ...operations },
    components: {
      schemas: answers,
      securitySchemes: { admin: { type: 'http', scheme: 'basic', description: 'Any user name, and ADMIN_PASSWORD.' } }
    }
  }, { override: ({ jsonSchema }) => dropChecks(jsonSchema) })
}

/** Drops what zod checks but tells a reader nothing new. */
function dropChecks(jsonSchema: { format?: string; pattern?: string; maximum?: number }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}

const FAILURES = {
  400: 'What was sent cannot be taken.',
  401: 'The password is missing or wrong.',
  403: 'Not allowed: sent from another site, closed by a setting, or the user is protected or suspended on X.',
  404: 'A user who is not here.',
  413: 'Too large.',
  415: 'Sent in a form that is not understood.',
  422: 'Too few tweets, or a file that is not what it should be.',
  429: 'Too much asked for from this address; Retry-After says when to try again.',
  500: 'A bug. It is logged.',
  502: 'X answered in a way that makes no sense, or could not be reached.',
  503: 'Not possible at the moment: a service that the app depends on does not answer, or X may not be read.'
}

type Responses = Record<`${4 | 5}${string}`, Response>

/** What can fail. Everything can in three ways: the request makes no sense, there is a bug, a service does not answer. */
function failing(...statuses: (keyof typeof FAILURES)[]): Responses {
  const all = [400, ...statuses, 500, 503] as const
  return Object.fromEntries(all.map((status) => [status, json(answers.Error, FAILURES[status])]))
}

/** An answer in JSON. */
function json(schema: z.ZodType, description: string): Response {
  return { description, content: { 'application/json': { schema } } }
}

/** An answer of another type. */
function other(type: string, description: string, schema: MediaType['schema'] = { type: 'string' }): Response {
  return { description, content: { [type]: { schema } } }
}

/** What is sent, in each of these types. */
function inBody(schema: z.ZodType, ...types: string[]): Operation['requestBody'] {
  return { required: true, content: Object.fromEntries(types.map((type) => [type, { schema }])) }
}

/** An operation that asks for no password. */
function open(operationId: string, summary: string, rest: Omit<Operation, 'operationId' | 'summary'>): Operation {
  return { operationId, summary, security: [], ...rest }
}

const path = z.object({ username: Username })
const FILE = z.string().meta({
  contentMediaType: 'application/octet-stream', description: 'An X archive, CSV, JSON, a feed or plain text, also in a zip or compressed with gzip; 50 MB at the most.'
})
const EVENTS = { type: 'string' as const, contentMediaType: 'application/json', contentSchema: { $ref: '#/components/schemas/ProgressList' } }

const users: Paths = {
  '/users': {
    get: open('listUsers', 'Everybody who is here', { responses: { 200: json(answers.Users, 'The users.'), ...failing() } }),
    post: open('collectUsers', 'Adds up to four users from X, or reads what is newer of them', {
      description: 'They are collected in the background: GET /progress and GET /users/{username} say how far it has come.',
      requestBody: inBody(AddUsers, 'application/json', 'application/x-www-form-urlencoded'),
      responses: { 202: json(answers.Collecting, 'It has begun.'), ...failing(403, 413, 415, 429) }
    })
  },
  '/users/{username}': {
    get: open('showUser', 'A user, a page of their tweets, and how they write', {
      requestParams: { path, query: PageNumber },
      responses: { 200: json(answers.UserPage, 'The user, or how far collecting them has come.'), ...failing(403, 404, 422, 429, 502) }
    })
  },
  '/users/import': {
    post: open('importUser', 'Adds a user from a file, without X', {
      description: 'Where a file does not tell whose posts it holds, or which column holds the texts, the answer is a 422 with a question; the file is kept, and the answer to the question is sent without it.',
      requestBody: {
        required: true,
        content: {
          'multipart/form-data': { schema: ImportForm.extend({ file: FILE }) },
          'application/x-www-form-urlencoded': { schema: ImportAnswer.extend(ImportForm.shape) },
          'application/json': { schema: ImportAnswer.extend(ImportForm.shape) }
        }
      },
      responses: { 200: json(answers.Imported, 'The user, and what became of the file.'), ...failing(403, 413, 415, 422, 429) }
    })
  },
  '/users/{username}/tweets.csv': { get: exported('exportCsv', 'text/csv', 'as CSV (id, created_at, text, exported_by)') },
  '/users/{username}/tweets.jsonl': { get: exported('exportJsonLines', 'application/jsonl', 'as JSON Lines (id, created_at, text, exported_by)') },
  '/progress': {
    get: open('followProgress', 'How far collecting has come, as it happens', {
      description: 'Server-sent events, until all have ended or for ten minutes; the data of each is a ProgressList.',
      requestParams: { query: z.object({ users: Usernames }) },
      responses: { 200: other('text/event-stream', 'An event at each change.', EVENTS), ...failing(429) }
    })
  }
}

function exported(operationId: string, type: string, words: string): Operation {
  return open(operationId, `A user's stored tweets, newest first, ${words}`, {
    requestParams: { path },
    responses: { 200: other(type, 'The file.'), ...failing(404, 429) }
  })
}

const predictions: Paths = {
  '/predictions': {
    get: open('predictAuthor', 'Who of two to four users most likely would have written a text', {
      requestParams: { query: AskPrediction },
      responses: { 200: json(answers.Prediction, 'The answer.'), ...failing(404, 422, 429) }
    })
  },
  '/predictions/card.png': {
    get: open('drawCard', 'The answer as a picture (1200×630)', {
      requestParams: { query: AskPrediction },
      responses: { 200: other('image/png', 'The picture.', {}), ...failing(404, 422, 429) }
    })
  },
  '/play': {
    get: open('playRound', 'A round of the game: whose tweet is this?', {
      requestParams: { query: z.object(AskRound.shape).partial() },
      responses: {
        200: json(answers.Round, 'The round.'),
        303: { description: 'The first round of a new game, in Location.' },
        ...failing(404, 422, 429)
      }
    })
  }
}

const operations: Paths = {
  '/health': {
    get: open('getHealth', 'Whether the app is ready', {
      responses: { 200: json(answers.Health, 'It is.'), ...failing(), 503: json(answers.Health, 'The database or the encoder does not answer.') }
    })
  },
  '/health/alive': {
    get: open('getAlive', 'That the process is alive', { responses: { 200: json(answers.Alive, 'It is.'), ...failing() } })
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus',
      security: [{ admin: [] }],
      responses: { 200: other('text/plain', 'The metrics.'), ...failing(401, 403, 429) }
    }
  },
  '/api': {
    get: open('getOpenApi', 'This document', {
      responses: { 200: other('application/json', 'An OpenAPI document.', { type: 'object' }), ...failing() }
    })
  }
}
