// The last step of a build for deployment: removes from node_modules what only other platforms, browsers, other databases
// or development use. npm's own pruning keeps development tools that a package names as optional peers, such as Prisma's
// command line with its 130 packages.

import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PATHS } from '../core/paths.js'

const bindings = join('node_modules', 'onnxruntime-node', 'bin', 'napi-v6')
const queryCompilers = join('node_modules', '@prisma', 'client', 'runtime')
const OURS = /query_compiler_small_bg\.postgresql\./ // the one that prisma/schema.prisma chooses

const unused = [
  join('node_modules', 'onnxruntime-web'), ...(await developmentPackages()), ...(await foreignBindings()), ...(await foreignQueryCompilers())
]
for (const path of unused) await rm(join(PATHS.root, path), { recursive: true, force: true })
console.log(`Removed from node_modules: ${unused.length} packages and files that are not used here.`)

async function developmentPackages(): Promise<string[]> {
  const lock = await readFile(join(PATHS.root, 'node_modules', '.package-lock.json'), 'utf8')
  const { packages } = JSON.parse(lock) as { packages: Record<string, { devOptional?: boolean }> }
  return Object.keys(packages).filter((path) => packages[path].devOptional)
}

async function foreignBindings(): Promise<string[]> {
  const platforms = await readdir(join(PATHS.root, bindings))
  const cpus = platforms.includes(process.platform) ? await readdir(join(PATHS.root, bindings, process.platform)) : []
  return [
    ...platforms.filter((platform) => platform !== process.platform).map((platform) => join(bindings, platform)),
    ...cpus.filter((cpu) => cpu !== process.arch).map((cpu) => join(bindings, process.platform, cpu))
  ]
}

async function foreignQueryCompilers(): Promise<string[]> {
  const files = await readdir(join(PATHS.root, queryCompilers))
  return files.filter((file) => file.startsWith('query_compiler_') && !OURS.test(file)).map((file) => join(queryCompilers, file))
}
