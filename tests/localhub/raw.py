"""Calls as they are on the wire: any metadata, and the exact status that comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from unittest.mock import patch

from grpclib.client import Channel
from grpclib.const import Cardinality, Handler
from grpclib.exceptions import GRPCError
from multidict import MultiDict

from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.api.hubd import pb as hubd
from textile_aio._proto.api.usersd import pb as users
from textile_aio._proto.grpc.health import v1 as health
from textile_aio._proto.powergate.user import v1 as powergate
from textile_aio._proto.textile_aio.buckets import pb as extensions
from textile_aio._proto.threads import pb as threads
from textile_aio._proto.threads.net import pb as net
from textile_aio._rpc.codec import MessageCodec

METHODS: dict[str, Handler] = {
    path: handler
    for base in (
        threads.ApiBase,
        net.ApiBase,
        buckets.ApiServiceBase,
        extensions.ExtensionsBase,
        users.ApiServiceBase,
        hubd.ApiServiceBase,
        powergate.UserServiceBase,
        health.HealthBase,
    )
    for path, handler in base().__mapping__().items()
}
"""Every method of every service that the hub registers."""

Outcome = tuple[str, str]
OK: Outcome = ("OK", "")


async def call(
    target: str,
    path: str,
    metadata: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *messages: Any,
    half_close: bool = True,
) -> list[Any]:
    """Send messages (by default one empty one for a unary request), half-close, return the replies."""
    channel = opened(target)
    try:
        return await call_on(channel, path, metadata, *messages, half_close=half_close)
    finally:
        channel.close()


def opened(target: str) -> Channel:
    """A channel for many calls."""
    host, _, port = target.rpartition(":")
    return Channel(host, int(port), codec=MessageCodec())


async def call_on(
    channel: Channel,
    path: str,
    metadata: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *messages: Any,
    half_close: bool = True,
    until_begun: bool = False,
) -> list[Any]:
    """As :func:`call`. With ``until_begun`` it leaves as soon as the hub has let it in."""
    handler = METHODS[path]
    streams_requests = handler.cardinality in (Cardinality.STREAM_STREAM, Cardinality.STREAM_UNARY)
    to_send = list(messages) if messages or streams_requests else [handler.request_type()]
    async with channel.request(
        path, handler.cardinality, handler.request_type, handler.reply_type, metadata=MultiDict(metadata)
    ) as stream:
        with patch("grpclib.client.encode_metadata", _as_given):
            await stream.send_request()
        for index, message in enumerate(to_send):
            await stream.send_message(message, end=half_close and index == len(to_send) - 1)
        if half_close and not to_send:
            await stream.end()
        if until_begun:
            await stream.recv_initial_metadata()
            await stream.cancel()
            return []
        replies = []
        while (reply := await stream.recv_message()) is not None:
            replies.append(reply)
        return replies


def _as_given(metadata: Any) -> list[tuple[str, str]]:
    """Headers as other clients send them; grpclib's own encoder refuses empty values."""
    return list(metadata.items() if isinstance(metadata, Mapping) else metadata)


async def outcome(
    target: str,
    path: str,
    metadata: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *messages: Any,
    half_close: bool = True,
) -> Outcome:
    """The status of a call: its code's name and its text."""
    try:
        await call(target, path, metadata, *messages, half_close=half_close)
    except GRPCError as error:
        return error.status.name, error.message or ""
    return OK
