// What is on the page, and what happens when somebody touches it.

import * as identities from './identity.js'
import { Session } from './session.js'

const $ = (id) => document.getElementById(id)
const images = /\.(png|jpe?g|gif|webp|avif)$/i

let session
let stop = () => {}
const notes = new Map()

function show (id) {
  for (const main of document.querySelectorAll('main')) main.hidden = main.id !== id
  $('who').hidden = id !== 'shelf'
}

// Do something, and say so if it fails.
async function attempt (act) {
  $('message').hidden = true
  try {
    return await act()
  } catch (error) {
    $('message').textContent = error.message
    $('message').hidden = false
  }
}

async function enter (identity) {
  session = new Session(identity)
  await session.signIn()
  await identities.store(identity)
  $('name').textContent = `${identity.name.slice(0, 10)}…${identity.name.slice(-6)}`
  $('name').title = identity.name
  await load()
  show('shelf')
  stop()
  stop = session.live({
    ready: () => $('live').classList.add('on'),
    reload: () => attempt(load),
    files: () => attempt(loadFiles),
    note: ({ id, note }) => took(id, note)
  })
}

async function load () {
  const [list] = await Promise.all([session.call('GET', '/notes'), loadFiles()])
  notes.clear()
  for (const note of list) notes.set(note.id, note)
  drawNotes()
}

// A note as it is now, null if it is gone. Of one's own changes this hears twice.
function took (id, note) {
  const fresh = !notes.has(id)
  if (note) notes.set(id, { ...note, id })
  else notes.delete(id)
  drawNotes(fresh ? id : '')
}

async function change (method, note) {
  took(note.id, await session.call(method, `/notes/${note.id}`, method === 'PUT' ? note : undefined))
}

function drawNotes (fresh) {
  const drawn = [...notes.values()].sort((a, b) => a.done - b.done || (a.id < b.id ? 1 : -1)).map((note) => {
    const item = $('a-note').content.firstElementChild.cloneNode(true)
    const box = item.querySelector('input')
    item.querySelector('span').textContent = note.text
    box.checked = note.done
    box.onchange = () => attempt(() => change('PUT', { ...note, done: box.checked }))
    item.querySelector('button').onclick = () => attempt(() => change('DELETE', note))
    if (note.id === fresh) item.classList.add('new')
    return item
  })
  $('notes').replaceChildren(...drawn)
  const open = [...notes.values()].filter((note) => !note.done).length
  $('open').textContent = notes.size ? `${open} open` : ''
}

async function loadFiles () {
  const files = await session.call('GET', '/files')
  $('files').replaceChildren(...files.map(({ name, size, cid }) => {
    const item = $('a-file').content.firstElementChild.cloneNode(true)
    const url = `/api/files/${encodeURIComponent(name)}`
    item.querySelector('a').href = url
    item.querySelector('a').title = cid
    item.querySelector('span').textContent = name
    item.querySelector('small').textContent = bytes(size)
    item.querySelector('button').onclick = () => attempt(() => session.call('DELETE', url.slice(4)))
    const sign = item.querySelector('i')
    if (images.test(name)) sign.append(Object.assign(new Image(), { src: `${url}?${cid}`, alt: '' }))
    else sign.textContent = name.includes('.') ? name.split('.').pop().slice(0, 4) : ''
    return item
  }))
  $('size').textContent = files.length ? bytes(files.reduce((sum, { size }) => sum + size, 0)) : ''
}

function bytes (size) {
  const step = size ? Math.min(Math.floor(Math.log10(size) / 3), 3) : 0
  const amount = size / 1000 ** step
  return `${amount.toFixed(step && amount < 10 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB'][step]}`
}

async function push (files) {
  for (const file of files) {
    await attempt(() => session.call('PUT', `/files/${encodeURIComponent(file.name)}`, file))
  }
}

$('create').onclick = () => attempt(async () => {
  const { identity, text } = await identities.generate()
  $('key').textContent = text
  $('copy').onclick = () => attempt(() => navigator.clipboard.writeText(text))
  $('kept').onclick = () => attempt(async () => {
    await enter(identity)
    $('key').textContent = ''
    $('copy').onclick = null
  })
  show('made')
})

$('restore').onsubmit = (event) => {
  event.preventDefault()
  attempt(async () => {
    await enter(await identities.fromText($('text').value))
    $('text').value = ''
  })
}

$('sign-out').onclick = () => attempt(async () => {
  stop()
  $('live').classList.remove('on')
  await session.signOut()
  await identities.forget()
  notes.clear()
  $('notes').replaceChildren()
  $('files').replaceChildren()
  show('welcome')
})

$('add').onsubmit = (event) => {
  event.preventDefault()
  attempt(async () => {
    const note = await session.call('POST', '/notes', { text: $('note').value })
    took(note.id, note)
    $('note').value = ''
  })
}

$('pick').onchange = async () => {
  await push([...$('pick').files])
  $('pick').value = ''
}

for (const [name, over] of [['dragover', true], ['dragleave', false], ['drop', false]]) {
  $('drop').addEventListener(name, (event) => {
    event.preventDefault()
    $('drop').classList.toggle('over', over)
    if (name === 'drop') push([...event.dataTransfer.files])
  })
}

const known = await identities.stored()
await attempt(() => known && enter(known))
if (!session || $('shelf').hidden) show('welcome')
