// Numbers, times and invisible characters as readers see them.

import { LINK } from './normalize.js'

/** 0.0374 → "3.7%"; never "100%" or "0%" for what is not certain. */
export function percent(probability: number): string {
  if (probability > 0 && probability < 0.001) return '< 0.1%'
  if (probability < 1 && probability > 0.999) return '> 99.9%'
  return `${(probability * 100).toFixed(1).replace(/\.0$/, '')}%`
}

// Made once: a new one for each date takes longer than the rest of a page.
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
const NUMBER = new Intl.NumberFormat('en')

/** A date as readers of any country read it, in UTC: "21 Nov 2026, 07:05 UTC". */
export function when(date: Date): string {
  return `${DATE.format(date)} UTC`
}

/** "1 tweet", "2 tweets" */
export function count(n: number, noun: string): string {
  return `${NUMBER.format(n)} ${noun}${n === 1 ? '' : 's'}`
}

/** 2.345 → "+2.3", -0.02 → "−0.0" */
export function signed(part: number): string {
  return `${part < 0 ? '−' : '+'}${Math.abs(part).toFixed(1)}`
}

/** Masked links as 🔗. */
export const showLinks = (text: string): string => text.replaceAll(LINK, '🔗')

/** What cannot be seen made visible: links as 🔗, line breaks as ⏎, other spaces as ␣. */
export function madeVisible(text: string): string {
  return showLinks(text).replaceAll('\n', '⏎').replace(/\s/g, '␣')
}
