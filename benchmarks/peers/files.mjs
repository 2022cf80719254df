// Textile's JavaScript client and buckets: node files.mjs PACKAGE.JSON HOST KEY SECRET TOKEN THREAD
//
// A command a line as JSON, an answer a line, as in process.py. They give seconds.

import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [packages, host, key, secret, token, thread] = process.argv.slice(2)
const load = createRequire(packages)
const { Buckets } = load('@textile/hub')

const buckets = await Buckets.withKeyInfo({ key, secret }, { host })
buckets.context.withToken(token).withThread(thread)

async function timed (call) {
  const started = performance.now()
  await call()
  return (performance.now() - started) / 1000
}

const commands = {
  async push ({ bucket, path, size }) {
    const content = randomBytes(size)
    return await timed(() => buckets.pushPath(bucket, path, { path, content }))
  },
  async pull ({ bucket, path, size }) {
    let received = 0
    const seconds = await timed(async () => {
      for await (const chunk of buckets.pullPath(bucket, path)) received += chunk.length
    })
    if (received !== size) throw new Error(`${received} bytes instead of ${size}`)
    return seconds
  }
}

// What the client logs is no answer.
console.log = console.info = console.debug = console.error
process.stdout.write('{}\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [name, given] = JSON.parse(line)
  process.stdout.write(JSON.stringify(await commands[name](given)) + '\n')
}
process.exit(0)
