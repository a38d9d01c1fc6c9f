// What an OpenAPI document is put together from: zod's schemas as parameters, bodies and answers.

import { z } from 'zod'
import { answers, type AnswerName } from './responses.js'
import { MAX_TEXT_LENGTH } from './requests.js'

export type Json = Record<string, unknown>

/** What a method does at an address. */
export interface Operation {
  summary: string
  description?: string
  parameters?: Json[]
  requestBody?: Json
  security?: Json[]
  responses: Record<string, Json>
}

const WORDS: Record<string, string> = {
  users: 'Two to four different users; each also as @name or as an address on x.com.',
  text: `At most ${MAX_TEXT_LENGTH.toLocaleString('en')} characters as a reader counts them, and not only blanks.`,
  username: 'Also as @name or as an address on x.com.',
  replies: 'Whether replies are kept too.',
  page: 'The last for one beyond it, the first for what is no number.',
  seed: 'Which tweets are dealt. Without it, or without users, the answer leads to a new game.',
  guesses: 'A digit a round, the place in candidates from 0; as many as the rounds before this one, or one more.'
}

const FAILURES: Record<string, string> = {
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
  503: 'Not possible at the moment: a part that the app stands on does not answer, or X may not be read.'
}

/** A reference to an answer's schema. */
export const ref = (name: AnswerName): Json => ({ $ref: `#/components/schemas/${name}` })

/** An answer in JSON. */
export const json = (name: AnswerName, description: string): Json => ({ description, content: { 'application/json': { schema: ref(name) } } })

/** An answer of another type. */
export const other = (type: string, description: string, schema: Json = { type: 'string' }): Json => ({ description, content: { [type]: { schema } } })

/** What can go wrong; a bug and a database that is away can anywhere. */
export const failing = (...statuses: number[]): Record<string, Json> =>
  Object.fromEntries([...statuses, 500, 503].map((status) => [status, json('Error', FAILURES[status])]))

/** What may be sent for a field: where a schema takes text and makes something of it, what it makes says more. */
export function fieldOf(name: string, schema: z.ZodType): Json {
  const shown = (io: 'input' | 'output'): Json => z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  const field: Json = { ...shown('input'), ...shown('output'), ...(WORDS[name] && { description: WORDS[name] }) }
  delete field.$schema
  return field
}

const isRequired = (schema: z.ZodType): boolean => !schema.safeParse(undefined).success

/** A schema's fields as parameters of an address. */
export function inQuery(shape: Record<string, z.ZodType>, required = isRequired): Json[] {
  return Object.entries(shape).map(([name, schema]) => ({ name, in: 'query', required: required(schema), schema: fieldOf(name, schema) }))
}

/** A schema's fields as a body of these types. */
export function inBody(types: string[], shape: Record<string, z.ZodType>, files: Record<string, Json> = {}): Json {
  const fields = Object.entries(shape)
  const schema = {
    type: 'object',
    properties: { ...Object.fromEntries(fields.map(([name, field]) => [name, fieldOf(name, field)])), ...files },
    required: [...fields.filter(([, field]) => isRequired(field)).map(([name]) => name), ...Object.keys(files)]
  }
  return { required: true, content: Object.fromEntries(types.map((type) => [type, { schema }])) }
}

/** The answers' schemas by their names, which refer to each other. */
export function answerSchemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(answers)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    override({ jsonSchema }) { // what zod checks beside what matters to a reader
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    }
  })
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema]))
}
