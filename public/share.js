// Buttons to copy a result's link or to send it on; without script the link stands there to be copied.
for (const section of document.querySelectorAll('[data-share]')) {
  const link = section.querySelector('[data-share-link]')
  const copy = section.querySelector('[data-share-copy]')
  const send = section.querySelector('[data-share-send]')
  const status = section.querySelector('[data-share-status]')

  // Emptied first, so that the same words are announced again.
  const say = (words) => {
    status.textContent = ''
    setTimeout(() => { status.textContent = words }, 50)
  }

  // Browsers have no clipboard on plain http; there the selected field is copied as it was before.
  const copied = async () => {
    try {
      await navigator.clipboard.writeText(link.value)
      return true
    } catch {
      link.parentElement.hidden = false
      link.select()
      return document.execCommand('copy')
    }
  }

  copy.addEventListener('click', async () => {
    say((await copied()) ? 'Copied' : 'The link is selected: copy it from there.')
  })
  send.addEventListener('click', async () => {
    try {
      await navigator.share({ title: section.dataset.answer, url: link.value })
    } catch (error) {
      if (error.name !== 'AbortError') say('That could not be shared. Copy the link instead.')
    }
  })

  send.hidden = typeof navigator.share !== 'function'
  link.parentElement.hidden = true
  copy.parentElement.hidden = false
}
