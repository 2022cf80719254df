// Who is signed in, towards this page's server. The server keeps nothing: its cookie holds what the hub gave.

async function post (message) {
  const headers = { 'content-type': 'application/json' }
  return await answer(await fetch('/auth/userauth', { method: 'POST', headers, body: JSON.stringify(message) }))
}

async function answer (response) {
  if (response.status === 204) return null
  const said = await response.json().catch(() => ({}))
  if (!response.ok) {
    const detail = Array.isArray(said.detail) ? said.detail.map((each) => each.msg).join(', ') : said.detail
    throw Object.assign(new Error(said.message ?? detail ?? response.statusText), { status: response.status })
  }
  return said
}

export class Session {
  constructor (identity) {
    this.identity = identity
  }

  // Prove to have the key: the hub's challenge comes through the server, and is signed here.
  async signIn () {
    const { id, value } = await post({ type: 'token', pubkey: this.identity.name })
    const sig = Array.from(await this.identity.sign(Uint8Array.from(value.data)))
    await post({ type: 'challenge', id, sig })
  }

  async signOut () {
    await fetch('/auth/userauth', { method: 'DELETE' })
  }

  // Call the server; when what the cookie holds has run out, sign in again first.
  async call (method, path, body) {
    const options = { method, body }
    if (body !== undefined && !(body instanceof Blob)) {
      options.headers = { 'content-type': 'application/json' }
      options.body = JSON.stringify(body)
    }
    const response = await fetch(`/api${path}`, options)
    if (response.status !== 401) return await answer(response)
    await this.signIn()
    return await answer(await fetch(`/api${path}`, options))
  }

  // Live updates, until the function that this returns is called.
  live (handlers) {
    let source
    let ended = false
    const connect = () => {
      if (ended) return
      source = new EventSource('/api/live')
      for (const [name, handle] of Object.entries(handlers)) {
        source.addEventListener(name, ({ data }) => handle(JSON.parse(data)))
      }
      // The browser connects again by itself after a cut, and not after a refusal.
      source.onerror = async () => {
        if (source.readyState !== EventSource.CLOSED) return
        try {
          await this.signIn()
          connect()
        } catch {
          setTimeout(connect, 5000)
        }
      }
    }
    connect()
    return () => { ended = true; source.close() }
  }
}
