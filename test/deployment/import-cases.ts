// npx tsx test/deployment/import-cases.ts FOLDER [USERNAME]
//
// Reads every file of a folder as the import does, and compares the texts that would be stored with expected.json in it: for each
// file's name the texts, newest first, or null where it has to be refused. Prints what differs, and fails where something does.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArchive } from '../../src/sources/archive/read-archive.js'

const [folder, username = 'quietlake'] = process.argv.slice(2)
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, string[] | null>
const files = readdirSync(folder).filter((name) => name in expected)
let wrong = 0
for (const name of files) {
  const people = await readArchive(join(folder, name), name, { username, replies: false }).catch((error: Error) => error)
  const texts = people instanceof Error ? null : people.flatMap(({ tweets }) => tweets.map(({ text }) => text))
  const isRight = JSON.stringify(texts) === JSON.stringify(expected[name])
  if (!isRight) wrong++
  console.log(`${isRight ? 'right' : 'WRONG'}  ${name}${people instanceof Error ? `: ${people.message}` : ''}`)
  if (!isRight && !(people instanceof Error)) console.log(`       read:     ${JSON.stringify(texts)?.slice(0, 300)}\n       expected: ${JSON.stringify(expected[name])?.slice(0, 300)}`)
}
console.log(`${files.length - wrong} of ${files.length} as expected`)
process.exitCode = wrong ? 1 : 0
