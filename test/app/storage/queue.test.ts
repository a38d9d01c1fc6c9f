import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLog } from '../../../src/core/log.js'
import { openQueue, type Queue } from '../../../src/storage/queue.js'
import { databases, type TestDatabase } from '../../support/databases.js'
import { query } from '../../../support/databases.js'
import { openDoor, type Door } from '../../support/door.js'

const POLLING = { messages: 0.1, schedules: 1 } // s

describe.each(databases)('the queue on the $name', ({ open }) => {
  let database: TestDatabase
  let door: Door
  let queues: Queue[]

  beforeAll(async () => {
    database = await open()
  })
  beforeEach(async () => {
    door = await openDoor(database.url)
    queues = []
  })
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.close()))
    await door.shut()
    await query(database.url, 'DROP SCHEMA pgboss CASCADE')
  })
  afterAll(() => database.close())

  /** The queue as one of several processes has it. */
  function process(polling = POLLING): Queue {
    const queue = openQueue(door.url, createLog('silent'), polling)
    queues.push(queue)
    return queue
  }

  test('hands each message to one of several processes, once', async () => {
    const received: string[] = []
    for (const queue of [process(), process()]) await queue.work(async (key) => void received.push(key), 2)
    const keys = Array.from({ length: 30 }, (_, i) => `user ${i}`)
    await Promise.all(keys.map((key, i) => queues[i % 2].send(key)))
    await vi.waitFor(() => expect(received.length).toBe(30), 10_000)
    await pause(300)
    expect(received.sort()).toEqual(keys.sort())
  })

  test('hands a message to its own process without waiting for the next poll', async () => {
    const queue = process({ messages: 3600, schedules: 1 })
    const received: string[] = []
    await queue.work(async (key) => void received.push(key), 2)
    await pause(300) // it has looked, and sleeps for an hour
    await queue.send('ann')
    await vi.waitFor(() => expect(received).toEqual(['ann']), 10_000)
  })

  test('has one message for a user, however often it is sent, and lower turns first', async () => {
    const queue = process()
    for (let i = 0; i < 20; i++) await queue.send('late', 5)
    await queue.send('early', 1)
    const received: string[] = []
    await queue.work(async (key) => void received.push(key), 1)
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(1), 10_000)
    await pause(300)
    expect(received).toEqual(['early', 'late'])
  })

  test('hands a message on not before its time', async () => {
    const queue = process()
    const received: number[] = []
    await queue.work(async () => void received.push(Date.now()), 1)
    const at = Date.now() + 1_000
    await queue.send('ann', 0, 1_000)
    await vi.waitFor(() => expect(received).toHaveLength(1), 10_000)
    expect(received[0]).toBeGreaterThanOrEqual(at)
  })

  test('runs as many handlers at the same time as it is told, and no more', async () => {
    const queue = process()
    let [running, most, done] = [0, 0, 0]
    await queue.work(async () => {
      most = Math.max(most, ++running)
      await pause(100)
      running--
      done++
    }, 3)
    await Promise.all(Array.from({ length: 9 }, (_, i) => queue.send(`user ${i}`)))
    await vi.waitFor(() => expect(done).toBe(9), 10_000)
    expect(most).toBe(3)
  })

  test('goes on after a handler that fails, whose message does not come again', async () => {
    const queue = process()
    const received: string[] = []
    await queue.work(async (key) => {
      received.push(key)
      if (key === 'bad') throw new Error('No.')
    }, 1)
    for (const key of ['bad', 'good']) await queue.send(key)
    await vi.waitFor(() => expect(received).toContain('good'), 10_000)
    await pause(300)
    expect(received).toEqual(['bad', 'good'])
  })

  test('goes on after the database was away, also when a handler ended meanwhile', async () => {
    const queue = process()
    const received: string[] = []
    let end = (): void => {}
    await queue.work(async (key) => {
      received.push(key)
      if (key === 'first') await new Promise<void>((resolve) => (end = resolve))
    }, 1)
    await queue.send('first')
    await vi.waitFor(() => expect(received).toEqual(['first']), 10_000)
    await door.shut()
    end()
    await pause(300) // an unhandled rejection would fail this test
    await door.open()
    await queue.send('second')
    await vi.waitFor(() => expect(received).toEqual(['first', 'second']), 10_000)
  })

  test('calls at the times of a cron line, in one of several processes, and never without a line', async () => {
    const called: number[] = []
    for (const [i, queue] of [process(), process()].entries()) await queue.repeat('* * * * *', async () => void called.push(i))
    await vi.waitFor(() => expect(called).toHaveLength(1), 20_000)
    await pause(300)
    expect(called).toHaveLength(1)
    await queues[0].repeat(undefined, async () => {})
    expect(await query(database.url, 'SELECT * FROM pgboss.schedule')).toEqual([])
  })

  test('starts no handler after it was closed, and waits for those that run', async () => {
    const queue = process()
    const received: string[] = []
    let ended = false
    await queue.work(async (key) => {
      received.push(key)
      await pause(200)
      ended = true
    }, 1)
    await queue.send('first')
    await vi.waitFor(() => expect(received).toEqual(['first']), 10_000)
    await process().send('second')
    await queue.close()
    expect(ended).toBe(true)
    queues = queues.slice(1)
    await pause(300)
    expect(received).toEqual(['first'])
  })
})
