"""Links that were written otherwise than we write them are written again in our form."""

from __future__ import annotations

from itertools import product

import pytest

from textile_aio import Cid
from textile_aio.unixfs import dagpb

CID = Cid.sha256(0x55, bytes(32))
HASHES = (b"\x0a\x24" + CID.bytes, b"\x0a\xa4\x00" + CID.bytes)
NAMES = (b"\x12\x01n", b"\x12\x81\x00n", b"")
SIZES = (b"\x18\x05", b"\x18\x85\x00", b"")


@pytest.mark.parametrize(
    ("hash_", "name", "size", "long"), list(product(HASHES, NAMES, SIZES, (False, True)))
)
def test_an_odd_link_is_written_as_ours_are(hash_: bytes, name: bytes, size: bytes, long: bool) -> None:
    body = hash_ + name + size
    length = bytes([len(body) | 0x80, 0]) if long else bytes([len(body)])
    read = dagpb.decode(b"\x12" + length + body)
    fresh = dagpb.Link(b"n" if name else b"", CID, 5 if size else 0)
    assert dagpb.encode(read.links) == dagpb.encode([fresh])
