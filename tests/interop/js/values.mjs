// Values of JavaScript as JSON and back. What JSON cannot hold travels in an object with one "$..." key:
// "$bytes" (base64), "$date", "$thread", "$identity" and "$public" (text), "$query" (the calls that build it),
// "$function" (its source), "$module" (its name), "$callback" (a number, whose calls are reported, with the
// "answer" to them), "$object" (the number of something that is kept here), "$bound" (such a number, with the
// name of a "method").

import { createRequire } from 'node:module'

export const load = createRequire(import.meta.url)

const kept = new Map()

export function keep (object) {
  const number = kept.size + 1
  kept.set(number, object)
  return number
}

export function encode (value) {
  if (value === undefined || value === null) return null
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(encode)
  if (value instanceof Error) return { $error: value.message }
  if (typeof value === 'function') return { $object: keep(value), kind: 'Function' }
  if (typeof value !== 'object') return value
  if (value.constructor?.name === 'ThreadID') return { $thread: value.toString() }
  if (value.constructor?.name === 'CID') return value.toString()
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, encode(each)]))
  if (!plain(value)) return { $object: keep(value), kind: value.constructor?.name ?? '' }
  // As JSON has it: null is a value, undefined is none.
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries.map(([key, each]) => [key, encode(each)]))
}

export function decode (value, report) {
  if (Array.isArray(value)) return value.map((each) => decode(each, report))
  if (value === null || typeof value !== 'object') return value
  const [[key, inner] = []] = Object.entries(value)
  switch (key) {
    case '$undefined': return undefined
    case '$bytes': return Uint8Array.from(Buffer.from(inner, 'base64'))
    case '$date': return new Date(inner)
    case '$thread': return load('@textile/threads-id').ThreadID.fromString(inner)
    case '$identity': return load('@textile/crypto').PrivateKey.fromString(inner)
    case '$public': return load('@textile/crypto').PublicKey.fromString(inner)
    case '$module': return load(inner)
    case '$query': return query(inner)
    case '$function': return (0, eval)(`(${inner})`)
    case '$callback': return callback(inner, decode(value.answer, report), report)
    case '$object': return kept.get(inner)
    case '$bound': return kept.get(inner)[value.method].bind(kept.get(inner))
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, decode(each, report)]))
}

function query (steps) {
  const { Query, Where } = load('@textile/threads-client')
  let built = new Query()
  for (const [method, ...given] of steps) {
    if (method === 'where') built = new Where(...given)
    else if (method === 'or') built = built.or(query(given[0]))
    else built = built[method](...given)
  }
  return built
}

function callback (number, answer, report) {
  return (...given) => {
    report({ callback: number, given: given.map(encode) })
    return answer ?? undefined
  }
}

function plain (value) {
  if (value[Symbol.asyncIterator] || Object.values(value).some((each) => typeof each === 'function')) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || value.constructor?.name === 'DocumentInstance'
}
