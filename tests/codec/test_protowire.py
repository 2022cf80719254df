from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio._codec import protowire
from textile_aio.errors import InvalidEncoding

NUMBERS = st.integers(1, 2**29 - 1)
FIELDS = st.lists(st.tuples(NUMBERS, st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=200))))


def write(fields: Sequence[tuple[int, int | bytes]]) -> bytes:
    return b"".join(
        protowire.varint_field(number, value)
        if isinstance(value, int)
        else protowire.bytes_field(number, value)
        for number, value in fields
    )


@given(FIELDS)
def test_fields_come_back_in_the_order_they_were_written(fields: Sequence[tuple[int, int | bytes]]) -> None:
    assert list(protowire.fields(write(fields))) == fields


@given(st.tuples(NUMBERS, st.binary(max_size=20)))
def test_every_shorter_piece_of_a_field_is_refused(field: tuple[int, bytes]) -> None:
    written = write([field])
    for end in range(1, len(written)):
        with pytest.raises(InvalidEncoding):
            list(protowire.fields(written[:end]))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidEncoding):
        list(protowire.fields(data))


def test_fixed_size_fields_are_handed_over_as_they_stand() -> None:
    assert list(protowire.fields(b"\x0d\x01\x02\x03\x04\x11" + bytes(8))) == [
        (1, b"\x01\x02\x03\x04"),
        (2, bytes(8)),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x02\x00", "field number 0"),
        (b"\x0b", "wire type 3"),
        (b"\x0c", "wire type 4"),
        (b"\x0e", "wire type 6"),
        (b"\x0f", "wire type 7"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "cut short"),
        (b"\x0d\x00", "cut short"),
        (b"\x80\x80\x80\x80\x10\x00", "field number"),
    ],
)
def test_what_protobuf_does_not_allow_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InvalidEncoding, match=message):
        list(protowire.fields(data))
