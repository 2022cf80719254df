"""The client's end of one HTTP/2 connection."""

from __future__ import annotations

import ssl as _ssl

from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase

from textile_aio._rpc.codec import MessageCodec

#: Pings after 20 s of silence while calls are open, and gives the peer 10 s to answer.
KEEPALIVE = Configuration(_keepalive_time=20.0, _keepalive_timeout=10.0)


class GrpcChannel(Channel):
    """A grpclib channel with our message codec and keepalive.

    Args:
        host: name or address of the server.
        port: TCP port.
        ssl: context for TLS, or None for plain text.
        config: grpclib configuration; by default `KEEPALIVE`.
        codec: by default `MessageCodec`.
        fast: False for grpclib's own transport; None asks `TEXTILE_AIO_STOCK_HTTP2`.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        path: str | None = None,
        ssl: _ssl.SSLContext | None = None,
        config: Configuration | None = None,
        codec: CodecBase | None = None,
        fast: bool | None = None,
    ) -> None:
        super().__init__(host, port, path=path, ssl=ssl, config=config or KEEPALIVE, codec=codec or MessageCodec())
