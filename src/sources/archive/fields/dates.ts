// Dates as exporters write them. One form a line: to read another one, add a line.
//
// 3/10/2017 may be in March or in October. Which of the two is found by the whole file: see DayOrder.

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const [EARLIEST, LATEST] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]
const FIRST_YEAR = 70 // of two digits that mean 19..

/** Minutes east of Greenwich. A name that is not here counts as UTC. */
const ZONES: Record<string, number> = {
  bst: 60, west: 60, cet: 60, mez: 60, cest: 120, mesz: 120, eet: 120, eest: 180, msk: 180, ist: 330, jst: 540, kst: 540, aest: 600, aedt: 660, nzst: 720, nzdt: 780,
  brt: -180, edt: -240, est: -300, cdt: -300, cst: -360, mdt: -360, mst: -420, pdt: -420, pst: -480, akdt: -480, akst: -540, hst: -600
}

const WEEKDAY = '(?:\\p{L}{2,9}\\.?,? +)?'
const TIME = '(?<hour>\\d{1,2}):(?<minute>\\d\\d)(?::(?<second>\\d\\d)(?:[.,](?<fraction>\\d+))?)? ?(?<half>[ap]\\.?m\\.?)?'
const ZONE = ' ?\\(?(?<zone>z|(?:utc|gmt)?[+-]\\d\\d?(?::?\\d\\d)?|[a-z]{2,5})?\\)?'
const LATER = `(?:(?:T|,? (?:at |[·-] ?)?|_)${TIME}${ZONE})?` // a time after the day
const YEAR = '(?<year>\\d{4})'
const SHORT_YEAR = '(?<year>\\d{4}|\\d\\d)'
const NAMED_MONTH = '(?<name>[a-z]{3,9})\\.?'
const DAY = '(?<day>\\d{1,2})(?:st|nd|rd|th)?'

const FORMS = [
  `${YEAR}-(?<month>\\d\\d?)-${DAY}${LATER}`, // 2018-10-10T20:19:24.000Z, 2018-10-10 22:19 +0200, 2021-03-23 12:00:00 CET
  `${YEAR}[/.](?<month>\\d\\d?)[/.]${DAY}${LATER}`, // 2018/10/10 20:19
  `(?<year>(?:19|20)\\d\\d)(?<month>\\d\\d)(?<day>\\d\\d)(?:T?(?<hour>\\d\\d)(?<minute>\\d\\d)(?<second>\\d\\d)${ZONE})?`, // 20181010
  `${WEEKDAY}${NAMED_MONTH} ${DAY} ${TIME}${ZONE} ${YEAR}`, // Wed Oct 10 20:19:24 +0000 2018, Mon Apr 06 22:19:45 PDT 2009
  `${WEEKDAY}${NAMED_MONTH} ${DAY},? ${YEAR}${LATER}`, // Tue, Jul 14, 2026; Jun 3, 2023 · 9:22 PM UTC; June 03, 2023 at 09:22PM
  `${WEEKDAY}${DAY}[ -]${NAMED_MONTH}[ -]${SHORT_YEAR}${LATER}`, // Sat, 03 Jun 2023 21:22:37 GMT; 3-Jun-23
  `${TIME}${ZONE} ?[·-] ?${NAMED_MONTH} ${DAY},? ${YEAR}`, // 9:22 PM · Jun 3, 2023
  `${TIME}${ZONE} ?[·-] ?${DAY} ${NAMED_MONTH},? ${YEAR}`, // 9:22 PM - 3 Jun 2023
  `(?<a>\\d{1,2})(?<mark>[./-])(?<b>\\d{1,2})\\k<mark>${SHORT_YEAR}${LATER}` // 10/31/2017 19:58, 31.10.2017, 31-10-2017
].map((form) => new RegExp(`^${form}$`, 'iu'))

/** Which comes first in dates of two numbers and a year, such as 3/10/2017. */
export type DayOrder = 'day' | 'month'

export interface ReadDate {
  date: Date
  /** The two numbers and the mark between them, of a date that could be meant in two ways. */
  numbers?: { a: number; b: number; mark: string }
}

/**
 * A date as text, or as seconds, milliseconds or microseconds since 1970, in UTC unless it names a zone. Null for anything else,
 * and for years that have not four digits.
 */
export function readDate(value: unknown, order: DayOrder): ReadDate | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  const text = String(value).trim().replace(/[\s\u202f]+/g, ' ')
  if (text.length > 60) return null
  const epoch = readEpoch(text)
  if (epoch !== null) return within(epoch)
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups
    if (groups) return fromParts(groups, order)
  }
  return null
}

