"""DAG-CBOR has one form for each value, and hostile bytes cost little."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.values import texts, values
from textile_aio.errors import InvalidEncoding, InvalidInput
from textile_aio.ids import Cid
from textile_aio.records import dagcbor

LINK = bytes.fromhex("d82a58250001711220") + bytes(32)


def same(one: Any, other: Any) -> bool:
    """Equal with types, so that 1, 1.0 and True differ."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and (
        not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other)
    )


@given(values)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert same(dagcbor.decode(dagcbor.encode(value)), value)


@given(st.dictionaries(texts, st.integers(), max_size=20))
def test_the_order_of_a_dict_makes_no_difference(value: dict[str, int]) -> None:
    small = {key: item % 1000 for key, item in value.items()}
    assert dagcbor.encode(small) == dagcbor.encode(dict(reversed(small.items())))


def test_keys_stand_by_length_and_then_by_bytes() -> None:
    keys = ["", "b", "aa", "é", "zz", "a" * 23, "b" * 24, "a" * 300]
    encoded = dagcbor.encode(dict.fromkeys(reversed(keys)))
    assert list(dagcbor.decode(encoded)) == sorted(keys, key=lambda key: (len(key.encode()), key.encode()))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_are_their_value_s_one_form(data: bytes) -> None:
    try:
        value = dagcbor.decode(data)
    except InvalidEncoding:
        return
    assert dagcbor.encode(value) == data


