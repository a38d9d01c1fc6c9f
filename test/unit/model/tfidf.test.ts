import { beforeAll, describe, expect, test } from 'vitest'
import { ngramsOf } from '../../../src/text/ngrams.js'
import { chooseColumns, columnFinder, countNgrams, tfidfByColumn, tfidfRows, withJoinedCounts, type NgramCounts } from '../../../src/model/tfidf.js'
import { transposed } from '../../../src/regression/sparse-matrix.js'
import { LINK } from '../../../src/text/normalize.js'
import type { SparseRows } from '../../../src/regression/sparse-matrix.js'

const BUCKETS = 2 ** 20
const EDGE = '|edge|'

/** A sign of a text, plainly: what it says and the characters [start, end) that it stands for. */
interface PlainSign {
  sign: string
  start: number
  end: number
}

/** An n-gram as the signs that it is of, and the characters [start, end) that these stand for. */
interface PlainNgram {
  key: string
  start: number
  end: number
}

/** What is left of a character when the words are masked. */
function shapeOf(character: string): string {
  if (/^\p{Lu}/u.test(character)) return 'capital'
  if (/^\p{L}/u.test(character)) return 'letter'
  if (/^\p{N}/u.test(character)) return 'digit'
  return /^\p{Extended_Pictographic}/u.test(character) ? 'picture' : `itself: ${character}`
}

/** The signs of a text's shape: runs of capitals, other letters and digits are one sign each. */
function plainShape(split: string[]): PlainSign[] {
  const signs: PlainSign[] = []
  split.map(shapeOf).forEach((sign, i) => {
    const last = signs.at(-1)
    if (last?.sign === sign && ['capital', 'letter', 'digit'].includes(sign)) last.end = i + 1
    else signs.push({ sign, start: i, end: i + 1 })
  })
  return signs
}

/** The n-grams of a text that is split already, the plain way: nothing is hashed. */
function plainNgrams(split: string[]): PlainNgram[] {
  const ngrams = (kind: string, signs: PlainSign[], shortest: number, longest: number): PlainNgram[] => {
    const begin = { sign: EDGE, start: 0, end: 0 }
    const end = { sign: EDGE, start: split.length, end: split.length }
    const between = [begin, ...signs, end]
    return between.flatMap((_, first) =>
      Array.from({ length: longest - shortest + 1 }, (_, i) => between.slice(first, first + shortest + i))
        .filter((members, i) => members.length === shortest + i && members.some(({ sign }) => sign !== EDGE))
        .map((members) => ({
          key: JSON.stringify([kind, ...members.map(({ sign }) => sign)]),
          start: members[0].start,
          end: members.at(-1)!.end
        }))
    )
  }
  const letters = split.map((sign, i) => ({ sign, start: i, end: i + 1 }))
  return [...ngrams('characters', letters, 1, 3), ...ngrams('shape', plainShape(split), 2, 5)]
}

/** The bucket of the one n-gram with these signs. */
function bucketOf(text: string, ...signs: string[]): number {
  const at = plainNgrams([...text]).findIndex(({ key }) => key === JSON.stringify(signs))
  return ngramPlaces(text)[at].bucket
}

/** Each n-gram of a text: its bucket and the characters [start, end) that it covers. */
function ngramPlaces(text: string): { bucket: number; start: number; end: number }[] {
  const { buckets, starts, ends } = ngramsOf(text)
  return Array.from(buckets, (bucket, p) => ({ bucket, start: starts[p], end: ends[p] }))
}

