// A key pair that lives in this browser, in the forms that Textile's clients know.
//
// It is an Ed25519 key of WebCrypto. What stays here is a key that the browser signs with and shows to nobody,
// not even to this page. Its text is known once, when it is made, for its owner to keep: the same text that
// PrivateKey.fromString of @textile/crypto and Identity.from_string of textile_aio read.

const ED25519 = { name: 'Ed25519' }
const PUBLIC = [8, 1, 18, 32] // libp2p's key message: type Ed25519, then so many bytes
const PRIVATE = [8, 1, 18, 64]
const PKCS8 = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32] // RFC 8410, before the seed
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export class Identity {
  constructor (key, name) {
    this.key = key
    this.name = name // the public key's text: bbaarei...
  }

  async sign (bytes) {
    return new Uint8Array(await crypto.subtle.sign(ED25519, this.key, bytes))
  }
}

// A new one, and the text of its private key.
export async function generate () {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  const { identity, raw } = await ofSeed(seed)
  return { identity, text: encode([...PRIVATE, ...seed, ...raw]) }
}

// The one whose private key has this text.
export async function fromText (text) {
  const bytes = decode(text.trim())
  if (!PRIVATE.every((each, at) => bytes[at] === each) || bytes.length !== 68) {
    throw new Error('This is not the text of a key: that begins with bbaareq and has 110 characters.')
  }
  return (await ofSeed(bytes.slice(4, 36))).identity
}

async function ofSeed (seed) {
  const pkcs8 = new Uint8Array([...PKCS8, ...seed])
  const readable = await crypto.subtle.importKey('pkcs8', pkcs8, ED25519, true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', readable)
  const raw = Uint8Array.from(atob(x.replace(/-/g, '+').replace(/_/g, '/')), (each) => each.charCodeAt(0))
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, ED25519, false, ['sign'])
  return { identity: new Identity(key, encode([...PUBLIC, ...raw])), raw }
}

export async function stored () {
  const kept = await inStore('readonly', (store) => store.get('mine'))
  return kept && new Identity(kept.key, kept.name)
}

export const store = ({ key, name }) => inStore('readwrite', (store) => store.put({ key, name }, 'mine'))

export const forget = () => inStore('readwrite', (store) => store.delete('mine'))

function inStore (mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('shelf', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('identity')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('identity', mode)
      const request = act(transaction.objectStore('identity'))
      transaction.oncomplete = () => { opening.result.close(); resolve(request.result) }
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

// Multibase base32: a "b", then RFC 4648 in lower case without padding.
function encode (bytes) {
  let text = 'b'
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31]
    held &= (1 << bits) - 1
  }
  return bits ? text + ALPHABET[(held << (5 - bits)) & 31] : text
}

function decode (text) {
  const bytes = []
  let bits = 0
  let held = 0
  for (const letter of text.startsWith('b') ? text.slice(1) : '') {
    held = (held << 5) | Math.max(ALPHABET.indexOf(letter), 0)
    bits += 5
    if (bits >= 8) bytes.push((held >> (bits -= 8)) & 255)
    held &= (1 << bits) - 1
  }
  return Uint8Array.from(bytes)
}
