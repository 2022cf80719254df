// The body of the buckets collection's read filter: function (reader, instance).
// It says what rules.py says: a bucket is never hidden, but the entries that a reader has no part in are,
// and with all of them the key to its links.
function grants(entry) {
  var roles = (entry && entry.roles) || {}
  function granted(identity) {
    return Object.prototype.hasOwnProperty.call(roles, identity) && roles[identity] > 0
  }
  return granted('*') || (reader !== undefined && granted(reader))
}

function readable(metadata, path) {
  while (true) {
    if (Object.prototype.hasOwnProperty.call(metadata, path) && grants(metadata[path])) return true
    if (path === '') return false
    path = path.indexOf('/') < 0 ? '' : path.slice(0, path.lastIndexOf('/'))
  }
}

if (!instance.version || !instance.owner) return instance
var shown = {}
var count = 0
for (var path in instance.metadata) {
  if (readable(instance.metadata, path)) {
    shown[path] = instance.metadata[path]
    count++
  }
}
instance.metadata = shown
if (!count) delete instance.key
return instance
