import { defineConfig } from 'prisma/config'

// `prisma generate` never calls the schema engine, but the CLI downloads it all the same and fails where its
// host is out of reach. Any executable keeps it from doing so; the other commands get the real engine.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.DATABASE_URL ? { datasource: { url: process.env.DATABASE_URL } } : {})
})
