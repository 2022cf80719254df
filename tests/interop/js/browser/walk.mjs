// The walk from an API key to a file in a bucket, as an application of one user takes it: the twin of
// go/people/walk.go. It is given the package, so that it runs in Node and in a page alike.

export async function walk ({ Buckets, Client, PrivateKey }, host, key, secret, name, path, content) {
  const identity = createIdentity(PrivateKey)
  const client = await authenticate(Client, host, key, secret)
  const token = await authorizeUser(client, identity)
  const thread = await createThreadDB(client, name)
  const buckets = new Buckets(client.context)
  const bucket = await createBucket(buckets)
  const pushed = await push(buckets, bucket, path, content)
  return { identity: identity.public.toString(), token, thread: thread.toString(), bucket, ...pushed }
}

function createIdentity (PrivateKey) {
  return PrivateKey.fromRandom()
}

// Adds an account's key and a signature by its secret.
async function authenticate (Client, host, key, secret) {
  return await Client.withKeyInfo({ key, secret }, host)
}

// Adds a token that the hub gives the identity.
async function authorizeUser (client, identity) {
  return await client.getToken(identity)
}

// The thread goes into the context that the clients share.
async function createThreadDB (client, name) {
  const thread = await client.newDB(undefined, name)
  client.context.withThread(thread.toString())
  return thread
}

async function createBucket (buckets) {
  const { root } = await buckets.create()
  return root.key
}

async function push (buckets, bucket, path, content) {
  const pushed = await buckets.pushPath(bucket, path, { path, content })
  return { path: pushed.path.cid.toString(), root: pushed.root.replace('/ipfs/', '') }
}
