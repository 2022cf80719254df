"""Recorded calls of the JavaScript clients, replayed to ours.

Ours gets the same answers, and what it sends is compared with what they sent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import FakeHub, connected
from tests.recorded import cases
from textile_aio import AuthContext, HubClient, errors

Case = dict[str, Any]
_NOT_OURS = {"host", "content-type", "x-grpc-web"}
_ADDED = {"user-agent", "te", "textile-aio-chunk-size", "textile-aio-brief", "grpc-accept-encoding"}


class RawCodec(CodecBase):
    """Messages stay the bytes they are."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> bytes:
        return bytes(data)


def recorded(*methods: str, clients: set[str]) -> list[Case]:
    return [
        case
        for case in cases("wire-transcripts")
        if case["method"] in methods and case["client"] in clients and case["calls"]
    ]


def label(case: Case) -> str:
    return f"{case['method']}-{case.get('name', 'plain')}"


class Replay:
    """One recorded case, and what our client sent when it was replayed."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.fake = FakeHub()
        self.sent: dict[str, list[bytes]] = {}
        for call in case["calls"]:
            self.fake.on_path(call["method"], self._handler(call), bytes, bytes)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[HubClient]:
        async with connected(self.fake, codec=RawCodec()) as hub:
            yield hub

    def context(self, *leave_out: str) -> AuthContext:
        """The context whose headers were recorded, at the time of the recording."""
        headers = {name: value for name, value in self._call(0)["metadata"] if name not in _NOT_OURS}
        for name in leave_out:
            headers.pop(name, None)
        now = datetime.fromisoformat(self.case["clock"]).timestamp()
        return dataclasses.replace(AuthContext.from_json(headers), clock=lambda: now)

    def check_headers(self) -> None:
        wanted = {name: value for name, value in self._call(0)["metadata"] if name not in _NOT_OURS}
        for got in self.fake.metadata:
            assert {name: value for name, value in got.items() if name not in _ADDED} == wanted

    def messages(self, path: str, kind: type[Any]) -> tuple[list[Any], list[Any]]:
        """What our client sent to a method, and what JavaScript sent, both decoded."""
        call = next(call for call in self.case["calls"] if call["method"] == path)
        theirs = [kind.parse(bytes.fromhex(text)) for text in call["messages_hex"]]
        return [kind.parse(data) for data in self.sent[path]], theirs

    def failure(self) -> tuple[type[errors.TextileError], str]:
        """The error that the recorded status stands for."""
        call = next(call for call in self.case["calls"] if call["status"])
        error = errors.from_status(call["status"], call["status_message"], method=call["method"])
        return type(error), error.message

    def _call(self, index: int) -> Case:
        call: Case = self.case["calls"][index]
        return call

    def _handler(self, call: Case) -> Any:
        bidi = call["method"].endswith(("/PushPath", "/PushPaths"))

        async def handle(stream: Stream[bytes, bytes]) -> None:
            sent = self.sent.setdefault(call["method"], [])
            replies = iter(call["replies_hex"])
            if bidi:
                sent.extend([message async for message in stream])
            for step in call["sequence"]:
                if step == "message" and not bidi:
                    message = await stream.recv_message()
                    assert message is not None
                    sent.append(message)
                elif step == "reply":
                    await stream.send_message(bytes.fromhex(next(replies)))
                elif step == "finish" and not bidi:
                    assert await stream.recv_message() is None
            if call["status"]:
                raise GRPCError(Status(call["status"]), call["status_message"])

        return handle
