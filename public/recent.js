// The visitor's last results, kept in their browser alone: saved on a result's page, offered on the home page.
const KEY = 'hypotweet-recent'
const MOST = 10
const LONGEST = 280 // characters of a text that are kept to be shown

// What is stored may be of another version or by another hand; an address that is no result's here is not offered.
const isTry = (one) => typeof one?.text === 'string' && typeof one.answer === 'string' &&
  typeof one.path === 'string' && one.path.startsWith('/predictions?')

function load() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY))
    return Array.isArray(stored) ? stored.filter(isTry).slice(0, MOST) : []
  } catch {
    return [] // no storage, or not ours
  }
}

function save({ text, answer, path }) {
  const shown = [...text].slice(0, LONGEST).join('')
  const tries = [{ text: shown, answer, path }, ...load().filter((one) => one.path !== path)]
  try {
    localStorage.setItem(KEY, JSON.stringify(tries.slice(0, MOST)))
  } catch {
    // Storage is full or closed: a result that is not kept is no reason to fail.
  }
}

function item({ text, answer, path }) {
  const link = document.createElement('a')
  link.href = path
  link.dir = 'auto'
  link.textContent = text
  const words = document.createElement('span')
  words.textContent = answer
  const entry = document.createElement('li')
  entry.append(link, words)
  return entry
}

function show(section) {
  const tries = load()
  section.querySelector('ul').replaceChildren(...tries.map(item))
  section.hidden = tries.length === 0
}

function forget(section) {
  try {
    localStorage.removeItem(KEY)
  } catch {
    // no storage, nothing to forget
  }
  section.querySelector('ul').replaceChildren()
  section.querySelector('button').remove()
  section.querySelector('[role=status]').textContent = 'Forgotten.'
  section.querySelector('h2').focus() // the button that had the focus is gone
}

for (const result of document.querySelectorAll('[data-share]')) save(result.dataset)
for (const section of document.querySelectorAll('[data-recent]')) {
  section.querySelector('button').addEventListener('click', () => forget(section))
  show(section)
  // Going back may bring this page as it was before the last result.
  addEventListener('pageshow', ({ persisted }) => persisted && section.querySelector('button') && show(section))
}