@given(values, st.data())
def test_altered_bytes_are_refused_or_are_another_value_s_one_form(value: Any, data: st.DataObject) -> None:
    encoded = bytearray(dagcbor.encode(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = dagcbor.decode(bytes(encoded))
    except InvalidEncoding:
        return
    assert dagcbor.encode(other) == encoded
    assert not same(other, value)


@pytest.mark.parametrize(
    ("form", "reason"),
    {
        "nothing": ("", "premature end"),
        "a second value": ("0000", "canonical"),
        "an integer longer than needed": ("1801", "canonical"),
        "a length longer than needed": ("580161", "canonical"),
        "a text length longer than needed": ("780161", "canonical"),
        "a float of 16 bits": ("f93c00", "canonical"),
        "a float of 32 bits": ("fa3f800000", "canonical"),
        "not a number": ("fb7ff8000000000000", "finite"),
        "infinity": ("fbfff0000000000000", "finite"),
        "undefined": ("f7", "no form"),
        "a simple value": ("e0", "no form"),
        "a break alone": ("ff", "break"),
        "a reserved head": ("1c", ""),
        "a list of indefinite length": ("9f00ff", "indefinite"),
        "a map of indefinite length": ("bf616100ff", "indefinite"),
        "bytes of indefinite length": ("5f4100ff", "indefinite"),
        "text of indefinite length": ("7f6161ff", "indefinite"),
        "a key twice": ("a2616101616102", "Duplicate"),
        "keys out of order": ("a2616201616102", "canonical"),
        "a longer key first": ("a262616101616202", "canonical"),
        "a number as a key": ("a10102", "key"),
        "bytes as a key": ("a1416101", "keys"),
        "text that is no UTF-8": ("61ff", "utf-8"),
        "text with a surrogate": ("63eda080", "utf-8"),
        "a big number": ("c249010000000000000000", "tag"),
        "a small number as a big one": ("c24101", "tag"),
        "a date": ("c11a514b67b0", "tag"),
        "a shared value": ("d81c80", "tag"),
        "a reference": ("82d81c80d81d00", "tag"),
        "a namespace of strings": ("d9010080", "tag"),
        "a huge decimal": ("c4821a3b9aca0001", "tag"),
        "CBOR's own mark": ("d9d9f700", "tag"),
        "an unknown tag": ("d90fff00", "tag"),
        "a link's tag longer than needed": ("da0000002a" + LINK[2:].hex(), "canonical"),
        "a link without its zero": ("d82a5824" + LINK[5:].hex(), "zero"),
        "a link that is text": ("d82a6100", "zero"),
        "a link to nothing": ("d82a4100", "small"),
        "a link with something behind": ("d82a582600" + LINK[5:].hex() + "00", ""),
        "a link inside a link": ("d82a" + LINK.hex(), "zero"),
    }.items(),
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_no_other_form_is_read(form: str, reason: tuple[str, str]) -> None:
    data, text = reason
    with pytest.raises(InvalidEncoding, match=f"malformed DAG-CBOR: .*{text}"):
        dagcbor.decode(bytes.fromhex(data))


@pytest.mark.parametrize(
    "value",
    [
        1 << 64,
        -(1 << 64) - 1,
        math.nan,
        math.inf,
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {b"a": 2},
        {None: 2},
        {1, 2},
        bytearray(b"a"),
        memoryview(b"a"),
        object(),
        [{"deep": object()}],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_is_not_written(value: Any) -> None:
    with pytest.raises(InvalidInput):
        dagcbor.encode(value)


def test_a_value_in_itself_is_not_written() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InvalidInput, match="inside each other"):
        dagcbor.encode(value)


def test_a_tuple_is_written_as_a_list() -> None:
    assert dagcbor.encode((1, (2,))) == dagcbor.encode([1, [2]])


def test_a_link_is_a_cid() -> None:
    cid = dagcbor.decode(LINK)
    assert isinstance(cid, Cid)
    assert cid.bytes == LINK[5:]


@contextmanager
def taking_at_most(size: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "head", [b"\x81", b"\xa1\x61a", b"\xd8\x2a", b"\xc6", b"\x81\xd8\x2a", b"\xd8\x1c\x81"]
)
def test_depth_is_refused_before_the_stack_ends(head: bytes) -> None:
    for times in (dagcbor.MAX_DEPTH + 1, 100_000):
        with pytest.raises(InvalidEncoding):
            dagcbor.decode(head * times + b"\x00")


@pytest.mark.parametrize(("start", "end"), [(b"\x81", b"\x80"), (b"\xa1\x61a", b"\xa0")])
def test_the_depth_allowed_is_the_same_for_reading_and_writing(start: bytes, end: bytes) -> None:
    deepest = start * (dagcbor.MAX_DEPTH - 1) + end
    value = dagcbor.decode(deepest)
    assert dagcbor.encode(value) == deepest
    with pytest.raises(InvalidInput):
        dagcbor.encode([value])
    with pytest.raises(InvalidEncoding):
        dagcbor.decode(b"\x81" + deepest)


@pytest.mark.parametrize("major", [0x40, 0x60, 0x80, 0xA0])
@pytest.mark.parametrize("length", ["1bffffffffffffffff", "1b7fffffffffffffff", "1affffffff", "1a10000000"])
def test_a_huge_length_takes_no_memory(major: int, length: str) -> None:
    data = bytearray(bytes.fromhex(length))
    data[0] |= major
    with taking_at_most(1 << 20), pytest.raises(InvalidEncoding):
        dagcbor.decode(bytes(data))


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> int:
    """As many values as are allowed in this test: few, for it to be quick."""
    monkeypatch.setattr(dagcbor, "MAX_ITEMS", 1 << 14)
    return 1 << 14


@pytest.mark.parametrize(
    ("unit", "weight"), [(b"\x00", 1), (b"\x40", 1), (b"\x60", 1), (b"\x80", 4), (b"\xa0", 4), (b"\xc6", 4)]
)
def test_many_tiny_values_are_refused_before_they_are_made(unit: bytes, weight: int, fewer: int) -> None:
    many = fewer // weight
    data = b"\x9a" + many.to_bytes(4, "big") + unit * many
    with taking_at_most(16 << 10), pytest.raises(InvalidEncoding, match="values"):
        dagcbor.decode(data)


def test_as_many_values_are_written_as_are_read(fewer: int) -> None:
    most = [1] * (fewer - 4)
    assert dagcbor.decode(dagcbor.encode(most)) == most
    with pytest.raises(InvalidInput, match="values"):
        dagcbor.encode([*most, 1])


def test_a_large_string_is_one_value() -> None:
    value = [bytes(dagcbor.MAX_ITEMS * 2), "text" * dagcbor.MAX_ITEMS]
    assert dagcbor.decode(dagcbor.encode(value)) == value


def test_a_block_over_the_limit_is_neither_read_nor_written() -> None:
    value = bytes(dagcbor.MAX_SIZE)
    with pytest.raises(InvalidInput, match="bytes"):
        dagcbor.encode(value)
    with pytest.raises(InvalidEncoding, match="bytes"):
        dagcbor.decode(b"\x5a" + len(value).to_bytes(4, "big") + value)


@pytest.mark.parametrize(
    ("loose", "value"),
    [
        (b"\x18\x01", 1),
        (b"\xfa\x3f\x00\x00\x00", 0.5),
        (b"\xf9\x38\x00", 0.5),
        (b"\xa2\x62bb\x01\x61a\x02", {"a": 2, "bb": 1}),
        (b"\x58\x01x", b"x"),
    ],
)
def test_other_forms_are_brought_into_the_one(loose: bytes, value: object) -> None:
    assert dagcbor.canonical(loose) == dagcbor.encode(value)
    assert dagcbor.canonical(dagcbor.encode(value)) == dagcbor.encode(value)


@pytest.mark.parametrize(
    "data", [b"", b"\x01\x01", b"\x9f\x01\xff", b"\xc1\x01", b"\xf7", b"\xa2\x61a\x01\x61a\x01"]
)
def test_what_has_no_form_is_not_brought_into_one(data: bytes) -> None:
    with pytest.raises(InvalidEncoding):
        dagcbor.canonical(data)
