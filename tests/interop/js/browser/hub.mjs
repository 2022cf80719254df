// What a page needs of Textile's hub client, unmodified, in one file for a browser (see browser.py).

import { Buffer } from 'buffer'

// Bundlers of its day put these two of Node's in every page.
globalThis.Buffer ??= Buffer
globalThis.process ??= { env: {}, browser: true, nextTick: (act, ...given) => queueMicrotask(() => act(...given)) }

export const { Buckets, Client, PrivateKey, Users, ThreadID } = await import('@textile/hub')
