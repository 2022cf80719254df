"""The short way of the chunk messages is the long way, byte for byte and field for field."""

from __future__ import annotations

from typing import Any

import pytest
from betterproto2 import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from textile_aio._proto.api.bucketsd import pb
from textile_aio._rpc import codec as codec_module
from textile_aio._rpc import decoder
from textile_aio._rpc.codec import MessageCodec, register_hot
from textile_aio.buckets import _hot as _hot  # registers them

CODEC = MessageCodec()
HOT: list[type[Any]] = [
    pb.PushPathRequest,
    pb.PushPathsRequest,
    pb.PullPathResponse,
    pb.PullIpfsPathResponse,
]
CHUNKS = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([127, 128, 16_383, 16_384, 32_768, 262_144, 2_097_151, 2_097_152]).map(
        lambda n: b"\xa5" * n
    ),
)
VIEWS = st.sampled_from([bytes, bytearray, memoryview])
TEXTS = st.text(max_size=40)
UNKNOWN = st.sampled_from([b"", b"\x78\x01"])


def with_unknown(message: Any, unknown: bytes) -> Any:
    message._unknown_fields = unknown
    return message


MESSAGES = st.one_of(
    st.builds(pb.PushPathRequest, chunk=st.one_of(st.none(), CHUNKS)),
    st.builds(pb.PushPathRequest, header=st.builds(pb.PushPathRequestHeader, key=TEXTS, path=TEXTS)),
    st.builds(pb.PullPathResponse, chunk=CHUNKS),
    st.builds(pb.PullIpfsPathResponse, chunk=CHUNKS),
    st.builds(pb.PushPathsRequest, chunk=st.builds(pb.PushPathsRequestChunk, path=TEXTS, data=CHUNKS)),
    st.builds(pb.PushPathsRequest, header=st.builds(pb.PushPathsRequestHeader, key=TEXTS, root=TEXTS)),
    st.just(pb.PushPathsRequest()),
)


@settings(deadline=None)
@given(message=MESSAGES, unknown=UNKNOWN)
def test_hot_bytes_are_betterprotos_bytes(message: Message, unknown: bytes) -> None:
    with_unknown(message, unknown)
    kind = type(message)
    assert b"".join(CODEC.pieces(message, kind)) == bytes(message)
    assert CODEC.encode(message, kind) == bytes(message)


@settings(deadline=None)
@given(message=MESSAGES, unknown=UNKNOWN, view=VIEWS)
def test_hot_messages_are_betterprotos_messages(message: Message, unknown: bytes, view: Any) -> None:
    data = bytes(with_unknown(message, unknown))
    kind = type(message)
    decoded, expected = CODEC.decode(view(data), kind), kind.parse(data)
    assert decoded == expected
    assert decoded._unknown_fields == expected._unknown_fields
    assert bytes(decoded) == bytes(expected)


# Whatever a peer may send: valid pieces in odd order and number, and bytes at random.
ODD = st.one_of(
    st.binary(max_size=40),
    st.lists(
        st.sampled_from(
            [
                b"\n\x01a",
                b"\x12\x01b",
                b"\x12\x00",
                b"\n\x00",
                b"\x12\x04\n\x00\x12\x00",
                b"\x12\x80\x00",
                b"\x18\x01",
                b"\x12\x06\n\x01p\x12\x01d",
                b"\x12\x06\x12\x01d\n\x01p",
                b"\x12\x05\n\x01\xff\x12\x00",
                b"\n\x81\x00x",
                b"\x12\x06\n\x01p\x12\x05d",
                b"\n\x05ab",
                b"\x12\xff\xff\xff\xff\x0f",
                b"\x13",
                b"\x00",
            ]
        ),
        max_size=4,
    ).map(b"".join),
)


def long_way(data: bytes, kind: type[Any]) -> Any:
    return decoder.decode(data, kind)


def outcome(decode: Any) -> Any:
    try:
        message = decode()
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to be the same
        return type(error)
    return message, message._unknown_fields


@settings(max_examples=500, deadline=None)
@given(data=ODD, kind=st.sampled_from(HOT), view=VIEWS)
def test_odd_bytes_end_as_on_the_long_way(data: bytes, kind: type[Any], view: Any) -> None:
    assert outcome(lambda: CODEC.decode(view(data), kind)) == outcome(lambda: long_way(data, kind))


def test_a_large_chunk_is_neither_joined_nor_copied() -> None:
    chunk = bytes(262_144)
    pieces = CODEC.pieces(pb.PushPathRequest(chunk=chunk), pb.PushPathRequest)
    assert pieces[-1] is chunk
    data = bytearray(b"".join(pieces))
    decoded = CODEC.decode(memoryview(data), pb.PushPathRequest)
    assert isinstance(decoded.chunk, memoryview)
    assert decoded.chunk.readonly


def test_a_mutable_chunk_is_copied_before_it_is_sent() -> None:
    chunk = bytearray(b"a" * 100)
    pieces = CODEC.pieces(pb.PullPathResponse(chunk=chunk), pb.PullPathResponse)  # type: ignore[arg-type]
    chunk[:] = b"b" * 100
    assert pieces[-1] == b"a" * 100


def test_a_message_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="must be PullPathResponse, not PushPathRequest"):
        CODEC.encode(pb.PushPathRequest(chunk=b"x"), pb.PullPathResponse)


def test_a_type_can_be_registered_for_one_way_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_module, "_encoders", {})
    monkeypatch.setattr(codec_module, "_decoders", {})
    register_hot(pb.PullPathResponse, encode=lambda message: (b"short",))
    assert CODEC.encode(pb.PullPathResponse(chunk=b"x"), pb.PullPathResponse) == b"short"
    assert CODEC.decode(b"\x0a\x01x", pb.PullPathResponse) == pb.PullPathResponse(chunk=b"x")
