"""The hub under test as a client sees one of another kind: without this package's extensions."""

from __future__ import annotations

from typing import Any, NoReturn

from textile_aio import HubClient, Unimplemented
from textile_aio._rpc.channel import Channel
from textile_aio.buckets.client import BucketsClient


class PlainChannel:
    """A channel that refuses the extensions as other hubs do, and counts calls."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.called: list[str] = []

    async def unary(self, method: Any, *arguments: Any, **options: Any) -> Any:
        self._check(method)
        return await self._channel.unary(method, *arguments, **options)

    def stream(self, method: Any, *arguments: Any, **options: Any) -> Any:
        try:
            self._check(method)
        except Unimplemented:
            return _Refused()
        return self._channel.stream(method, *arguments, **options)

    def _check(self, method: Any) -> None:
        self.called.append(method.path.rpartition("/")[2])
        if method.path.startswith("/textile_aio."):
            raise Unimplemented("unknown service")


class _Refused:
    """A stream that is refused when it is entered."""

    async def __aenter__(self) -> NoReturn:
        raise Unimplemented("unknown service")

    async def __aexit__(self, *_: object) -> None:
        return


def plain(client: HubClient) -> tuple[BucketsClient, PlainChannel]:
    """A client of the same hub that finds no extensions there."""
    channel = PlainChannel(client._opened())
    return BucketsClient(channel), channel  # type: ignore[arg-type]
