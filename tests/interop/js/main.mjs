// Textile's JavaScript clients at the other end of a pipe: a line of JSON for each thing to do, a line of JSON
// for each outcome, and one for each call of a callback. It knows no client: what is called is in the lines.

import { createInterface } from 'node:readline'
import { decode, encode, load } from './values.mjs'

// Clients log on the console; standard output is for outcomes alone.
console.log = console.info = console.debug = console.error

function say (line) {
  process.stdout.write(JSON.stringify(line) + '\n')
}

// Our own modules are imported, packages loaded as they were meant to be.
async function all (module) {
  return module.startsWith('./') ? await import(module) : load(module)
}

const actions = {
  async make ({ module, name, given }) {
    return new (load(module)[name])(...given)
  },
  async call ({ module, name, target, method, given }) {
    const owner = target ?? (name ? load(module)[name] : await all(module))
    return await owner[method](...given)
  },
  async get ({ target, name }) {
    return target[name]
  },
  async set ({ target, name, value }) {
    target[name] = value
  },
  async gather ({ target }) {
    const all = []
    for await (const each of target) all.push(each)
    return all
  }
}

async function act ({ number, action, ...request }) {
  try {
    say({ number, result: encode(await actions[action](decode(request, say))) })
  } catch (error) {
    say({ number, error: error?.message ?? String(error), code: error?.code, stack: error?.stack })
  }
}

process.on('uncaughtException', (error) => say({ crash: error?.stack ?? String(error) }))
process.on('unhandledRejection', (error) => say({ crash: error?.stack ?? String(error) }))

for await (const line of createInterface({ input: process.stdin })) act(JSON.parse(line))
process.exit(0)
