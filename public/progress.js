// How far the collecting has come, as it happens; without script the page loads itself again.

for (const list of document.querySelectorAll('[data-progress]')) {
  const source = new EventSource(`/progress?users=${encodeURIComponent(list.dataset.progress)}`)
  source.onmessage = ({ data }) => {
    const all = JSON.parse(data)
    for (const collecting of all) show(list, collecting)
    if (all.every(({ ended }) => ended)) {
      source.close()
      location.reload()
    }
  }
  // A connection that breaks is made again by the browser; one that is refused is not.
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000)
  }
}

function show(list, { username, words, read, toRead, ended }) {
  const item = list.querySelector(`[data-user="${username.toLowerCase()}"]`)
  if (!item) return
  item.querySelector('[data-words]').textContent = words
  const bar = item.querySelector('progress')
  bar.max = toRead
  bar.value = read
  bar.hidden = ended
}
