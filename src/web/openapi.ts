// The JSON interface as an OpenAPI document, made of the schemas by which the routes check what is asked (src/inputs.ts) and
// of those of the answers (src/answers.ts).

import { readFileSync } from 'node:fs'
import { PATHS } from '../core/paths.js'
import { AddUsers, AskPrediction, ImportForm, PageNumber, Username, Usernames } from './requests.js'
import { answerSchemas, failing, fieldOf, inBody, inQuery, json, other, ref, type Operation } from './openapi-parts.js'
import { AskRound } from './routes/play.js'

const { version } = JSON.parse(readFileSync(PATHS.packageJson, 'utf8')) as { version: string }

const FILE = { type: 'string', contentMediaType: 'application/octet-stream', description: 'An X archive, CSV, JSON Lines or plain text; 50 MB at the most.' }
const EVENTS = { type: 'string', contentMediaType: 'application/json', contentSchema: ref('ProgressList') }
const ONE_STRING = 'Several names may also be one string with spaces or commas between them.'

const username = { name: 'username', in: 'path', required: true, schema: fieldOf('username', Username) }

function exported(type: string, words: string): Operation {
  return {
    summary: `A user's stored tweets, newest first, ${words}`,
    parameters: [username],
    responses: { 200: other(type, 'A file.'), ...failing(404) }
  }
}

const paths: Record<string, { get?: Operation; post?: Operation }> = {
  '/users': {
    get: { summary: 'Everybody who is here', responses: { 200: json('Users', 'The users.'), ...failing() } },
    post: {
      summary: 'Adds up to four users from X, or reads what is newer of them',
      description: `They are collected in the background: GET /progress and GET /users/{username} say how far it has come. ${ONE_STRING}`,
      requestBody: inBody(['application/json', 'application/x-www-form-urlencoded'], AddUsers.shape),
      responses: { 202: json('Collecting', 'It has begun.'), ...failing(400, 403, 413, 415, 429) }
    }
  },
  '/users/{username}': {
    get: {
      summary: 'A user, a page of their tweets, and how they write',
      parameters: [username, ...inQuery(PageNumber.shape)],
      responses: { 200: json('UserPage', 'The user, or how far collecting them has come.'), ...failing(403, 404, 422, 502) }
    }
  },
  '/users/import': {
    post: {
      summary: 'Adds a user out of a file, without X',
      requestBody: inBody(['multipart/form-data'], ImportForm.shape, { file: FILE }),
      responses: { 200: json('Imported', 'The user, and what became of the file.'), ...failing(400, 403, 413, 415, 422, 429) }
    }
  },
  '/users/{username}/tweets.csv': { get: exported('text/csv', 'as CSV (id, created_at, text)') },
  '/users/{username}/tweets.jsonl': { get: exported('application/jsonl', 'as JSON Lines (id, created_at, text)') },
  '/predictions': {
    get: {
      summary: 'Who of two to four users most likely would have written a text',
      parameters: inQuery(AskPrediction.shape),
      responses: { 200: json('Prediction', 'The answer.'), ...failing(400, 404, 422, 429) }
    }
  },
  '/predictions/card.png': {
    get: {
      summary: 'The answer as a picture (1200×630)',
      parameters: inQuery(AskPrediction.shape),
      responses: { 200: other('image/png', 'The picture.', {}), ...failing(400, 404, 422, 429) }
    }
  },
  '/play': {
    get: {
      summary: 'A round of the game: whose tweet is this?',
      parameters: inQuery(AskRound.shape, () => false),
      responses: { 200: json('Round', 'The round.'), 303: { description: 'The first round of a new game, in Location.' }, ...failing(400, 404, 422, 429) }
    }
  },
  '/progress': {
    get: {
      summary: 'How far collecting has come, as it happens',
      description: `Server-sent events, until all have ended or for ten minutes; the data of each is a ProgressList. ${ONE_STRING}`,
      parameters: [{ name: 'users', in: 'query', required: true, schema: fieldOf('username', Usernames) }],
      responses: { 200: other('text/event-stream', 'An event at each change.', EVENTS), ...failing(400) }
    }
  },
  '/health': {
    get: {
      summary: 'Whether the app is ready',
      responses: { 200: json('Health', 'It is.'), 503: json('Health', 'The database or the encoder does not answer.') }
    }
  },
  '/health/alive': { get: { summary: 'That the process lives', responses: { 200: json('Alive', 'It does.') } } },
  '/metrics': {
    get: {
      summary: 'Figures for Prometheus',
      security: [{ admin: [] }],
      responses: { 200: other('text/plain', 'The figures.'), ...failing(401, 403, 429) }
    }
  },
  '/api': { get: { summary: 'This document', responses: { 200: other('application/json', 'An OpenAPI document.', { type: 'object' }) } } }
}

/** The document that GET /api answers. */
export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'HypoTweet',
    version,
    description: 'Pages and JSON have the same addresses: ask with "Accept: application/json", or answers and errors may be pages.'
  },
  servers: [{ url: '/' }],
  paths,
  components: {
    schemas: answerSchemas(),
    securitySchemes: { admin: { type: 'http', scheme: 'basic', description: 'Any user name, and ADMIN_PASSWORD.' } }
  }
}
