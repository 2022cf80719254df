// Textile's JavaScript client and databases: node documents.mjs PACKAGE.JSON HOST KEY SECRET TOKEN THREAD
//
// A command a line as JSON, an answer a line, as in process.py. They give seconds.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [packages, host, key, secret, token, thread] = process.argv.slice(2)
const load = createRequire(packages)
const { Client, Where } = load('@textile/threads-client')
const { ThreadID } = load('@textile/threads-id')

const client = await Client.withKeyInfo({ key, secret }, host)
client.context.withToken(token)
const db = ThreadID.fromString(thread)

function person (number) {
  return { _id: '', name: `person ${number}`, number, email: `person${number}@example.com` }
}

async function timed (count, call) {
  const started = performance.now()
  for (let each = 0; each < count; each++) await call(each)
  return (performance.now() - started) / 1000
}

const commands = {
  async create ({ name, first, count, documents }) {
    return await timed(count, async (call) => {
      const from = first + call * documents
      await client.create(db, name, Array.from({ length: documents }, (_, each) => person(from + each)))
    })
  },
  async find_equal ({ name, first, count }) {
    return await timed(count, async (call) => {
      const found = await client.find(db, name, new Where('number').eq(first + call))
      if (found.length !== 1 || found[0].number !== first + call) throw new Error(`found ${found.length} instances`)
    })
  }
}

console.log('{}')
for await (const line of createInterface({ input: process.stdin })) {
  const [name, given] = JSON.parse(line)
  console.log(JSON.stringify(await commands[name](given)))
}
process.exit(0)
