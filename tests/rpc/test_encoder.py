"""Messages of every type of ours are written as betterproto2 writes them, and read back as they were."""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Any

import betterproto2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.api.hubd import pb as hubd  # noqa: F401 - registers its messages, as those below
from textile_aio._proto.api.usersd import pb as users  # noqa: F401
from textile_aio._proto.message_pool import default_message_pool
from textile_aio._proto.powergate.user import v1 as powergate  # noqa: F401
from textile_aio._proto.threads import pb as threads  # noqa: F401
from textile_aio._proto.threads.net import pb as net  # noqa: F401
from textile_aio._rpc.decoder import decode
from textile_aio._rpc.encoder import encode

TYPES: list[Any] = sorted(default_message_pool.url_to_type.values(), key=lambda kind: kind.__qualname__)

# Every kind that protobuf has, though ours use few of them.
NUMBERS: dict[str, tuple[int, int]] = {
    betterproto2.TYPE_INT32: (-(2**31), 2**31 - 1),
    betterproto2.TYPE_INT64: (-(2**63), 2**63 - 1),
    betterproto2.TYPE_UINT32: (0, 2**32 - 1),
    betterproto2.TYPE_UINT64: (0, 2**64 - 1),
    betterproto2.TYPE_SINT32: (-(2**31), 2**31 - 1),
    betterproto2.TYPE_SINT64: (-(2**63), 2**63 - 1),
    betterproto2.TYPE_FIXED32: (0, 2**32 - 1),
    betterproto2.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    betterproto2.TYPE_FIXED64: (0, 2**64 - 1),
    betterproto2.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
}
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    **{kind: st.integers(*limits) for kind, limits in NUMBERS.items()},
    betterproto2.TYPE_BOOL: st.booleans(),
    betterproto2.TYPE_FLOAT: st.floats(width=32),
    betterproto2.TYPE_DOUBLE: st.floats(),
    betterproto2.TYPE_STRING: st.text(max_size=20),
    betterproto2.TYPE_BYTES: st.binary(max_size=300),
}
NUMERIC = {*NUMBERS, betterproto2.TYPE_BOOL, betterproto2.TYPE_FLOAT, betterproto2.TYPE_DOUBLE}


def messages(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Messages of a type, with at most one member of each oneof, and some fields it does not know."""
    shape = kind._betterproto
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, meta in shape.meta_by_field_name.items():
        if meta.group is None and (one := values(meta, shape, name, depth)) is not None:
            fields[name] = one
    plain = st.fixed_dictionaries({}, optional=fields)
    groups = [
        st.one_of(
            st.just({}),
            *(
                st.fixed_dictionaries({name: one})
                for name in sorted(field.name for field in members)
                if (one := values(shape.meta_by_field_name[name], shape, name, depth)) is not None
            ),
        )
        for members in shape.oneof_field_by_group.values()
    ]
    unknown = st.sampled_from([b"", b"", b"\xfa\x07\x01\x68"])
    return st.tuples(unknown, plain, *groups).map(lambda parts: built(kind, *parts))


def built(kind: Any, unknown: bytes, *parts: dict[str, Any]) -> Any:
    message = kind(**{name: value for part in parts for name, value in part.items()})
    message._unknown_fields = unknown
    return message


def values(meta: Any, shape: Any, name: str, depth: int) -> st.SearchStrategy[Any] | None:
    """What a field may hold; None for messages that are nested deeply enough."""
    if meta.map_meta:
        key, value = meta.map_meta
        item = single(value.proto_type, shape.cls_by_field[f"{name}.value"], depth)
        return None if item is None else st.dictionaries(SIMPLE[key.proto_type], item, max_size=3)
    one = single(meta.proto_type, shape.cls_by_field[name], depth)
    return st.lists(one, max_size=3) if meta.repeated and one is not None else one


def single(proto_type: str, kind: Any, depth: int) -> st.SearchStrategy[Any] | None:
    if proto_type == betterproto2.TYPE_MESSAGE:
        return messages(kind, depth + 1) if depth < 2 else None
    if proto_type == betterproto2.TYPE_ENUM:
        return st.integers(0, 5).map(kind)
    return SIMPLE[proto_type]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__qualname__)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_message_goes_out_as_betterproto2_has_it_and_comes_back(kind: Any, data: Any) -> None:
    message = data.draw(messages(kind))
    written = encode(message)
    assert written == bytes(message)
    again = decode(written, kind)
    assert again == kind.parse(written)
    assert encode(again) == written


@pytest.mark.parametrize("proto_type", sorted(NUMERIC))
@pytest.mark.parametrize("repeated", [False, True], ids=["one", "packed"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_kind_of_number_is_written_and_read(proto_type: str, repeated: bool, data: Any) -> None:
    kind = NUMBER_TYPES[proto_type, repeated]
    values = SIMPLE[proto_type]
    message = kind(value=data.draw(st.lists(values, max_size=4) if repeated else values))
    written = encode(message)
    assert written == bytes(message)
    assert encode(decode(written, kind)) == written


def test_packed_values_may_also_come_one_by_one() -> None:
    kind = NUMBER_TYPES[betterproto2.TYPE_UINT64, True]
    assert decode(b"\x08\x01\x0a\x02\x02\x03\x08\x04", kind).value == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("proto_type", "cut"),
    [(betterproto2.TYPE_UINT64, b"\x0a\x01\x80"), (betterproto2.TYPE_DOUBLE, b"\x0a\x01a")],
)
def test_packed_values_that_are_cut_short_are_refused(proto_type: str, cut: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        decode(cut, NUMBER_TYPES[proto_type, True])


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="varint"):
        encode(buckets.Root(version=1 << 64))


def number_type(proto_type: str, *, repeated: bool) -> Any:
    python = {betterproto2.TYPE_BOOL: bool, betterproto2.TYPE_FLOAT: float, betterproto2.TYPE_DOUBLE: float}
    each = python.get(proto_type, int)
    field = betterproto2.field(1, proto_type, repeated=repeated)
    annotation = list[each] if repeated else each  # type: ignore[valid-type]
    return make_dataclass(
        f"Number{proto_type}", [("value", annotation, field)], bases=(betterproto2.Message,), eq=False
    )


NUMBER_TYPES = {
    (proto_type, repeated): number_type(proto_type, repeated=repeated)
    for proto_type in NUMERIC
    for repeated in (False, True)
}
