from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.storage.rows import cid_of
from textile_aio.storage.entries import Entry, header, scan
from textile_aio.storage.links import join, split

blocks = st.lists(
    st.tuples(st.binary(max_size=40), st.lists(st.binary(max_size=40), max_size=4), st.binary(max_size=300)),
    max_size=5,
)


def place_of(blocks: Sequence[tuple[bytes, Sequence[bytes], bytes]]) -> bytes:
    return b"".join(header(cid, links, data) + data for cid, links, data in blocks)


@given(blocks)
def test_what_was_written_is_found(blocks: Sequence[tuple[bytes, Sequence[bytes], bytes]]) -> None:
    place = place_of(blocks)
    found = list(scan(place))
    assert [(entry.cid, list(entry.links)) for entry in found] == [(cid, links) for cid, links, _ in blocks]
    assert [place[entry.offset : entry.end] for entry in found] == [data for _, _, data in blocks]
    assert all(entry.intact for entry in found)


@given(blocks, st.data())
def test_a_torn_tail_is_cut_at_the_last_whole_entry(
    blocks: Sequence[tuple[bytes, Sequence[bytes], bytes]], data: st.DataObject
) -> None:
    place = place_of(blocks)
    whole = list(scan(place))
    cut = data.draw(st.integers(0, len(place)))
    assert list(scan(place[:cut])) == [entry for entry in whole if entry.end <= cut]


@given(blocks, st.integers(1, 5000))
def test_zeros_are_never_entries(blocks: Sequence[tuple[bytes, Sequence[bytes], bytes]], count: int) -> None:
    place = place_of(blocks)
    assert list(scan(place + bytes(count))) == list(scan(place))


@given(st.binary(max_size=200))
def test_random_bytes_are_never_entries(noise: bytes) -> None:
    assert list(scan(noise)) == []


@pytest.mark.parametrize("position", range(24 + 36 + 2 + 5))
def test_no_bit_of_a_header_can_change_unnoticed(position: int) -> None:
    data = b"some data"
    first, second = header(cid_of(data), [b"child"], data) + data, header(b"second", [], data) + data
    place = bytearray(first + second)
    place[position] ^= 0x10
    assert list(scan(bytes(place))) == []


def test_a_damaged_block_is_found_out_and_the_scan_goes_on() -> None:
    place = bytearray(place_of([(b"one", [], b"data"), (b"two", [], b"more")]))
    place[24 + 3] ^= 1
    assert [(entry.cid, entry.intact) for entry in scan(bytes(place))] == [(b"one", False), (b"two", True)]


def test_a_file_is_scanned_from_where_it_stands() -> None:
    data = b"x" * 3_000_000
    place = header(b"skipped", [], b"") + header(b"cid", [b"link"], data) + data
    file = io.BytesIO(place)
    file.seek(24 + 7)
    start = 24 + 7 + 24 + 3 + 2 + 4
    assert list(scan(file)) == [Entry(b"cid", (b"link",), start, len(data), True)]


def test_an_entry_becomes_the_row_it_was_written_for() -> None:
    [entry] = scan(place_of([(b"cid", [b"a", b"b"], b"data")]))
    row = entry.row("p" * 32)
    assert (row.cid, row.links, row.size, row.place, row.offset) == (
        b"cid",
        (b"a", b"b"),
        4,
        "p" * 32,
        entry.offset,
    )


def test_a_cid_too_long_for_an_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        header(b"c" * 65536, [], b"")


@given(st.lists(st.binary(max_size=70)))
def test_links_are_what_was_joined(links: list[bytes]) -> None:
    assert split(join(links)) == tuple(links)


@given(st.lists(st.binary(min_size=1, max_size=70), min_size=1), st.data())
def test_links_that_end_within_a_cid_are_refused(links: list[bytes], data: st.DataObject) -> None:
    joined = join(links)
    cut = data.draw(st.integers(len(joined) - len(links[-1]) - 1, len(joined) - 1))
    with pytest.raises(ValueError, match="within a CID"):
        split(joined[:cut])
