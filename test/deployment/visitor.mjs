// Visits the app that is attacked, in a thread of its own: what keeps the attackers busy must not count as waiting. When told
// to stop, it says how long the slowest page took (ms), and which did not come.

import { parentPort, workerData } from 'node:worker_threads'
import { setTimeout as pause } from 'node:timers/promises'

const VISITS_EVERY = 1_500 // ms: within what one address may ask for
const { site, people, from } = workerData

let isOver = false
parentPort.once('message', () => (isOver = true))

let slowest = 0
const failed = []
for (let visit = 0; !isOver; visit++) {
  const path = visit % 2 ? '/' : `/predictions?users=${people[0]}&users=${people[1]}&text=tea+and+rain+number+${visit}`
  const start = performance.now()
  const answer = await fetch(site + path, { headers: { accept: 'text/html', 'x-forwarded-for': from } }).then(async (answer) => (await answer.text(), answer.status), (error) => error.cause?.code ?? error.message)
  slowest = Math.max(slowest, performance.now() - start)
  if (answer !== 200) failed.push(`${path.slice(0, 12)} ${answer}`)
  await pause(VISITS_EVERY)
}
parentPort.postMessage({ slowest, failed })
