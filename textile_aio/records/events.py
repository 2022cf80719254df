"""What the body of a database's record says: the changes of one transaction.

The form is that of spec: thread-net-and-records §5. Reads and writes the body alone; what a change does to a
document is not known here, and neither is JSON: a patch is carried as the bytes it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from textile_aio.errors import InvalidEncoding, InvalidInput
from textile_aio.records import dagcbor

_T = TypeVar("_T")

_LEAST_TIME, _MOST_TIME = -(1 << 63), (1 << 63) - 1
_EVENT_KEYS = frozenset(("iD", "patch", "timestamp", "collectionName"))
_PATCH_KEYS = frozenset(("type", "jSONPatch", "instanceID"))

# What they count as: a map and a list with a key; two maps, seven keys, six values beside the inner map.
_BODY_ITEMS = 4 + 1 + 4
_EVENT_ITEMS = 2 * 4 + 7 + 6


class EventKind(IntEnum):
    """What a change did to an instance."""

    CREATE = 0
    SAVE = 1
    DELETE = 2


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one instance.

    Attributes:
        timestamp: The writer's clock, UTC nanoseconds since 1970; 0 where it was not recorded. Peers order
            the changes of one record by it, so a writer lets it grow from each to the next.
        collection: Name of the collection.
        id: The instance's id.
        kind: What was done.
        patch: JSON as UTF-8: the whole document for a create, a merge patch for a save, None for a delete.
    """

    timestamp: int
    collection: str
    id: str
    kind: EventKind
    patch: bytes | None


def encode_events(events: Sequence[Event]) -> bytes:
    """The body of one record, in the order given.

    Raises:
        InvalidInput: A timestamp has more than 64 bits, a text cannot be written as UTF-8, or the changes are
            too many for one record.
    """
    items = _BODY_ITEMS + _EVENT_ITEMS * len(events)
    return dagcbor.encode_arranged({"patches": [_to_map(event) for event in events]}, items=items)


def decode_events(body: bytes) -> tuple[Event, ...]:
    """The changes of a record's body, in the order they stand there.

    As at Go peers a missing key counts as its zero value, and an unknown one is refused. The id that the
    patch repeats is not believed over the event's own.

    Raises:
        InvalidEncoding: The body is not DAG-CBOR in its one form, or not of this shape.
    """
    fields = _struct(dagcbor.decode(body), "a body", frozenset(("patches",)))
    patches = _field(fields, "patches", list, None)
    return tuple(_from_map(patch) for patch in patches or ())


def _to_map(event: Event) -> dict[str, Any]:
    """An event's map, its keys in DAG-CBOR's order."""
    if not _LEAST_TIME <= event.timestamp <= _MOST_TIME:
        raise InvalidInput("a timestamp is a number of nanoseconds in 64 bits")
    return {
        "iD": event.id,
        "patch": {"type": int(event.kind), "jSONPatch": event.patch, "instanceID": event.id},
        "timestamp": event.timestamp,
        "collectionName": event.collection,
    }


def _from_map(value: Any) -> Event:
    fields = _struct(value, "an event", _EVENT_KEYS)
    patch = _struct(fields.get("patch", {}), "a patch", _PATCH_KEYS)
    _field(patch, "instanceID", str, "")
    kind = _field(patch, "type", int, 0)
    if kind not in EventKind._value2member_map_:
        raise InvalidEncoding(f"malformed event: a patch is of type 0, 1 or 2, got {kind}")
    return Event(
        timestamp=_timestamp(fields.get("timestamp", 0)),
        collection=_field(fields, "collectionName", str, ""),
        id=_field(fields, "iD", str, ""),
        kind=EventKind(kind),
        patch=_field(patch, "jSONPatch", bytes, None),
    )


def _timestamp(value: Any) -> int:
    if value == {}:  # what very old writers left of their time value
        return 0
    if type(value) is not int or not _LEAST_TIME <= value <= _MOST_TIME:
        raise InvalidEncoding("malformed event: the timestamp is no number of nanoseconds in 64 bits")
    return value


def _struct(value: Any, what: str, keys: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidEncoding(f"malformed event: {what} is a map, got {type(value).__name__}")
    unknown = value.keys() - keys
    if unknown:
        raise InvalidEncoding(f"malformed event: {what} contains the key {min(unknown)!r}")
    return value


def _field(fields: dict[str, Any], key: str, kind: type[_T], default: _T | None) -> Any:
    """A field's value; CBOR's null only where the zero value is None."""
    value = fields.get(key, default)
    if type(value) is not kind and not (value is None and default is None):
        raise InvalidEncoding(f"malformed event: {key} has the type {type(value).__name__}")
    return value
