// Loaded into the server that is measured (node --import): answers what only the process itself can know.

import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION = 10 // ms: the delay is what comes on top
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
delay.enable()

process.on('message', (message) => {
  if (message === 'reset') delay.reset()
  process.send?.({
    delayP99: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION),
    rss: process.memoryUsage.rss() / 2 ** 20,
    peakRss: process.resourceUsage().maxRSS / 2 ** 10
  })
})
process.channel?.unref() // or the server would not end by itself
