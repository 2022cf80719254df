"""A bucket service that keeps what it is sent, and the messages such services answer with."""

from __future__ import annotations

import asyncio
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from tests.fakehub import CTX, FakeHub, received
from textile_aio import Cid
from textile_aio._proto.api.bucketsd import pb
from textile_aio.buckets import _methods

KEY = "bafzbeigfvbsov7kki46mh366gqxr25euufdacx"
FILE_CID = str(Cid.sha256(0x55, bytes(32)))
NON_FAST_FORWARD = GRPCError(Status.FAILED_PRECONDITION, "update is non-fast-forward")


def root_message(number: int = 0) -> pb.Root:
    """The root of a bucket in its nth state."""
    cid = Cid.sha256(0x70, number.to_bytes(32))
    return pb.Root(
        key=KEY,
        name="things",
        path=f"/ipfs/{cid}",
        created_at=1_614_600_000_123_456_789,
        updated_at=1_614_600_005_000_000_000 + number,
        thread=str(CTX.thread),
        version=1,
    )


def progress(done: int) -> pb.PushPathResponse:
    return pb.PushPathResponse(event=pb.PushPathResponseEvent(bytes=done))


def taken(size: int, number: int = 1) -> pb.PushPathResponse:
    event = pb.PushPathResponseEvent(
        path=f"/ipfs/{FILE_CID}", size=str(size), root=root_message(number), pinned=7
    )
    return pb.PushPathResponse(event=event)


class FakeBucket(FakeHub):
    """Takes files, and counts what became of its push calls.

    Attributes:
        files: Content by path, of pushes that ended as they should.
        headers: The first messages of pushes.
        ended: Set when a push has ended as it should.
        broken: Set when a push was cut off instead.
        begun: Set when the first chunk has arrived.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.headers: list[Any] = []
        self.ended, self.broken, self.begun = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.on(_methods.PUSH_PATH, self._guarded(self.push_path))
        self.on(_methods.PUSH_PATHS, self._guarded(self.push_paths))
        self.answer(_methods.ROOT, pb.RootResponse(root=root_message(9)))

    async def push_path(self, stream: Stream[Any, Any]) -> None:
        header = (await received(stream)).header
        self.headers.append(header)
        content = bytearray()
        async for message in stream:
            content += message.chunk
            self.begun.set()
            await stream.send_message(progress(len(content)))
        self.files[header.path] = bytes(content)
        await stream.send_message(taken(len(content)))

    async def push_paths(self, stream: Stream[Any, Any]) -> None:
        self.headers.append((await received(stream)).header)
        content: dict[str, bytearray] = {}
        async for message in stream:
            self.begun.set()
            path, data = message.chunk.path, message.chunk.data
            held = content.setdefault(path, bytearray())
            held += data
            if not data:
                self.files[path] = bytes(held)
                await stream.send_message(
                    pb.PushPathsResponse(
                        path=path, cid=FILE_CID, size=len(held), pinned=1, root=root_message(len(self.files))
                    )
                )

    def _guarded(self, handle: Any) -> Any:
        async def guarded(stream: Stream[Any, Any]) -> None:
            try:
                await handle(stream)
            except asyncio.CancelledError:
                self.broken.set()
                raise
            self.ended.set()

        return guarded
