"""Our transport with itself, stock grpclib and grpcio, either way round, in the clear and over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpclib.client
import grpclib.server
import pytest
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError
from grpclib.protocol import H2Protocol

from tests.rpc import echo
from tests.rpc.echo import Echo, Raw
from textile_aio._rpc.grpc_channel import GrpcChannel
from textile_aio._rpc.limits import MAX_MESSAGE, Limits
from textile_aio._rpc.protocol import FastProtocol
from textile_aio._rpc.server import GrpcServer

SIZES = [0, 1, 4, 5, 16_379, 16_384, 65_536, 262_144, 1_048_576, MAX_MESSAGE]


class StockServer(grpclib.server.Server):
    """grpclib's own, which leaves its connections to their clients; this one waits for them to be gone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost: list[asyncio.Event] = []

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        lost, original = asyncio.Event(), protocol.connection_lost

        def connection_lost(failure: BaseException | None) -> None:
            original(failure)
            lost.set()

        protocol.connection_lost = connection_lost  # type: ignore[method-assign, assignment]
        self.lost.append(lost)
        return protocol

    async def wait_closed(self) -> None:
        for lost in self.lost:
            await lost.wait()
        await super().wait_closed()


@asynccontextmanager
async def serving(kind: str, *, ssl: Any = None, limits: Limits | None = None) -> AsyncIterator[int]:
    server: grpclib.server.Server
    if kind == "grpclib":
        server = StockServer([Echo()], codec=Raw())
        await server.start("127.0.0.1", 0, ssl=ssl)
        port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    else:
        server = ours = GrpcServer([Echo()], codec=Raw(), fast=kind == "ours", limits=limits)
        port = await ours.start("127.0.0.1", 0, tls=(lambda: ssl) if ssl else None)
    try:
        yield port
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def calling(
    kind: str, port: int, *, ssl: Any = None, limits: Limits | None = None
) -> AsyncIterator[Any]:
    if kind == "grpclib":
        channel: grpclib.client.Channel = grpclib.client.Channel("127.0.0.1", port, codec=Raw(), ssl=ssl)
    else:
        channel = GrpcChannel("127.0.0.1", port, codec=Raw(), ssl=ssl, fast=kind == "ours", limits=limits)
    try:
        yield channel
    finally:
        channel.close()