/** Milliseconds, out of a number of 9 or more digits, which may have a fraction or an exponent. */
function readEpoch(text: string): number | null {
  if (!/^\d{9,16}(\.\d+)?$|^\d\.\d+e\+?\d{1,2}$/i.test(text) || /^(19|20)\d{6}$/.test(text)) return null
  const number = Number(text)
  if (number >= 1e8 && number < 1e10) return number * 1000
  if (number >= 1e11 && number < 1e13) return number
  return number >= 1e14 && number < 1e16 ? number / 1000 : null
}

function fromParts(groups: Record<string, string | undefined>, order: DayOrder): ReadDate | null {
  const [a, b] = [Number(groups.a), Number(groups.b)]
  const inPair = groups.a !== undefined
  const isDayFirst = a > 12 || (order === 'day' && b <= 12)
  const day = inPair ? (isDayFirst ? a : b) : Number(groups.day)
  const month = inPair ? (isDayFirst ? b : a) : groups.name ? MONTHS.indexOf(groups.name.slice(0, 3).toLowerCase()) + 1 : Number(groups.month)
  const time = Date.UTC(2000, 0, 1, hourOf(groups), Number(groups.minute ?? 0), Number(groups.second ?? 0), Math.floor(Number(`0.${groups.fraction ?? 0}`) * 1000 + 1e-6)) - Date.UTC(2000, 0, 1)
  const midnight = new Date(0)
  midnight.setUTCFullYear(fullYear(groups.year ?? ''), month - 1, day)
  if (midnight.getUTCDate() !== day || midnight.getUTCMonth() !== month - 1 || hourOf(groups) > 23 || Number(groups.minute ?? 0) > 59) return null
  const read = within(midnight.getTime() + time - minutesOf(groups.zone) * 60_000)
  return read && (inPair ? { ...read, numbers: { a, b, mark: groups.mark! } } : read)
}

function within(ms: number): ReadDate | null {
  return ms >= EARLIEST && ms <= LATEST ? { date: new Date(Math.floor(ms)) } : null
}

function fullYear(year: string): number {
  if (year.length === 4) return Number(year)
  return Number(year) < FIRST_YEAR ? 2000 + Number(year) : 1900 + Number(year)
}

function hourOf({ hour = '0', half }: Record<string, string | undefined>): number {
  if (!half) return Number(hour)
  return (Number(hour) % 12) + (/^p/i.test(half) ? 12 : 0)
}

function minutesOf(zone = ''): number {
  const [, sign, hours, minutes = '0'] = /([+-])(\d\d?):?(\d\d)?$/.exec(zone) ?? []
  if (sign) return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  return ZONES[zone.toLowerCase()] ?? 0
}

/**
 * Finds the order of a file's dates: a number above 12 is a day; where there is none, the order in which the dates run up or
 * down more steadily; where that says nothing, the day first unless the mark is a slash.
 */
export function createDayOrder() {
  let [aboveFirst, aboveSecond, pairs, slashes] = [0, 0, 0, 0]
  const turns = { day: 0, month: 0 } // how often the dates change from rising to falling
  const last: Record<DayOrder, { key: number; rises: boolean | null }> = { day: { key: 0, rises: null }, month: { key: 0, rises: null } }

  function follow(order: DayOrder, key: number): void {
    const before = last[order]
    const rises = before.key === 0 || key === before.key ? before.rises : key > before.key
    if (before.rises !== null && rises !== before.rises) turns[order]++
    last[order] = { key, rises }
  }

  return {
    add({ date, numbers }: ReadDate): void {
      if (!numbers) return
      const { a, b, mark } = numbers
      pairs++
      if (a > 12) aboveFirst++
      if (b > 12) aboveSecond++
      if (mark === '/') slashes++
      if (a > 12 || b > 12) return
      const year = date.getUTCFullYear() * 10_000
      follow('day', year + b * 100 + a)
      follow('month', year + a * 100 + b)
    },
    /** Null where there is no such date. */
    order(): DayOrder | null {
      if (pairs === 0) return null
      if (aboveFirst !== aboveSecond) return aboveFirst > aboveSecond ? 'day' : 'month'
      if (turns.day !== turns.month) return turns.day < turns.month ? 'day' : 'month'
      return slashes * 2 > pairs ? 'month' : 'day'
    }
  }
}
