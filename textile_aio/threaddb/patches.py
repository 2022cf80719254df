"""Merge patches in the dialect of Go peers, evanphx/json-patch v4.5 (spec: thread-net-and-records §5.2).

A save travels as the difference between two documents and is merged into whatever document a peer has. Both
do what Go does, byte for byte, but for one thing: Go's :func:`diff` compares and writes numbers as float64,
and so loses the last digits of integers beyond 2^53. This one compares and writes integers as they are, which
a Go peer merges as well. :func:`merge` keeps the text of what it does not touch, sorts the names of every
object it looks into, and drops nulls.

Not known here: what a document means, and where it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from textile_aio.errors import InvalidInput, StatusCode
from textile_aio.threaddb import gojson, rawjson


def diff(old: bytes, new: bytes) -> bytes:
    """The merge patch that leads from one document to another.

    ``merge(old, diff(old, new))`` is ``new`` unless nulls are involved: in a patch a null removes a member,
    and arrays lose their nulls on the way.

    Raises:
        InvalidInput: One of them is no JSON object (``Invalid JSON Document``, UNKNOWN;
            ``Mismatched JSON Documents`` if one is an array).
    """
    if (old.lstrip()[:1] == b"[") != (new.lstrip()[:1] == b"["):
        raise InvalidInput("Mismatched JSON Documents", code=StatusCode.UNKNOWN)
    return gojson.dumps(_difference(_object(old, "Document"), _object(new, "Document")))


class Merged(NamedTuple):
    """A document after a merge patch, and the values of the texts before and after it."""

    text: bytes
    before: dict[str, Any]
    after: dict[str, Any]


def merge(document: bytes, patch: bytes) -> bytes:
    """A document after a merge patch. Raises as :func:`merged`."""
    return merged(document, patch).text


def merged(document: bytes, patch: bytes) -> Merged:
    """As :func:`merge`, with the values, for those who would read large documents once more.

    Raises:
        InvalidInput: One of them is no JSON object (``Invalid JSON Document``, ``Invalid JSON Patch``,
            UNKNOWN).
    """
    base, changes = _object(document, "Document"), _object(patch, "Patch")
    if rawjson.is_plain(base, document) and rawjson.is_plain(changes, patch):
        value = _merged(base, changes)
        return Merged(gojson.escape_markup(orjson.dumps(value)), base, value)
    text = gojson.escape_markup(rawjson.render(_merged(rawjson.parse(document), rawjson.parse(patch))))
    return Merged(text, base, _object(text, "Document"))


def _difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, value in new.items():
        before = old.get(name)
        if type(value) is str:
            if before != value:
                changes[name] = value
        elif type(value) is dict and type(before) is dict:
            inner = _difference(before, value)
            if inner:
                changes[name] = inner
        elif not _same(before, value) or (value is None and name not in old):
            changes[name] = value
    for name in old.keys() - new.keys():
        changes[name] = None
    return changes


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal: numbers by value; inside arrays a null member is as none."""
    kind = type(left)
    if kind is list:
        return (
            type(right) is list
            and len(left) == len(right)
            and all(_same(one, other) for one, other in zip(left, right, strict=True))
        )
    if kind is dict:
        return type(right) is dict and all(
            _same(left.get(name), right.get(name)) for name in left.keys() | right.keys()
        )
    if kind is int or kind is float:
        return (type(right) is int or type(right) is float) and bool(left == right)
    return kind is type(right) and bool(left == right)


def _merged(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
            continue
        current = result.get(name)
        if not isinstance(current, dict):
            result[name] = _pruned(value)
        elif isinstance(value, dict):
            result[name] = _merged(current, value)
        else:
            result[name] = value
    return {name: result[name] for name in sorted(result)}


def _pruned(value: Any) -> Any:
    """A value without the null members of its objects and the null elements of its arrays."""
    if isinstance(value, dict):
        return {name: _pruned(value[name]) for name in sorted(value) if value[name] is not None}
    if isinstance(value, list):
        return [_pruned(element) for element in value if element is not None]
    return value


def _object(data: bytes, role: str) -> dict[str, Any]:
    try:
        value = gojson.loads(data)
    except gojson.GoJSONError:
        value = None
    if type(value) is not dict:
        raise InvalidInput(f"Invalid JSON {role}", code=StatusCode.UNKNOWN)
    return value
