// The classes of training rows: class numbers 0 … k−1, and row weights that balance them.

/** Weights that let each class count the same, n / (k · rows of the class), so that they sum to n; 0 for rows left out. */
export function balancedWeights(y: Int32Array, isIn: (row: number) => boolean = () => true): Float64Array {
  const sizes = new Map<number, number>()
  y.forEach((c, i) => isIn(i) && sizes.set(c, (sizes.get(c) ?? 0) + 1))
  const rows = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  return Float64Array.from(y, (c, i) => (isIn(i) ? rows / (sizes.size * sizes.get(c)!) : 0))
}

/**
 * How many classes there are.
 * @throws RangeError where there are fewer than two, or they are not numbered 0 … k−1, or not one for each row
 */
export function checkClasses(rows: { rows: number }, classes: ArrayLike<number>): number {
  if (classes.length !== rows.rows) throw new RangeError(`${rows.rows} rows but ${classes.length} classes`)
  const there = new Set(Array.from(classes))
  const numbered = Array.from(there).every((c) => Number.isInteger(c) && c >= 0 && c < there.size)
  if (there.size < 2 || !numbered) throw new RangeError('Classes are numbered 0, 1, … without a gap, and there are at least two.')
  return there.size
}
