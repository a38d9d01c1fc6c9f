// Principal component analysis (Jolliffe 2002, "Principal Component Analysis", section 1.1): the plane on which rows of
// numbers differ most.

import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

export interface Plane {
  mean: number[]
  /** d×2: the weights of a row's numbers in the two coordinates. */
  axes: number[][]
}

/** The plane of the two principal components of rows of d numbers (at least two rows and two numbers). */
export function principalPlane(rows: ArrayLike<number>[]): Plane {
  const d = rows[0].length
  const mean = Array.from({ length: d }, (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length)
  const covariance = Array.from({ length: d }, () => new Float64Array(d))
  for (const row of rows) {
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) covariance[i][j] += (row[i] - mean[i]) * (row[j] - mean[j])
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(new Matrix(covariance), { assumeSymmetric: true })
  const [first, second] = realEigenvalues.map((value, i) => ({ value, i })).sort((a, b) => b.value - a.value)
  return { mean, axes: mean.map((_, j) => [eigenvectorMatrix.get(j, first.i), eigenvectorMatrix.get(j, second.i)]) }
}

/** Where a row lies on the plane. */
export function project({ mean, axes }: Plane, row: ArrayLike<number>): [number, number] {
  let [x, y] = [0, 0]
  for (let j = 0; j < row.length; j++) {
    x += (row[j] - mean[j]) * axes[j][0]
    y += (row[j] - mean[j]) * axes[j][1]
  }
  return [x, y]
}
