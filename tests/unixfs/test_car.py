"""CAR files: written, read in pieces, and refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textile_aio import Cid
from textile_aio.errors import IntegrityError, InvalidInput
from textile_aio.records import dagcbor
from textile_aio.unixfs import Block, Directory, car

BLOCKS = [Block.of(0x55, bytes([number]) * number) for number in range(5)]


def file_of(blocks: list[Block], roots: list[Cid]) -> bytes:
    return car.header(roots) + b"".join(
        b"".join(map(bytes, car.section(each.cid, each.data))) for each in blocks
    )


def read(data: bytes, *cuts: int) -> tuple[tuple[Cid, ...], list[Block]]:
    reader = car.CarReader()
    blocks: list[Block] = []
    at = 0
    for cut in (*sorted(each % (len(data) + 1) for each in cuts), len(data)):
        blocks += reader.feed(data[at:cut])
        at = cut
    reader.finish()
    return reader.roots, blocks


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 300), st.lists(st.integers(0, 999)))
def test_what_is_written_is_read_however_it_is_cut(
    contents: list[bytes], roots: int, cuts: list[int]
) -> None:
    blocks = [Block.of(0x55, content) for content in contents]
    named = [Cid.sha256(0x70, bytes(32))] * roots
    assert read(file_of(blocks, named), *cuts) == (tuple(named), blocks)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=30))
def test_the_header_is_dag_cbor(digests: list[bytes]) -> None:
    roots = [Cid.sha256(0x70, digest) for digest in digests]
    written = car.header(roots)
    size = 1 if written[0] < 0x80 else 2
    assert written[size:] == dagcbor.encode({"roots": roots, "version": 1})


def test_a_file_by_another_writer_is_read_and_written_alike() -> None:
    """By @ipld/car 5.4.7: two roots, two raw blocks, an empty directory under a CID of version 0."""
    theirs = bytes.fromhex(
        "61a265726f6f747382d82a582300122059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef"
        "d82a582500015512202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b98246776657273696f"
        "6e0129015512202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982468656c6c6f24015512"
        "20e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85526122059948439065f29619ef41280"
        "cbb932be52c56d99c5966b65e0111239f098bbef0a020801"
    )
    hello, empty = Block.of(0x55, b"hello"), Block.of(0x55, b"")
    folder = Directory().encode(0)
    assert str(folder.cid) == "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
    assert read(theirs) == ((folder.cid, hello.cid), [hello, empty, folder])
    assert file_of([hello, empty, folder], [folder.cid, hello.cid]) == theirs


def test_no_file_that_is_cut_short_passes() -> None:
    whole = file_of(BLOCKS, [BLOCKS[0].cid])
    complete = {0}
    at = len(car.header([BLOCKS[0].cid]))
    complete = {at}
    for each in BLOCKS:
        at += sum(map(len, car.section(each.cid, each.data)))
        complete.add(at)
    for end in range(len(whole)):
        if end in complete:
            continue
        with pytest.raises(InvalidInput):
            read(whole[:end])


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 20,
        b"\x00",
        b"\x01\xa0",
        b"\x0b\xa1\x67version\x01\x00",
        b"\x0a\xa1\x67version\x01",
        b"\xff\xff\x7f" + bytes(10),
        car.header([BLOCKS[0].cid]).replace(b"version\x01", b"version\x02"),
        car.header([]),
        car.header([BLOCKS[0].cid]) + b"\x05hello",
        car.header([BLOCKS[0].cid]) + b"\xff\xff\xff\xff\x07",
    ],
)
def test_what_is_no_car_file_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(data)


def test_a_block_that_is_not_what_it_says_is_refused() -> None:
    wrong = file_of([Block(BLOCKS[1].cid, b"other")], [BLOCKS[1].cid])
    with pytest.raises(IntegrityError):
        read(wrong)


def test_a_reader_holds_one_block_at_most() -> None:
    reader = car.CarReader()
    with pytest.raises(InvalidInput):
        list(reader.feed(car.header([BLOCKS[0].cid]) + b"\x80\x80\x80\x08" + bytes(100)))
