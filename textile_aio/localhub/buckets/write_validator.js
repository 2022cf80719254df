// The body of the buckets collection's write validator: function (writer, event, instance).
// It says what rules.py says, to peers and to callers who write to the collection past the bucket service.
var DENIED = 'permission denied'
var OWNERS = ['owner', 'name', 'version', 'key', 'archives', 'created_at']
var WRITER = 2
var ADMIN = 3

function has(object, name) {
  return Object.prototype.hasOwnProperty.call(object, name)
}

function role(identity, path) {
  var highest = 0
  while (true) {
    var entry = has(instance.metadata, path) ? instance.metadata[path] : null
    if (entry && entry.roles && has(entry.roles, identity)) {
      highest = Math.max(highest, entry.roles[identity])
    }
    if (path === '') return highest
    path = path.indexOf('/') < 0 ? '' : path.slice(0, path.lastIndexOf('/'))
  }
}

var kind = event.patch.type
var patch = event.patch.json_patch || {}

if (!instance) {
  return patch.owner === '' || patch.owner === writer ? true : DENIED
}
if (!instance.version || !instance.owner) return true

var owns = writer === instance.owner
if (kind === 'delete') return owns ? true : DENIED
if (kind === 'create') return patch.owner === writer ? true : DENIED

for (var i = 0; i < OWNERS.length; i++) {
  if (!owns && has(patch, OWNERS[i])) return DENIED
}
if (!has(patch, 'metadata')) {
  return owns || !has(patch, 'path') ? true : DENIED
}
if (!patch.metadata) return DENIED
for (var path in patch.metadata) {
  if (!has(instance.metadata, path)) {
    if (!owns) return DENIED
    continue
  }
  var change = patch.metadata[path]
  var mine = writer === undefined ? 0 : role(writer, path)
  if ((change === null || has(change, 'roles')) && mine < ADMIN) return DENIED
  if (Math.max(mine, role('*', path)) < WRITER) return DENIED
}
return true