/** How often each is there. */
function tally<T>(items: T[]): Map<T, number> {
  const counts = new Map<T, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/** The bucket of each plain n-gram; fails where one n-gram has two buckets or two n-grams share one. */
function bucketsOf(splits: string[][]): Map<string, number> {
  const buckets = new Map<string, number>()
  for (const split of splits) {
    const places = ngramPlaces(split.join(''))
    plainNgrams(split).forEach(({ key }, i) => {
      expect(buckets.get(key) ?? places[i].bucket).toBe(places[i].bucket)
      buckets.set(key, places[i].bucket)
    })
  }
  expect(new Set(buckets.values()).size).toBe(buckets.size)
  return buckets
}

const bucketCounts = ({ starts, buckets, counts }: NgramCounts, i: number): Map<number, number> =>
  new Map(Array.from(buckets.slice(starts[i], starts[i + 1]), (bucket, p) => [bucket, counts[starts[i] + p]]))

const rowValues = ({ starts, indices, values }: SparseRows, i: number): Map<number, number> =>
  new Map(Array.from(indices.slice(starts[i], starts[i + 1]), (column, p) => [column, values[starts[i] + p]]))

const lengthOf = (row: Map<number, number>): number => Math.hypot(...row.values())

const SPLITS: [string, string[]][] = [
  ['nothing', []],
  ['one letter', ['a']],
  ['two letters', ['a', 'b']],
  ['a word', [...'banana']],
  ['the same letter', [...'aaaaaaa']],
  ['case and signs', [...'Oh!! oh… NO?']],
  ['a link in the middle', [...'see ', LINK, ...' now']],
  ['emoji alone', ['👩🏽‍🚀', '👩🏽‍🚀', '😀']],
  ['flags beside letters', [...'go ', '🇯🇵', '🇫🇷', '!']],
  ['combining marks', ['x\u0323\u0307', 'e\u0301', 'x\u0323\u0307']],
  ['Japanese', [...'東京です。東京']],
  ['Arabic', [...'مرحبا']],
  ['lines', [...'a\nb\n\nc']]
]

describe('the n-grams of a text', () => {
  test('cover these characters of "aB"', () => {
    expect(ngramPlaces('aB').map(({ start, end }) => [start, end])).toEqual([
      [0, 1], [0, 2], // edge a, edge aB
      [0, 1], [0, 2], [0, 2], // a, aB, aB edge
      [1, 2], [1, 2], // B, B edge
      [0, 1], [0, 2], [0, 2], // of the shape: edge a, edge aA, edge aA edge
      [0, 2], [0, 2], // aA, aA edge
      [1, 2] // A edge
    ])
  })

  test('of an empty text are none', () => {
    expect(ngramPlaces('')).toEqual([])
  })

  test.each(SPLITS)('cover exactly the characters that they are of: %s', (_, split) => {
    const places = ngramPlaces(split.join(''))
    expect(places.map(({ start, end }) => ({ start, end }))).toEqual(
      plainNgrams(split).map(({ start, end }) => ({ start, end }))
    )
  })

  test.each(SPLITS)('are counted as a plain count by strings has them: %s', (_, split) => {
    const buckets = bucketsOf([split])
    const expected = tally(plainNgrams(split).map(({ key }) => buckets.get(key)!))
    expect(bucketCounts(countNgrams([split.join('')]), 0)).toEqual(expected)
  })

  test('of several texts are counted for each by itself', () => {
    const counted = countNgrams(SPLITS.map(([, split]) => split.join('')))
    expect(counted.starts).toHaveLength(SPLITS.length + 1)
    SPLITS.forEach(([, split], i) => {
      expect(bucketCounts(counted, i)).toEqual(bucketCounts(countNgrams([split.join('')]), 0))
    })
  })

  test('of a long text are all counted', () => {
    const split = Array.from({ length: 4000 }, (_, i) => String.fromCharCode(32 + ((i * i * 7 + i) % 90)))
    const { counts } = countNgrams([split.join('')])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(plainNgrams(split).length)
  })

  test('of a link are the same wherever it leads', () => {
    expect(ngramPlaces('see https://t.co/abc now')).toEqual(ngramPlaces('see https://t.co/aLongerOne1 now'))
  })

  test('tell how a text begins from how it ends and from its middle', () => {
    const begins = bucketOf('abc', 'characters', EDGE, 'a')
    const within = bucketOf('cac', 'characters', 'a')
    const ends = bucketOf('cba', 'characters', 'a', EDGE)
    expect(new Set([begins, within, ends]).size).toBe(3)
  })

  test('tell the shape "aa" from the letters "aa"', () => {
    expect(bucketOf('a.', 'shape', 'letter', 'itself: .')).not.toBe(bucketOf('a.', 'characters', 'a', '.'))
  })

  test.each([
    ['Hello, you 2!', 'Adieu, ami 1789!'],
    ['ОК да', 'NO yes'],
    ['so 😀😀', 'ah 👩🏽‍🚀🎉'],
    ['日本 2', 'no 25']
  ])('of the shape are the same for %j and %j, whose words differ', (a, b) => {
    const shapes = (text: string): number[] => {
      const split = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
      const first = plainNgrams(split).findIndex(({ key }) => key.startsWith('["shape"'))
      return ngramPlaces(text).slice(first).map(({ bucket }) => bucket)
    }
    expect(shapes(a).length).toBeGreaterThan(5)
    expect(shapes(a)).toEqual(shapes(b))
  })

  test('stay what they were when another text is read', () => {
    const first = ngramsOf('The first text, a longer one.')
    const before = structuredClone(first)
    ngramsOf('Another!')
    countNgrams(['And more', 'and more again'])
    expect(first).toEqual(before)
  })

  test('have the same buckets alone, among other texts, and in every call', () => {
    const text = 'Stable, surely? 👍🏽'
    const alone = countNgrams([text])
    const among = countNgrams(['Something else', text, text])
    expect(bucketCounts(among, 1)).toEqual(bucketCounts(alone, 0))
    expect(bucketCounts(among, 2)).toEqual(bucketCounts(alone, 0))
    expect(countNgrams([text])).toEqual(alone)
  })

  test('are spread over the buckets as evenly as by chance', () => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz']
    const ngrams = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)))
    const at = plainNgrams([...'abc']).findIndex(({ key }) => key === JSON.stringify(['characters', ...'abc']))
    const buckets = ngrams.map((ngram) => ngramPlaces(ngram)[at].bucket)
    const expected = BUCKETS * (1 - (1 - 1 / BUCKETS) ** ngrams.length)
    const distinct = new Set(buckets).size
    expect(Math.abs(distinct - expected)).toBeLessThan(100)
    expect(Math.min(...buckets)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...buckets)).toBeLessThan(BUCKETS)
    expect(buckets.filter((bucket) => bucket < BUCKETS / 2).length / ngrams.length).toBeCloseTo(0.5, 1)
  })
})

