"""grpclib's own server with betterproto2's messages: ``python -m benchmarks.peers.stock_server``.

Counts what it is sent, sends what it is asked for, and keeps nothing. A pull's path says how many bytes.
"""

from __future__ import annotations

import asyncio
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, socket

from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream

from benchmarks.content import CHUNK
from benchmarks.process import obey
from textile_aio import Identity, ThreadID
from textile_aio._codec.cid import RAW, Cid
from textile_aio._proto.api.bucketsd import pb

SERVICE = "/api.bucketsd.pb.APIService"


class Buckets:
    """Three calls of the buckets service, doing no work."""

    def __init__(self) -> None:
        owner = str(Identity.generate().public)
        roles = {owner: pb.PathAccessRole.ADMIN, "*": pb.PathAccessRole.READER}
        metadata = {path: pb.Metadata(roles=roles, updated_at=1) for path in ("", ".textileseed")}
        self._root = pb.Root(
            key="bafzbeibkbcvcnzxnsr5wxhh4mfhfbfjn4zlvhbcnjccb2g4gd6nlmnhm4u",
            name="bench",
            path=f"/ipfs/{Cid.sha256(RAW, bytes(32))}",
            created_at=1,
            updated_at=1,
            thread=str(ThreadID.random()),
            owner=owner,
            version=1,
            metadata=metadata[""],
            path_metadata=metadata,
            archives=pb.Archives(current=pb.Archive()),
        )

    async def push(self, stream: Stream[pb.PushPathRequest, pb.PushPathResponse]) -> None:
        received = 0
        async for message in stream:
            received += len(message.chunk or b"")
        event = pb.PushPathResponseEvent(path=self._root.path, size=str(received), root=self._root)
        await stream.send_message(pb.PushPathResponse(event=event))

    async def pull(self, stream: Stream[pb.PullPathRequest, pb.PullPathResponse]) -> None:
        request = await stream.recv_message()
        assert request is not None
        chunk = bytes(CHUNK)
        for _ in range(int(request.path) // CHUNK):
            await stream.send_message(pb.PullPathResponse(chunk=chunk))

    async def root(self, stream: Stream[pb.RootRequest, pb.RootResponse]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.RootResponse(root=self._root))

    def __mapping__(self) -> dict[str, Handler]:
        both, down, once = Cardinality.STREAM_STREAM, Cardinality.UNARY_STREAM, Cardinality.UNARY_UNARY
        return {
            f"{SERVICE}/PushPath": Handler(self.push, both, pb.PushPathRequest, pb.PushPathResponse),
            f"{SERVICE}/PullPath": Handler(self.pull, down, pb.PullPathRequest, pb.PullPathResponse),
            f"{SERVICE}/Root": Handler(self.root, once, pb.RootRequest, pb.RootResponse),
        }


async def main() -> None:
    server = Server([Buckets()])
    # asyncio turns Nagle's algorithm off only where the protocol is named.
    with socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        await server.start(sock=listening)
        await obey({}, target=f"127.0.0.1:{listening.getsockname()[1]}")


if __name__ == "__main__":
    asyncio.run(main())
