// Where the files beside the code lie. This file is two folders below the project, in src/core/ as in dist/core/.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export const PATHS = {
  root: ROOT,
  packageJson: join(ROOT, 'package.json'),
  encoder: join(ROOT, 'models', 'style-encoder'),
  simd: join(ROOT, 'src', 'regression', 'simd', 'simd.wasm'),
  migrations: join(ROOT, 'prisma', 'migrations'),
  samples: join(ROOT, 'prisma', 'samples.json'),
  views: join(ROOT, 'views'),
  public: join(ROOT, 'public')
}

/** Whether the code runs from its TypeScript sources (tsx, vitest) and not as it was built. */
export const RUNS_FROM_SOURCE = import.meta.url.endsWith('.ts')