describe('rows of weighted n-grams', () => {
  const splits = ['hello there', 'hell no', 'oh no no no', 'there, there', 'zzz'].map((text) => [...text])
  const counted = countNgrams(splits.map((split) => split.join('')))
  const { columns, columnOf: byTable } = chooseColumns(counted)
  const rows = tfidfRows(counted, columns)
  const keys = splits.map((split) => tally(plainNgrams(split).map(({ key }) => key)))
  const textsWith = tally(keys.flatMap((counts) => [...counts.keys()]))
  let buckets: Map<string, number>
  beforeAll(() => {
    buckets = bucketsOf(splits)
  })
  const columnOf = (key: string): number => columnFinder(columns)(buckets.get(key)!)
  const idf = (key: string): number => (1 + Math.log((1 + splits.length) / (1 + textsWith.get(key)!))) ** 1.5

  test('have a column for each n-gram of two texts or more, and for no other', () => {
    const shared = [...textsWith].filter(([, texts]) => texts >= 2).map(([key]) => key)
    const lone = [...textsWith].filter(([, texts]) => texts === 1).map(([key]) => key)
    expect(lone.length).toBeGreaterThan(10)
    expect(lone.map(columnOf)).toEqual(lone.map(() => -1))
    expect(shared.map(columnOf).sort((a, b) => a - b)).toEqual(shared.map((_, i) => i))
    expect(rows.columns).toBe(shared.length)
    expect(columns.buckets).toHaveLength(shared.length)
  })

  test('are the same numbers by the column', () => {
    const byColumn = tfidfByColumn(counted, chooseColumns(counted))
    expect(byColumn).toEqual(transposed(rows))
    const none = countNgrams([])
    expect(tfidfByColumn(none, chooseColumns(none))).toMatchObject({ rows: 0, columns: 0 })
  })

  test('are the same for texts that were counted in several lots', () => {
    const lots = [countNgrams(['hello there', 'hell no']), countNgrams([]), countNgrams(['oh no no no', 'there, there', 'zzz'])]
    expect(withJoinedCounts(lots, ({ starts, buckets, counts }) => [...starts, ...buckets, ...counts])).toEqual([...counted.starts, ...counted.buckets, ...counted.counts])
    expect(withJoinedCounts([], ({ starts, buckets }) => [[...starts], buckets.length])).toEqual([[0], 0])
  })

  test('find their columns by a table as by bisection', () => {
    const byBisection = columnFinder(columns)
    for (const bucket of [...buckets.values(), 0, 2 ** 20 - 1]) expect(byTable(bucket)).toBe(byBisection(bucket))
  })

  test('find their columns also after columns of other texts have been chosen and used', () => {
    const before = [...buckets.values()].map(byTable)
    const other = chooseColumns(countNgrams(['there is no other', 'there was another', 'no other there']))
    expect([...buckets.values()].map(other.columnOf)).not.toEqual(before)
    expect([...buckets.values()].map(byTable)).toEqual(before)
  })

  test('are found also after their table was given back and is used for other columns', () => {
    const [first, second] = [chooseColumns(counted), chooseColumns(counted)]
    const asked = [...buckets.values()]
    const before = asked.map(first.columnOf)
    first.release()
    first.release()
    const others = chooseColumns(countNgrams(['there is no other', 'there was another', 'no other there']))
    expect(asked.map(first.columnOf)).toEqual(before)
    expect(asked.map(second.columnOf)).toEqual(before)
    const fresh = columnFinder(others.columns)
    for (const bucket of [...asked, ...others.columns.buckets]) expect(others.columnOf(bucket)).toBe(fresh(bucket))
  })

  test('weigh an n-gram by how few texts have it', () => {
    for (const key of textsWith.keys()) {
      if (columnOf(key) >= 0) expect(columns.idf[columnOf(key)]).toBeCloseTo(idf(key), 5)
    }
  })

  test('hold the log count times the inverse document frequency, divided by their length', () => {
    keys.forEach((counts, i) => {
      const known = [...counts].filter(([key]) => textsWith.get(key)! >= 2)
      const raw = known.map(([key, count]) => (1 + Math.log(count)) * idf(key))
      const length = Math.sqrt(raw.reduce((sum, value) => sum + value ** 2, 0))
      const row = rowValues(rows, i)
      expect(row.size).toBe(known.length)
      known.forEach(([key], j) => expect(row.get(columnOf(key))).toBeCloseTo(raw[j] / length, 6))
    })
  })

  test('are of length 1', () => {
    expect(rows.rows).toBe(splits.length)
    splits.forEach((_, i) => expect(lengthOf(rowValues(rows, i))).toBeCloseTo(1, 6))
  })

  test('are well-formed: starts that never fall, columns that are there, each once in a row', () => {
    expect(rows.starts[0]).toBe(0)
    expect(rows.starts[rows.rows]).toBe(rows.indices.length)
    expect(rows.values).toHaveLength(rows.indices.length)
    splits.forEach((_, i) => {
      expect(rows.starts[i + 1]).toBeGreaterThanOrEqual(rows.starts[i])
      const columnsOfRow = [...rows.indices.slice(rows.starts[i], rows.starts[i + 1])]
      expect(new Set(columnsOfRow).size).toBe(columnsOfRow.length)
      expect(columnsOfRow.every((column) => column >= 0 && column < rows.columns)).toBe(true)
    })
  })

  test('of a text with nothing known are empty, and those after it are whole', () => {
    const other = tfidfRows(countNgrams(['§¶', 'hello there']), columns)
    expect(rowValues(other, 0).size).toBe(0)
    expect(rowValues(other, 1)).toEqual(rowValues(rows, 0))
  })

  test('of an empty text are empty', () => {
    const other = tfidfRows(countNgrams(['']), columns)
    expect([...other.starts]).toEqual([0, 0])
    expect(other.columns).toBe(rows.columns)
  })

  test('of no texts are none', () => {
    const none = countNgrams([])
    expect(tfidfRows(none, chooseColumns(none).columns)).toMatchObject({ rows: 0, columns: 0 })
    expect(tfidfRows(none, columns)).toMatchObject({ rows: 0, columns: rows.columns })
  })

  test('of a single text have no columns', () => {
    const one = countNgrams(['hello hello hello'])
    expect(tfidfRows(one, chooseColumns(one).columns)).toMatchObject({ rows: 1, columns: 0, indices: new Int32Array(0) })
  })

  test('are the same for a new text whatever texts come with it', () => {
    const alone = tfidfRows(countNgrams(['oh hello']), columns)
    const among = tfidfRows(countNgrams(['no', 'oh hello', 'there']), columns)
    expect(rowValues(among, 1)).toEqual(rowValues(alone, 0))
  })
})
