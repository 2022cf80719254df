"""A record opens only as the whole that was sealed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import recorded
from tests.records.recorded import AUTHOR, CASES, LOG, READ_KEY, SERVICE_KEY
from textile_aio import _sealing
from textile_aio.errors import BadSignature, DecryptionFailed, IntegrityError, InvalidEncoding
from textile_aio.identity import Identity
from textile_aio.ids import Cid
from textile_aio.records import dagcbor, record

BLOCKS = ("record", "event", "header", "body")


def make(body: bytes = b"\xa0", *, prev: Cid | None = None, **changed: Any) -> record.Record:
    given: dict[str, Any] = {
        "author": AUTHOR,
        "log": LOG,
        "service_key": SERVICE_KEY,
        "read_key": READ_KEY,
        "prev": prev,
    }
    return record.seal(body, **(given | changed))


def resealed(made: record.Record, **changed: Any) -> record.Nodes:
    """The blocks of a record whose map was changed by someone with the service key; ``...`` drops a key."""
    fields: dict[str, Any] = {"sig": made.signature, "block": made.event, "pubKey": made.author}
    if made.prev is not None:
        fields["prev"] = made.prev
    fields = {key: value for key, value in (fields | changed).items() if value is not ...}
    return dataclasses.replace(made.nodes, record=node(dagcbor.encode(fields), SERVICE_KEY))


def node(plaintext: bytes, key: bytes) -> bytes:
    return dagcbor.encode(_sealing.seal_symmetric(key, plaintext))


def cid_of(block: bytes) -> Cid:
    return Cid.sha256(0x71, hashlib.sha256(block).digest())


# Always the same two, so that test ids made of their parts are.
FIRST = make(random=lambda size: b"\x01" * size)
SECOND = make(prev=FIRST.cid, random=lambda size: b"\x02" * size)


@given(st.binary(max_size=2000), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_what_is_sealed_opens_again(body: bytes, service: bytes, read: bytes) -> None:
    made = make(body, prev=FIRST.cid, service_key=service, read_key=read)
    opened = record.open_record(made.nodes, service)
    assert opened == made
    record.verify(opened, LOG.public)
    assert record.open_body(opened, read) == body


def test_the_fixed_blocks_have_their_fixed_sizes() -> None:
    assert len(SECOND.nodes.event) == 95
    assert len(SECOND.nodes.header) == 69


def test_the_same_body_twice_gives_records_with_nothing_in_common() -> None:
    one, other = make(b"\xa0"), make(b"\xa0")
    assert not {one.cid, one.event, one.header, one.body} & {other.cid, other.event, other.header, other.body}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("block", BLOCKS)
def test_no_byte_of_any_block_can_be_altered(case: dict[str, Any], block: str) -> None:
    whole = recorded.nodes(case)
    data = getattr(whole, block)
    for at in range(len(data)):
        for bit in (0x01, 0x80):
            altered = data[:at] + bytes((data[at] ^ bit,)) + data[at + 1 :]
            with pytest.raises((IntegrityError, InvalidEncoding)):
                record.open_record(dataclasses.replace(whole, **{block: altered}), SERVICE_KEY)


@given(st.sampled_from(BLOCKS), st.data())
def test_no_block_can_be_cut_lengthened_or_replaced(block: str, data: st.DataObject) -> None:
    whole = SECOND.nodes
    right = getattr(whole, block)
    cut = data.draw(st.integers(0, len(right)))
    wrong = data.draw(
        st.sampled_from([right[:cut], right + right[:cut], b"", right[cut:]]) | st.binary(max_size=200)
    )
    if wrong == right:
        return
    with pytest.raises((IntegrityError, InvalidEncoding)):
        record.open_record(dataclasses.replace(whole, **{block: wrong}), SERVICE_KEY)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_another_record_is_refused(block: str) -> None:
    mixed = dataclasses.replace(SECOND.nodes, **{block: getattr(FIRST.nodes, block)})
    if block == "record":
        with pytest.raises(IntegrityError, match="the event block is not the one"):
            record.open_record(mixed, SERVICE_KEY)
    else:
        with pytest.raises(IntegrityError, match=f"the {block} block is not the one"):
            record.open_record(mixed, SERVICE_KEY)


@pytest.mark.parametrize("block", ["record", "header", "body"])
def test_a_block_in_a_longer_form_is_refused_even_where_its_links_are_right(block: str) -> None:
    sealed = dagcbor.decode(getattr(SECOND.nodes, block))
    longer = b"\x5b" + len(sealed).to_bytes(8, "big") + sealed
    nodes = dataclasses.replace(SECOND.nodes, **{block: longer})
    if block != "record":
        event = dagcbor.encode({"body": cid_of(nodes.body), "header": cid_of(nodes.header)})
        forged = dataclasses.replace(SECOND, nodes=nodes)
        nodes = dataclasses.replace(resealed(forged, block=cid_of(event)), event=event)
    with pytest.raises(InvalidEncoding, match="canonical"):
        record.open_record(nodes, SERVICE_KEY)


@pytest.mark.parametrize(
    "event",
    [
        dagcbor.encode({"body": SECOND.body}),
        dagcbor.encode({"body": SECOND.body, "header": SECOND.header, "more": 1}),
        dagcbor.encode({"body": SECOND.body, "header": None}),
        dagcbor.encode([SECOND.body, SECOND.header]),
        b"\xa2\x66header" + dagcbor.encode(SECOND.header) + b"\x64body" + dagcbor.encode(SECOND.body),
    ],
    ids=["one-link", "one-key-more", "null", "a-list", "out-of-order"],
)
def test_an_event_of_another_shape_is_refused(event: bytes) -> None:
    nodes = dataclasses.replace(resealed(SECOND, block=cid_of(event)), event=event)
    with pytest.raises(InvalidEncoding, match="two links"):
        record.open_record(nodes, SERVICE_KEY)


@pytest.mark.parametrize(
    "changed",
    [
        {"more": 1},
        {"Sig": b""},
        {"sig": ...},
        {"block": ...},
        {"pubKey": ...},
        {"prev": None},
        {"prev": b"\x00" + FIRST.cid.bytes},
        {"prev": Cid.sha256(0x55, bytes(32))},
        {"prev": Cid.sha256(0x70, bytes(32), version=0)},
        {"prev": Cid(1, 0x71, b"\x1b\x20" + bytes(32))},
        {"block": None},
        {"block": SECOND.event.bytes},
        {"block": Cid.sha256(0x55, SECOND.event.digest)},
        {"sig": "a" * 64},
        {"sig": SECOND.signature + b"\x00"},
        {"sig": b""},
        {"pubKey": str(AUTHOR)},
        {"pubKey": None},
    ],
    ids=str,
)
def test_a_record_of_another_shape_is_refused_even_under_the_right_key(changed: dict[str, Any]) -> None:
    record.open_record(resealed(SECOND), SERVICE_KEY)
    with pytest.raises(InvalidEncoding):
        record.open_record(resealed(SECOND, **changed), SERVICE_KEY)


def test_a_record_that_is_no_map_is_refused() -> None:
    for plaintext in (b"", b"\x80", b"\xf6", b"\xa0", dagcbor.encode([SECOND.signature])):
        with pytest.raises(InvalidEncoding):
            record.open_record(
                dataclasses.replace(SECOND.nodes, record=node(plaintext, SERVICE_KEY)), SERVICE_KEY
            )


@pytest.mark.parametrize("size", [0, 11, 12, 27])
def test_a_sealed_text_too_short_is_refused(size: int) -> None:
    short = dataclasses.replace(SECOND.nodes, record=dagcbor.encode(bytes(size)))
    with pytest.raises(DecryptionFailed):
        record.open_record(short, SERVICE_KEY)


def test_a_sealed_block_that_is_no_byte_string_is_refused() -> None:
    with pytest.raises(InvalidEncoding, match="byte string"):
        record.open_record(dataclasses.replace(SECOND.nodes, record=dagcbor.encode("text")), SERVICE_KEY)


@given(st.integers(0, 63), st.integers(1, 255))
def test_an_altered_signature_does_not_verify(at: int, change: int) -> None:
    signature = bytearray(SECOND.signature)
    signature[at] ^= change
    opened = record.open_record(resealed(SECOND, sig=bytes(signature)), SERVICE_KEY)
    with pytest.raises(BadSignature, match="bad signature"):
        record.verify(opened, LOG.public)


@pytest.mark.parametrize("made", [FIRST, SECOND], ids=["first", "second"])
def test_another_log_s_key_does_not_verify(made: record.Record) -> None:
    with pytest.raises(BadSignature, match="bad signature"):
        record.verify(made, Identity.generate().public)


def test_a_record_moved_to_another_place_in_its_log_does_not_verify() -> None:
    for nodes in (
        resealed(SECOND, prev=SECOND.cid),
        resealed(SECOND, prev=...),
        resealed(FIRST, prev=SECOND.cid),
    ):
        with pytest.raises(BadSignature):
            record.verify(record.open_record(nodes, SERVICE_KEY), LOG.public)


def test_the_author_of_a_first_record_is_signed() -> None:
    claimed = record.open_record(resealed(FIRST, pubKey=Identity.generate().public.bytes), SERVICE_KEY)
    with pytest.raises(BadSignature):
        record.verify(claimed, LOG.public)


def test_a_body_does_not_open_with_another_read_key() -> None:
    with pytest.raises(DecryptionFailed):
        record.open_body(SECOND, os.urandom(32))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        dagcbor.encode({"key": bytes(31)}),
        dagcbor.encode({"key": bytes(33)}),
        dagcbor.encode({"key": LOG.bytes}),
        dagcbor.encode({"Key": bytes(32)}),
        dagcbor.encode({"key": bytes(32), "more": 1}),
    ],
    ids=["empty", "short", "long", "a-private-key", "another-name", "one-key-more"],
)
def test_a_header_without_one_symmetric_key_is_refused(header: bytes) -> None:
    forged = dataclasses.replace(
        SECOND, nodes=dataclasses.replace(SECOND.nodes, header=node(header, READ_KEY))
    )
    with pytest.raises(InvalidEncoding, match="header"):
        record.open_body(forged, READ_KEY)


@pytest.mark.parametrize(
    "prev", [Cid.sha256(0x55, bytes(32)), Cid.sha256(0x70, bytes(32), version=0)], ids=str
)
def test_no_record_is_made_after_something_that_is_no_record(prev: Cid) -> None:
    with pytest.raises(InvalidEncoding):
        make(prev=prev)
