"""The very bytes that JavaScript clients were recorded sending, at the gRPC-web door.

The handlers give the recorded answers; what they are handed is compared with what was recorded as sent.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError
from websockets.exceptions import ConnectionClosed

from tests.localhub.raw import METHODS
from tests.localhub.web.client import answer, opened
from tests.localhub.web.frames import END, Answer, flagged
from tests.localhub.web.scripted import door
from tests.recorded import cases
from textile_aio._proto.api.bucketsd import pb as buckets
from textile_aio._proto.api.usersd import pb as users
from textile_aio._proto.powergate.user import v1 as powergate
from textile_aio._proto.threads import pb as threads
from textile_aio.localhub.call import Call, Exchange

BASES = {
    "threads.pb.API": threads.ApiBase,
    "api.bucketsd.pb.APIService": buckets.ApiServiceBase,
    "api.usersd.pb.APIService": users.ApiServiceBase,
    "powergate.user.v1.UserService": powergate.UserServiceBase,
}
CALLS = [
    pytest.param(call, id=f"{case['client']}-{case['method']}-{index}-{call['method'].rpartition('/')[2]}")
    for index, case in enumerate(cases("wire-transcripts"))
    for call in case["calls"]
    if call["transport"] == "websocket"
]
NOT_METADATA = {"host", "content-type", "x-grpc-web"}


class Recorded:
    """A handler that behaves as the server did when the call was recorded."""

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.recorded = recorded
        self.method = METHODS[recorded["method"]]
        self.got: list[Any] = []
        self.headers: dict[str, str] = {}
        self.cancelled = asyncio.Event()
        self.replies = [self.method.reply_type.parse(bytes.fromhex(text)) for text in recorded["replies_hex"]]

    async def handle(self, call: Call, *given: Any) -> Any:
        self.headers = dict(call.headers)
        if not self.method.cardinality.client_streaming:
            self.got.append(given[0])
        if self.method.cardinality is Cardinality.UNARY_UNARY:
            await self._finish()
            return self.replies[0]
        await self._stream(given[-1])
        await self._finish()
        return None

    async def _stream(self, exchange: Exchange) -> None:
        replies = iter(self.replies)
        for step in self.recorded["sequence"]:
            if step == "reply":
                await exchange.send(next(replies))
            elif step == "message" and self.method.cardinality.client_streaming:
                self.got.append(await exchange.recv())
            elif step == "finish" and self.method.cardinality.client_streaming:
                assert await exchange.recv() is None

    async def _finish(self) -> None:
        if "status" not in self.recorded:  # it was the client that ended the call
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        if self.recorded["status"]:
            raise GRPCError(Status(self.recorded["status"]), self.recorded.get("status_message"))


def client_messages(recorded: dict[str, Any]) -> list[bytes]:
    """The websocket messages as they were recorded, or put together again where only their content was."""
    if "websocket_messages_hex" in recorded:
        return [bytes.fromhex(text) for text in recorded["websocket_messages_hex"]]
    messages = [flagged(bytes.fromhex(text)) for text in recorded["messages_hex"]]
    end = [END] if "finish" in recorded["sequence"] else []
    return [recorded["header_text"].encode("ascii"), *messages, *end]


@pytest.mark.parametrize("recorded", CALLS)
async def test_a_recorded_call(recorded: dict[str, Any]) -> None:
    handler = Recorded(recorded)
    path = recorded["method"]
    base = BASES[path.removeprefix("/").partition("/")[0]]
    async with (
        door({path: handler.handle}, base=base) as target,
        opened(target, path, subprotocols=[recorded["subprotocol"]]) as websocket,
    ):
        try:
            for message in client_messages(recorded):
                await websocket.send(message)
        except ConnectionClosed:
            pass  # the recorded server ended the call before the client did
        if "status" in recorded:
            got = await answer(websocket)
        else:
            got = Answer()
            while len(got.messages) < len(handler.replies):
                got.feed(await websocket.recv(decode=False))
            await websocket.close()
            await handler.cancelled.wait()
    request = handler.method.request_type
    sent = [request.parse(bytes.fromhex(text)) for text in recorded["messages_hex"]]
    assert handler.got == sent[: len(handler.got)]
    if not recorded.get("status"):
        assert len(handler.got) == len(sent)
    metadata = {name: value for name, value in recorded["metadata"] if name not in NOT_METADATA}
    assert handler.headers == metadata
    assert [handler.method.reply_type.parse(each) for each in got.messages] == handler.replies
    if "status" in recorded:
        assert got.status == (recorded["status"], recorded.get("status_message", ""))
