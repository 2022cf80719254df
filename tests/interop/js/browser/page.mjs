// A page of an application: signs in at its backend in the three ways there are, then calls the hub by itself.
// The ways are those of Textile's example hub-browser-auth-app, and the backend's own challenge over HTTP.

import { Buckets, Client, PrivateKey, Users } from '/hub.js'

const json = { 'content-type': 'application/json' }

export const identity = PrivateKey.fromRandom()
export const asked = { minutes: 30, times: 0 }

export function overWebsocket () {
  asked.times += 1
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${location.host}/ws/userauth?minutes=${asked.minutes}`)
    socket.onerror = () => reject(new Error('no connection'))
    socket.onopen = () => socket.send(JSON.stringify({ type: 'token', pubkey: identity.public.toString() }))
    socket.onmessage = async ({ data }) => {
      const { type, value } = JSON.parse(data)
      if (type === 'error') reject(new Error(value))
      if (type === 'token') resolve(value)
      if (type === 'challenge') {
        const sig = Buffer.from(await identity.sign(Buffer.from(value))).toJSON()
        socket.send(JSON.stringify({ type: 'challenge', sig }))
      }
    }
  })
}

export async function overHttp () {
  const post = async (message) => {
    const options = { method: 'POST', headers: json, body: JSON.stringify(message) }
    const response = await fetch('/api/userauth', options)
    if (!response.ok) throw new Error((await response.json()).message)
    return await response.json()
  }
  const { id, value } = await post({ type: 'token', pubkey: identity.public.toString() })
  const sig = Array.from(await identity.sign(Buffer.from(value)))
  return await post({ type: 'challenge', id, sig })
}

export async function withoutChallenge () {
  return await (await fetch('/api/userauth')).json()
}

export async function connected (auth, host) {
  const client = Client.withUserAuth(auth, host)
  if (typeof auth !== 'function' && !auth.token) await client.getToken(identity)
  return client
}

// A database and an instance, through a client.
export async function database (client) {
  const thread = await client.newDB()
  await client.newCollection(thread, { name: 'notes', schema: { properties: { _id: { type: 'string' } } } })
  const [id] = await client.create(thread, 'notes', [{ _id: '', text: 'from a page' }])
  const found = await client.findByID(thread, 'notes', id)
  return found.text
}

// A bucket and a file in it, through a client.
export async function bucket (auth, host) {
  const buckets = Buckets.withUserAuth(auth, { host })
  const { root } = await buckets.getOrCreate('page')
  await buckets.pushPath(root.key, 'greeting.txt', { path: '/greeting.txt', content: Buffer.from('hello') })
  const pieces = []
  for await (const piece of buckets.pullPath(root.key, 'greeting.txt')) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}

export async function threads (auth, host) {
  return (await Users.withUserAuth(auth, { host }).listThreads()).length
}

// What the backend itself does for whoever sent these headers.
export async function askBackend (auth) {
  const headers = Client.withUserAuth(auth).context.toJSON()
  delete headers.host
  const response = await fetch('/threads', { headers })
  return [response.status, await response.json()]
}
