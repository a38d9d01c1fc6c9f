import { describe, expect, test } from 'vitest'
import { measureRows, pieceTables, timeCharts } from '../../../src/pictures/user-charts.js'

const piece = (text: string, weight: number, theirs = 10, others = 1) => ({ text, weight, theirs, others })

describe('the tables of typical pieces', () => {
  test('have a bar for each weight in proportion to the heaviest of both', () => {
    const tables = pieceTables({ words: [piece('tea', 8), piece('milk', 2)], ngrams: [piece('ea ', 4)] })
    expect(tables.map(({ title, head }) => [title, head])).toEqual([['Words', 'Word'], ['Pieces of text', 'Piece']])
    expect(tables.map(({ rows }) => rows.map(({ text, weight, width }) => [text, weight, width]))).toEqual([
      [['tea', '8.0', '100.0'], ['milk', '2.0', '25.0']], [['ea ', '4.0', '50.0']]
    ])
  })

  test('leave out an empty list', () => {
    expect(pieceTables({ words: [], ngrams: [piece('ea ', 4)] }).map(({ title }) => title)).toEqual(['Pieces of text'])
    expect(pieceTables({ words: [], ngrams: [] })).toEqual([])
  })

  test.each([[0, '0'], [0.01, '< 0.1'], [0.05, '0.1'], [3.04, '3'], [9.94, '9.9'], [9.96, '10'], [56.6, '57'], [100, '100']])(
    'say %d in 100 tweets as %s', (share, shown) => {
      const [{ rows: [row] }] = pieceTables({ words: [piece('tea', 8, share, share)], ngrams: [] })
      expect([row.theirs, row.others]).toEqual([shown, shown])
    }
  )
})

describe('the charts of hours and weekdays', () => {
  const hours = Array.from({ length: 24 }, (_, hour) => ({ 7: 2, 23: 8 })[hour] ?? 0)
  const weekdays = [1, 0, 9, 0, 0, 0, 0]
  const [byHour, byDay] = timeCharts({ dated: 10, hours, weekdays })

  test('have a bar for each count, as high as it is in proportion to the largest, standing on the axis', () => {
    expect(byHour.bars.map(({ tweets }) => tweets)).toEqual(hours)
    expect(byDay.bars.map(({ tweets }) => tweets)).toEqual(weekdays)
    expect(byHour.bars[23]).toEqual({ label: '23:00', tweets: 8, slot: { x: 230, width: 10 }, x: 231, width: 8, y: '8.0', height: '70.0' })
    expect(byHour.bars[7]).toMatchObject({ label: '07:00', y: '60.5', height: '17.5' })
    expect(byHour.bars[0]).toMatchObject({ y: '78.0', height: '0.0' })
    expect(byDay.bars[2]).toEqual({ label: 'Wednesday', tweets: 9, slot: { x: 68, width: 34 }, x: 73, width: 24, y: '8.0', height: '70.0' })
  })

  test('lie within a picture that is 240 wide', () => {
    for (const { bars, ticks } of [byHour, byDay]) {
      expect(bars.at(-1)!.slot.x + bars.at(-1)!.slot.width).toBeLessThanOrEqual(240)
      expect(ticks.at(-1)!.x).toBeLessThan(240)
    }
  })

  test('say which bar is the highest, the first of several', () => {
    expect([byHour.highest, byDay.highest]).toMatchObject([{ label: '23:00', tweets: 8 }, { label: 'Wednesday', tweets: 9 }])
    const [even] = timeCharts({ dated: 24, hours: new Array<number>(24).fill(1), weekdays })
    expect(even.highest.label).toBe('00:00')
  })

  test('name every sixth hour and every weekday', () => {
    expect(byHour.ticks.map(({ x, label }) => [x, label])).toEqual([[0, '00'], [60, '06'], [120, '12'], [180, '18']])
    expect(byDay.ticks.map(({ label }) => label)).toEqual(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])
    expect(byDay.ticks[0]).toEqual({ x: 17, label: 'Mon', isCentred: true })
  })
})

describe('the rows of habits', () => {
  const row = (theirs: number | null, others: number | null, unit: 'number' | 'share' = 'number') => measureRows([{ name: 'a habit', unit, theirs, others }])[0]

  test('have bars in proportion to the larger of the two', () => {
    expect(row(2, 8)).toMatchObject({ name: 'a habit', theirs: { width: '25.0' }, others: { width: '100.0' } })
  })

  test('have a visible bar for little, and none for nothing', () => {
    expect(row(0.001, 8).theirs.width).toBe('1.0')
    expect(row(0, 8).theirs.width).toBe('0.0')
    expect(row(0, 0)).toMatchObject({ theirs: { width: '0.0' }, others: { width: '0.0' } })
    expect(row(null, null)).toMatchObject({ theirs: { amount: '–', width: '0.0' }, others: { amount: '–', width: '0.0' } })
  })

  test.each([[0, '0'], [0.001, '< 0.01'], [0.25, '0.25'], [9.994, '9.99'], [10, '10'], [123.4, '123']])('say the number %d as %s', (n, shown) => {
    expect(row(n, n).theirs.amount).toBe(shown)
  })

  test('say a share in percent', () => {
    expect(row(0.123, 1, 'share')).toMatchObject({ theirs: { amount: '12.3%' }, others: { amount: '100%' } })
  })
})
