"""grpclib's own client with betterproto2's messages: ``python -m benchmarks.peers.stock_client HOST:PORT``.

It sends frames of 16 KiB whatever the other end would take, as grpc-go and grpc-js do.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter

from grpclib.client import Channel, Stream
from grpclib.const import Cardinality
from h2.connection import H2Connection

from benchmarks import content
from benchmarks.process import obey
from textile_aio._proto.api.bucketsd import pb

SERVICE = "/api.bucketsd.pb.APIService"


class Client:
    """Commands over one connection. All give seconds."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def push(self, key: str, path: str, size: int, headers: dict[str, str]) -> float:
        """One file, made as it is sent."""
        started = perf_counter()
        call: Stream[pb.PushPathRequest, pb.PushPathResponse] = self._channel.request(
            f"{SERVICE}/PushPath",
            Cardinality.STREAM_STREAM,
            pb.PushPathRequest,
            pb.PushPathResponse,
            metadata=headers,
        )
        async with call, asyncio.TaskGroup() as group:
            await call.send_message(pb.PushPathRequest(header=pb.PushPathRequestHeader(key=key, path=path)))
            group.create_task(_read(call))
            for chunk in content.chunks(size):
                await call.send_message(pb.PushPathRequest(chunk=chunk))
            await call.end()
        return perf_counter() - started

    async def pull(self, key: str, path: str, size: int, headers: dict[str, str]) -> float:
        """One file, each chunk looked at and dropped."""
        started = perf_counter()
        call: Stream[pb.PullPathRequest, pb.PullPathResponse] = self._channel.request(
            f"{SERVICE}/PullPath",
            Cardinality.UNARY_STREAM,
            pb.PullPathRequest,
            pb.PullPathResponse,
            metadata=headers,
        )
        received = 0
        async with call:
            await call.send_message(pb.PullPathRequest(key=key, path=path), end=True)
            async for message in call:
                received += len(message.chunk)
        assert received == size
        return perf_counter() - started

    async def roots(self, key: str, count: int, at_once: int = 1) -> float:
        """Calls, so many of which are always under way."""
        numbers = iter(range(count))

        async def caller() -> None:
            for _ in numbers:
                await self._root(key)

        started = perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(caller())
        return perf_counter() - started

    async def _root(self, key: str) -> None:
        call: Stream[pb.RootRequest, pb.RootResponse] = self._channel.request(
            f"{SERVICE}/Root", Cardinality.UNARY_UNARY, pb.RootRequest, pb.RootResponse
        )
        async with call:
            await call.send_message(pb.RootRequest(key=key), end=True)
            assert await call.recv_message() is not None


async def _read(call: Stream[pb.PushPathRequest, pb.PushPathResponse]) -> None:
    last = None
    async for reply in call:
        last = reply
    assert last is not None
    assert last.event is not None
    assert last.event.path


async def main(target: str) -> None:
    # A data descriptor of the class wins over the attribute that h2 sets when the peer announces more.
    H2Connection.max_outbound_frame_size = property(lambda _: 16 * 1024, lambda _, announced: None)  # type: ignore[assignment]
    host, _, port = target.rpartition(":")
    async with Channel(host, int(port)) as channel:
        client = Client(channel)
        await obey({name: getattr(client, name) for name in ("push", "pull", "roots")})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
