from __future__ import annotations

import multiformats.varint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio._codec import varint
from textile_aio.errors import InvalidEncoding

NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS, st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_comes_back_with_the_position_after_it(number: int, before: bytes, after: bytes) -> None:
    written = varint.encode(number)
    assert varint.decode(before + written + after, len(before)) == (number, len(before) + len(written))


@given(st.integers(0, 2**63 - 1))
def test_numbers_are_written_as_the_multiformats_package_writes_them(number: int) -> None:
    assert varint.encode(number) == multiformats.varint.encode(number)


@given(NUMBERS)
def test_every_shorter_piece_is_refused(number: int) -> None:
    written = varint.encode(number)
    for end in range(len(written)):
        with pytest.raises(InvalidEncoding, match="buffer too small"):
            varint.decode(written[:end])


@given(st.integers(0, 2**56 - 1))
def test_a_longer_form_is_read_only_where_it_is_allowed(number: int) -> None:
    written = varint.encode(number)
    longer = written[:-1] + bytes((written[-1] | 0x80, 0))
    assert varint.decode(longer, minimal=False) == (number, len(longer))
    with pytest.raises(InvalidEncoding, match="minimally"):
        varint.decode(longer)


@given(st.binary(min_size=1, max_size=12))
def test_whatever_is_read_strictly_is_what_would_be_written(data: bytes) -> None:
    try:
        number, end = varint.decode(data)
    except InvalidEncoding:
        return
    assert varint.encode(number) == data[:end]


@pytest.mark.parametrize("data", [b"\xff" * 10, b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01"])
def test_more_than_64_bits_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidEncoding, match="bigger than 64bits"):
        varint.decode(data, minimal=False)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_that_do_not_fit_are_not_written(number: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        varint.encode(number)
