"""What is read is what betterproto2 would read, and what is no message is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorded import cases, label
from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.api.hubd import pb as hubd  # noqa: F401
from textile_aio._proto.api.usersd import pb as users  # noqa: F401
from textile_aio._proto.message_pool import default_message_pool
from textile_aio._proto.powergate.user import v1 as powergate  # noqa: F401
from textile_aio._proto.threads import pb as threads
from textile_aio._proto.threads.net import pb as net  # noqa: F401 - registers its messages
from textile_aio._rpc.decoder import decode

RECORDED = cases("grpc-frames") + cases("grpc-frames-extra")


def message_type(case: dict[str, str]) -> type:
    return default_message_pool.url_to_type[f"type.googleapis.com/{case['message']}"]


@pytest.mark.parametrize("case", RECORDED, ids=label)
def test_every_recorded_message_is_read_as_betterproto2_reads_it(case: dict[str, str]) -> None:
    data, kind = bytes.fromhex(case["hex"]), message_type(case)
    assert decode(data, kind) == kind.parse(data)  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", [case for case in RECORDED if 0 < len(case["hex"]) < 300], ids=label)
def test_a_message_cut_anywhere_is_refused_or_whole_as_far_as_it_goes(case: dict[str, str]) -> None:
    kind, data = message_type(case), bytes.fromhex(case["hex"])
    boundaries = {0}
    for end in range(1, len(data)):
        try:
            decode(data[:end], kind)
        except ValueError:
            continue
        boundaries.add(end)
        assert bytes(kind.parse(data[:end])) is not None  # type: ignore[attr-defined]
    for end in boundaries:
        rest = data[end:]
        decode(rest, kind)  # only at a boundary can the rest stand alone


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("0a7f616263", "cut short"),
        ("0805", "wire type 0 instead of 2"),
        ("0b0c", "wire type 3"),
        ("0a02fffe", "utf-8"),
        ("0a", "varint"),
        ("0affffffffffffffffffff01", "varint"),
        ("0000", "no valid number"),
    ],
)
def test_what_betterproto2_would_take_is_refused(data: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode(bytes.fromhex(data), buckets.RootRequest)


def test_only_one_member_of_a_oneof_may_be_set() -> None:
    both = bytes(threads.GetTokenRequest(key="k")) + bytes(threads.GetTokenRequest(signature=b"s"))
    with pytest.raises(ValueError, match="more than one member"):
        decode(both, threads.GetTokenRequest)


def test_deep_nesting_is_refused_without_exhausting_the_stack() -> None:
    data = b""
    for _ in range(400):
        data = b"\x32" + _size(len(data)) + data
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(data, buckets.PathItem)


def test_unknown_fields_may_be_anything_well_formed() -> None:
    decode(bytes.fromhex("fa07026869f80701fd07" + "00" * 4), buckets.RootRequest)


@given(st.binary(max_size=60), st.sampled_from([buckets.Root, buckets.PushPathRequest, threads.NewDbRequest]))
def test_what_is_read_is_what_betterproto2_reads(data: bytes, kind: type) -> None:
    try:
        message = decode(data, kind)
    except ValueError:
        return
    assert bytes(message) == bytes(kind.parse(data))  # type: ignore[attr-defined]


def _size(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@pytest.mark.parametrize("field", ["0a00", "7800"], ids=["of the message", "unknown"])
def test_a_message_of_very_many_fields_is_refused(field: str) -> None:
    """Reading two million of them would stop the loop for many seconds."""
    with pytest.raises(ValueError, match="more than 200000 fields"):
        decode(bytes.fromhex(field) * 2_000_000, threads.NewDbRequest)


def test_many_unknown_fields_take_no_more_than_their_share_of_time() -> None:
    """Joined one to the other, these took minutes."""
    fields = bytes.fromhex("7a10" + 16 * "00") * 200_000
    started = time.process_time()
    assert decode(fields, threads.ListDBsRequest)._unknown_fields == fields
    assert time.process_time() - started < 5