PAIRS = [
    ("ours", "ours"),
    ("ours", "grpclib"),
    ("grpclib", "ours"),
    ("ours", "switched"),
    ("switched", "ours"),
]


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize(("client", "server"), PAIRS)
async def test_messages_of_all_sizes_and_long_streams(
    client: str, server: str, tls: bool, tmp_path: Path
) -> None:
    server_tls, client_tls = echo.contexts(tmp_path) if tls else (None, None)
    async with serving(server, ssl=server_tls) as port, calling(client, port, ssl=client_tls) as channel:
        for size in SIZES:
            message = bytes(i * 7 % 256 for i in range(min(size, 999))) * (size // 999 + 1)
            assert await echo.unary(channel, message[:size]) == message[:size]
        megabytes = 100 if (client, server) == ("ours", "ours") and not tls else 20
        for size in (1_000, 262_144):
            count = (megabytes << 20) // size if size > 1_000 else 5_000
            assert await echo.push(channel, size, count) == size * count
            assert await echo.pull(channel, size, count) == size * count


@pytest.mark.parametrize("client", ["ours", "grpclib"])
async def test_many_calls_at_once_get_their_own_replies(client: str) -> None:
    async with serving("ours") as port, calling(client, port) as channel:
        messages = [str(i).encode() * 50 for i in range(300)]
        assert await asyncio.gather(*(echo.unary(channel, m) for m in messages)) == messages


async def test_a_message_larger_than_the_window_goes_through() -> None:
    small = Limits(stream_window=65_535, connection_window=65_535)
    async with serving("ours", limits=small) as port, calling("ours", port, limits=small) as channel:
        message = bytes(range(256)) * 8_000
        assert await echo.unary(channel, message) == message
        assert await echo.push(channel, 300_000, 20) == 6_000_000
        assert await echo.pull(channel, 300_000, 20) == 6_000_000


async def test_a_call_left_in_the_middle_gives_its_window_back() -> None:
    limits = Limits(stream_window=100_000, connection_window=150_000)
    async with serving("ours", limits=limits) as port, calling("ours", port, limits=limits) as channel:
        for _ in range(20):
            async with channel.request(echo.PULL, Cardinality.UNARY_STREAM, bytes, bytes) as stream:
                await stream.send_message(b"70000 100", end=True)
                assert len(await stream.recv_message()) == 70_000
                await stream.cancel()
        assert await echo.pull(channel, 70_000, 10) == 700_000


async def test_a_slow_reader_does_not_stop_other_calls() -> None:
    async with (
        serving("ours") as port,
        calling("ours", port) as channel,
        channel.request(echo.PULL, Cardinality.UNARY_STREAM, bytes, bytes) as slow,
    ):
        await slow.send_message(b"262144 100", end=True)
        await slow.recv_message()
        assert await echo.pull(channel, 262_144, 60) == 262_144 * 60
        await slow.cancel()


async def test_both_of_our_ends_use_large_frames_and_a_stock_peer_does_not_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    largest: list[int] = []
    original = FastProtocol.data

    def spy(self: FastProtocol, stream_id: int, payload: memoryview, owned: bool) -> None:
        largest.append(len(payload))
        original(self, stream_id, payload, owned)

    monkeypatch.setattr(FastProtocol, "data", spy)
    async with serving("ours") as port, calling("ours", port) as channel:
        await echo.push(channel, 262_144, 8)  # meanwhile the settings go both ways
        await echo.push(channel, 262_144, 8)
        assert max(largest) == 262_144 + 5
        assert channel._protocol._h2.max_outbound_frame_size == 1024 * 1024
    async with serving("grpclib") as port, calling("ours", port) as channel:
        await echo.push(channel, 262_144, 8)
        assert channel._protocol._h2.max_outbound_frame_size == 16_384


@pytest.mark.parametrize("side", ["ours", "switched"])
async def test_a_reply_over_the_limit_is_refused_by_the_client(side: str) -> None:
    async with serving("ours") as port, calling(side, port) as channel:
        with pytest.raises(GRPCError) as caught:
            await echo.pull(channel, MAX_MESSAGE + 1, 1)
        assert caught.value.status is Status.RESOURCE_EXHAUSTED
        assert caught.value.message == "grpc: received message larger than max (4194305 vs. 4194304)"
        assert await echo.unary(channel, b"still here") == b"still here"


@pytest.mark.parametrize("server", ["ours", "switched"])
async def test_a_request_over_the_limit_is_refused_by_the_server(server: str) -> None:
    async with serving(server) as port, calling("grpclib", port) as channel:
        with pytest.raises(GRPCError) as caught:
            await echo.unary(channel, bytes(MAX_MESSAGE + 1))
        assert caught.value.status is Status.RESOURCE_EXHAUSTED
        assert caught.value.message == "grpc: received message larger than max (4194305 vs. 4194304)"
        assert await echo.unary(channel, b"still here") == b"still here"


grpcio = pytest.importorskip("grpc")
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
async def test_grpcio_calls_our_server(tls: bool, tmp_path: Path) -> None:
    server_tls = None
    if tls:
        server_tls, _ = echo.contexts(tmp_path)
        credentials = grpcio.ssl_channel_credentials((tmp_path / "cert.pem").read_bytes())
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving("ours", ssl=server_tls))
        target = f"127.0.0.1:{port}"
        channel = await stack.enter_async_context(
            grpcio.aio.secure_channel(target, credentials, OPTIONS)
            if tls
            else grpcio.aio.insecure_channel(target, OPTIONS)
        )
        for size in SIZES:
            assert await channel.unary_unary(echo.UNARY)(bytes(size)) == bytes(size)

        async def source() -> AsyncIterator[bytes]:
            for _ in range(400):
                yield bytes(262_144)

        assert int(await channel.stream_unary(echo.PUSH)(source())) == 400 * 262_144
        total = 0
        async for message in channel.unary_stream(echo.PULL)(b"262144 400"):
            total += len(message)
        assert total == 400 * 262_144
        with pytest.raises(grpcio.aio.AioRpcError) as caught:
            await channel.unary_unary(echo.UNARY)(bytes(MAX_MESSAGE + 1))
        assert caught.value.code() is grpcio.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpcio.aio.AioRpcError) as caught:
            await channel.unary_unary("/t.Echo/Nothing")(b"")
        assert caught.value.code() is grpcio.StatusCode.UNIMPLEMENTED
        assert caught.value.details() == "unknown method Nothing for service t.Echo"


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
async def test_our_client_calls_grpcio(tls: bool, tmp_path: Path) -> None:
    async def unary(request: bytes, context: Any) -> bytes:
        return request

    async def push(requests: AsyncIterator[bytes], context: Any) -> bytes:
        total = 0
        async for request in requests:
            total += len(request)
        return str(total).encode()

    async def pull(request: bytes, context: Any) -> AsyncIterator[bytes]:
        size, count = map(int, request.split())
        for index in range(count):
            yield bytes([index % 256]) * size

    server = grpcio.aio.server(options=OPTIONS)
    methods = {
        "Unary": grpcio.unary_unary_rpc_method_handler(unary),
        "Push": grpcio.stream_unary_rpc_method_handler(push),
        "Pull": grpcio.unary_stream_rpc_method_handler(pull),
    }
    server.add_generic_rpc_handlers([grpcio.method_handlers_generic_handler("t.Echo", methods)])
    client_tls = None
    if tls:
        _, client_tls = echo.contexts(tmp_path)
        pair = ((tmp_path / "key.pem").read_bytes(), (tmp_path / "cert.pem").read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpcio.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with calling("ours", port, ssl=client_tls) as channel:
            for size in SIZES:
                assert await echo.unary(channel, bytes(size)) == bytes(size)
            assert await echo.push(channel, 262_144, 400) == 262_144 * 400
            assert await echo.pull(channel, 262_144, 400) == 262_144 * 400
    finally:
        await server.stop(None)
