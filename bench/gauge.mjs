// Loaded into the measured server (node --import): reports what only the process itself can know.

import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION = 10 // ms between two looks, which are part of what the histogram counts
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
