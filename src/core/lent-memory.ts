// Memory for large arrays that are needed for a moment only. New memory costs a page fault for each 4 kB and brings V8's next
// garbage collection forward, so it is used again.

const MAX_IDLE_BYTES = 16 * 2 ** 20 // a larger memory is not kept for the next call
const ROOM = 1.5 // somewhat more than is asked for, so that it fits the next call too

const idle: ArrayBuffer[] = []

/**
 * Lends `bytes` of memory with any content to a synchronous computation, which alone has it until it returns: a call inside
 * another gets another memory.
 */
export function withMemory<T>(bytes: number, use: (memory: ArrayBuffer) => T): T {
  const fitting = idle.findIndex(({ byteLength }) => byteLength >= bytes)
  const [memory] = fitting >= 0 ? idle.splice(fitting, 1) : [new ArrayBuffer(Math.ceil(bytes * ROOM))]
  if (fitting < 0) idle.pop() // so that there are never more than calls inside each other
  try {
    return use(memory)
  } finally {
    if (memory.byteLength <= MAX_IDLE_BYTES) idle.push(memory)
  }
}
