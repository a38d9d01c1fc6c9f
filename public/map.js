// The map's dots show their tweet when they are pointed at or focused; arrow keys move to the nearest dot that way.

const map = document.querySelector('[data-map]')
const output = document.querySelector('[data-map-tweet]')
const dots = [...map.querySelectorAll('.dot')]

const centre = (dot) => {
  const box = dot.lastElementChild.getBBox()
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

const show = (dot) => {
  output.textContent = dot.querySelector('title').textContent
}

const focus = (dot) => {
  for (const other of dots) other.setAttribute('tabindex', other === dot ? '0' : '-1')
  dot.focus()
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

map.addEventListener('pointerover', (event) => {
  const dot = event.target.closest('.dot')
  if (dot) show(dot)
})
map.addEventListener('click', (event) => {
  const dot = event.target.closest('.dot')
  if (dot) focus(dot)
})
map.addEventListener('focusin', (event) => {
  const dot = event.target.closest('.dot')
  if (dot) show(dot)
})
map.addEventListener('keydown', (event) => {
  const direction = DIRECTIONS[event.key]
  const from = event.target.closest('.dot')
  if (!direction || !from) return
  event.preventDefault()
  const here = centre(from)
  let nearest
  let least = Infinity
  for (const dot of dots) {
    if (dot === from) continue
    const there = centre(dot)
    const along = (there.x - here.x) * direction[0] + (there.y - here.y) * direction[1]
    const across = Math.abs((there.x - here.x) * direction[1] + (there.y - here.y) * direction[0])
    if (along > 0 && along + 2 * across < least) {
      least = along + 2 * across
      nearest = dot
    }
  }
  if (nearest) focus(nearest)
})
