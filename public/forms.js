// Conveniences; every page works without them.

// The number of characters, as it is typed.
for (const hint of document.querySelectorAll('[data-count-of]')) {
  const field = document.getElementById(hint.dataset.countOf)
  const segmenter = new Intl.Segmenter('en')
  const show = () => {
    const length = [...segmenter.segment(field.value)].length
    hint.textContent = `${length} of 280 characters`
    hint.classList.toggle('over', length > 280)
  }
  field.addEventListener('input', show)
  show()
}

// A picture that is no longer there makes way for the initial behind it.
for (const picture of document.querySelectorAll('.avatar img')) {
  const remove = () => picture.remove()
  if (picture.complete && picture.naturalWidth === 0) remove()
  else picture.addEventListener('error', remove)
}

// No more than four users, no double submission.
for (const form of document.querySelectorAll('form')) {
  const boxes = [...form.querySelectorAll('input[type=checkbox][name=users]')]
  const limit = () => {
    const full = boxes.filter((box) => box.checked).length >= 4
    for (const box of boxes) box.disabled = full && !box.checked
  }
  for (const box of boxes) box.addEventListener('change', limit)
  limit()
  form.addEventListener('submit', () => {
    for (const button of form.querySelectorAll('button[type=submit]')) button.setAttribute('aria-busy', 'true')
  })
}
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('button[aria-busy]')) button.removeAttribute('aria-busy')
})
