"""A body says what its writer's transaction changed, and nothing else is read."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.values import texts, values
from textile_aio.errors import InvalidEncoding, InvalidInput
from textile_aio.records import dagcbor, events
from textile_aio.records.events import Event, EventKind, decode_events, encode_events

some_events = st.builds(
    Event,
    timestamp=st.integers(-(1 << 63), (1 << 63) - 1),
    collection=texts,
    id=texts,
    kind=st.sampled_from(EventKind),
    patch=st.none() | st.binary(max_size=100),
)

EVENT: dict[str, Any] = {
    "iD": "one",
    "patch": {"type": 0, "jSONPatch": b"{}", "instanceID": "one"},
    "timestamp": 5,
    "collectionName": "People",
}


def body(event: Any) -> bytes:
    return dagcbor.encode({"patches": [event]})


@given(st.lists(some_events, max_size=5))
def test_changes_read_back_the_same_and_in_order(changes: list[Event]) -> None:
    assert decode_events(encode_events(changes)) == tuple(changes)


def test_a_body_with_too_many_changes_to_be_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dagcbor, "MAX_ITEMS", 9 + 21 * 50)
    changes = [Event(1, "collection", "i", EventKind.SAVE, b"{}")] * 50
    assert len(decode_events(encode_events(changes))) == 50
    monkeypatch.setattr(dagcbor, "MAX_ITEMS", 9 + 21 * 50 - 1)
    with pytest.raises(InvalidInput, match="values and keys"):
        encode_events(changes)
    written = cbor2.dumps({"patches": [events._to_map(each) for each in changes]})
    with pytest.raises(InvalidEncoding, match="values and keys"):
        decode_events(written)


def test_keys_stand_in_the_order_go_peers_write_them() -> None:
    encoded = encode_events([Event(1, "c", "i", EventKind.DELETE, None)])
    order = [
        encoded.index(name) for name in (b"iD", b"patch", b"type", b"jSONPatch", b"instanceID", b"timestamp")
    ]
    assert encoded.startswith(b"\xa1\x67patches\x81\xa4\x62iD")
    assert order[1:] == sorted(order[1:])


@given(values)
def test_a_body_of_another_shape_is_refused_or_says_nothing(value: Any) -> None:
    encoded = dagcbor.encode(value)
    try:
        changes = decode_events(encoded)
    except InvalidEncoding:
        return
    assert changes == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"more": 1},
        {"ID": "one"},
        {"iD": None},
        {"iD": b"one"},
        {"collectionName": 1},
        {"collectionName": None},
        {"timestamp": "5"},
        {"timestamp": None},
        {"timestamp": True},
        {"timestamp": 5.0},
        {"timestamp": {"s": 1}},
        {"timestamp": 1 << 63},
        {"timestamp": -(1 << 63) - 1},
        {"patch": None},
        {"patch": []},
        {"patch": {"type": 3}},
        {"patch": {"type": -1}},
        {"patch": {"type": True}},
        {"patch": {"type": None}},
        {"patch": {"jSONPatch": "{}"}},
        {"patch": {"instanceID": 1}},
        {"patch": {"op": 1}},
    ],
    ids=str,
)
def test_an_event_of_another_shape_is_refused(changed: dict[str, Any]) -> None:
    decode_events(body(EVENT))
    with pytest.raises(InvalidEncoding, match="malformed event"):
        decode_events(body(EVENT | changed))


@pytest.mark.parametrize(
    "value", [[], None, "patches", {"patches": {}}, {"patches": [], "more": 1}, {"patches": [1]}]
)
def test_a_body_that_is_no_list_of_events_is_refused(value: Any) -> None:
    with pytest.raises(InvalidEncoding, match="malformed event"):
        decode_events(dagcbor.encode(value))


def test_the_time_value_of_old_writers_is_zero() -> None:
    (event,) = decode_events(body(EVENT | {"timestamp": {}}))
    assert event.timestamp == 0


def test_missing_keys_are_zero_values_as_at_go_peers() -> None:
    assert decode_events(body({})) == (Event(0, "", "", EventKind.CREATE, None),)
    assert decode_events(dagcbor.encode({})) == ()
    assert decode_events(dagcbor.encode({"patches": None})) == ()


def test_the_event_s_own_id_counts() -> None:
    patch = {"type": 0, "jSONPatch": b"{}", "instanceID": "another"}
    (event,) = decode_events(body(EVENT | {"patch": patch}))
    assert event.id == "one"


@pytest.mark.parametrize(
    "event",
    [
        Event(1 << 63, "c", "i", EventKind.CREATE, b"{}"),
        Event(0, "\ud800", "i", EventKind.CREATE, b"{}"),
        Event(0, "c", "\ud800", EventKind.CREATE, b"{}"),
    ],
    ids=["a-time-too-late", "a-collection-that-is-no-text", "an-id-that-is-no-text"],
)
def test_what_cannot_be_said_is_not_written(event: Event) -> None:
    with pytest.raises(InvalidInput):
        encode_events([event])
