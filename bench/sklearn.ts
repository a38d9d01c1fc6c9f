// scikit-learn's logistic regression, fitted in a process of its own on one thread.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { SparseRows } from '../src/regression/sparse-matrix.js'

const SCRIPT = fileURLToPath(new URL('./sklearn_fit.py', import.meta.url))
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }
const SECONDS = 5
const Fit = z.object({ ms: z.number(), loss: z.number(), steps: z.number() })

export const NO_SKLEARN = 'skipped: no python3 with sklearn here (BENCH_PYTHON can name one)'

const run = promisify(execFile)
const environment = { ...process.env, ...ONE_THREAD }
let python: Promise<string | undefined> | undefined

/** scikit-learn's median time in ms, its loss and its steps on these rows; undefined if no Python has it. */
export async function fitSklearn(rows: SparseRows, labels: Int32Array, penalty: number, kind: 'dense' | 'sparse'): Promise<z.infer<typeof Fit> | undefined> {
  python ??= findPython()
  const found = await python
  if (!found) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'hypotweet-bench-'))
  try {
    const file = join(folder, 'rows')
    const head = Int32Array.of(rows.rows, rows.columns, rows.values.length)
    const arrays = [head, rows.starts, rows.indices, labels, rows.values]
    await writeFile(file, arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)))
    const { stdout } = await run(found, [SCRIPT, file, String(penalty), kind, String(SECONDS)], { env: environment })
    return Fit.parse(JSON.parse(stdout))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The first Python that has the library: that of a version manager often lacks what the system's has. */
async function findPython(): Promise<string | undefined> {
  const named = process.env.BENCH_PYTHON
  for (const path of named ? [named] : ['python3', '/usr/bin/python3', 'python']) {
    const isThere = await run(path, ['-c', 'import sklearn'], { env: environment }).then(() => true, () => false)
    if (isThere) return path
  }
  return undefined
}
