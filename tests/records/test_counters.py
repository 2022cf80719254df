"""A log's counter survives the eight bytes it travels in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio.errors import InvalidEncoding
from textile_aio.records import counters


@given(st.integers(0, counters.MOST))
def test_every_counter_reads_back_from_eight_bytes(counter: int) -> None:
    data = counters.encode(counter)
    assert len(data) == counters.SIZE
    assert counters.decode(data) == counter


@pytest.mark.parametrize("counter", [-1, counters.MOST + 1])
def test_a_counter_that_does_not_fit_is_refused(counter: int) -> None:
    with pytest.raises(InvalidEncoding):
        counters.encode(counter)


def test_an_empty_field_is_an_unknown_counter() -> None:
    assert counters.decode(b"") == 0


def test_bytes_after_the_number_are_ignored() -> None:
    assert counters.decode(b"\x02\xff\xff") == 1


@pytest.mark.parametrize("data", [b"\x80", b"\x01", b"\xff" * 8, b"\xff" * 12])
def test_a_field_that_holds_no_counter_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidEncoding):
        counters.decode(data)
