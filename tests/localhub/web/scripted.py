"""A door with services whose handlers a test writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from textile_aio._proto.threads import pb
from textile_aio.localhub.access.caller import Caller
from textile_aio.localhub.limits import DoorLimits
from textile_aio.localhub.routes import Method, Routes, Service
from textile_aio.localhub.web.door import PING_INTERVAL, WebDoor
from textile_aio.storage.values import TrackedThread

PREFIX = "/threads.pb.API/"
LIMITS = DoorLimits()
UNARY = PREFIX + "DeleteDB"
SERVER_STREAM = PREFIX + "Listen"
BOTH_WAYS = PREFIX + "WriteTransaction"


class Everybody:
    """Lets everyone in."""

    async def recognise(self, method: str, headers: Mapping[str, str], address: str) -> Caller:
        return Caller()

    def during(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def check(self, method: str, caller: Caller, request: Any | None) -> TrackedThread | None:
        return None


@asynccontextmanager
async def door(
    handlers: Mapping[str, Method],
    *,
    base: type = pb.ApiBase,
    origins: tuple[str, ...] | None = None,
    limits: DoorLimits = LIMITS,
    grace: float = 0.0,
    ping_interval: float = PING_INTERVAL,
) -> AsyncIterator[str]:
    """An open door; gives its address."""
    routes = Routes([Service(base, handlers)], Everybody())
    opened = WebDoor(routes, origins=origins, limits=limits, ping_interval=ping_interval)
    await opened.start("127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{opened.port}"
    finally:
        await opened.shutdown(grace=grace)


def listened(name: str) -> pb.ListenReply:
    """A message of the server stream with a text in it."""
    return pb.ListenReply(collection_name=name)


def name_of(message: bytes) -> str:
    """The text in it."""
    return pb.ListenReply.parse(message).collection_name


def transaction(text: str) -> bytes:
    """A request of the both-way stream with a text in it."""
    start = pb.StartTransactionRequest(collection_name=text)
    return bytes(pb.WriteTransactionRequest(start_transaction_request=start))


def text_of(message: pb.WriteTransactionRequest) -> str:
    """The text in it."""
    assert message.start_transaction_request is not None
    return message.start_transaction_request.collection_name


def replied(text: str) -> pb.WriteTransactionReply:
    """A reply of the both-way stream with a text in it."""
    return pb.WriteTransactionReply(create_reply=pb.CreateReply(instance_i_ds=[text]))


def reply_of(message: bytes) -> str:
    """The text in it."""
    reply = pb.WriteTransactionReply.parse(message).create_reply
    assert reply is not None
    return reply.instance_i_ds[0]
