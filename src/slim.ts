// What a deployment runs last: takes from node_modules what only other platforms, or browsers, would use.

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url))
const bindings = join('onnxruntime-node', 'bin', 'napi-v6')

const unused = ['onnxruntime-web']
for (const platform of await readdir(join(modules, bindings))) {
  const folder = join(bindings, platform)
  if (platform !== process.platform) unused.push(folder)
  else for (const cpu of await readdir(join(modules, folder))) if (cpu !== process.arch) unused.push(join(folder, cpu))
}
for (const folder of unused) await rm(join(modules, folder), { recursive: true, force: true })
console.log(`Removed from node_modules: ${unused.join(', ')}`)
