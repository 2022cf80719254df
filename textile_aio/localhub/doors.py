"""The hub's doors: where they listen, what they are encrypted with, and that they close together.

Owns what all of them have in common. Refuses to know what comes in by them.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, Self

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio._rpc.listening import TlsSource
from textile_aio.errors import FailedPrecondition, HubError
from textile_aio.localhub import reach
from textile_aio.localhub.settings import HubSettings
from textile_aio.localhub.tls import Certificates


class Door(Protocol):
    """A way into the hub."""

    @property
    def alpn(self) -> str:
        """What TLS calls the protocol that is spoken there."""
        ...

    async def start(self, host: str, port: int, *, tls: TlsSource | None) -> int:
        """Listen, and return the port; 0 takes a free one."""
        ...

    async def shutdown(self, *, grace: float) -> None:
        """Give calls in flight some seconds, then end them. Harmless where it was never started."""
        ...


class Doors:
    """Those that are open."""

    def __init__(self, settings: HubSettings, certificates: Certificates | None) -> None:
        self._settings = settings
        self._certificates = certificates
        self._open: list[Door] = []
        self._name = settings.public_host or reach.called(settings.host)

    @classmethod
    async def prepare(cls, settings: HubSettings) -> Self:
        """None yet.

        Raises:
            CertificateInvalid: It cannot be used.
        """
        files = settings.tls
        return cls(settings, None if files is None else await asyncio.to_thread(Certificates, files))

    async def open(self, door: Door, port: int) -> int:
        """Open a door where the settings say, and return its port.

        Raises:
            HubError: Address or port cannot be had.
        """
        certificates = self._certificates
        tls = None if certificates is None else certificates.source(door.alpn)
        return await self._start(door, self._settings.host, port, tls)

    async def open_locally(self, door: Door, port: int) -> str:
        """Where whoever finds the hub by its directory gets in by a door that is open at a port.

        A certificate is not made out to this machine's own addresses, and who can read the directory needs no
        other proof: with TLS it is a loopback port of its own, in plain text.
        """
        if self._certificates is None:
            return reach.authority(reach.called(self._settings.host), port)
        try:
            return reach.authority("127.0.0.1", await self._start(door, "127.0.0.1", 0, None))
        except HubError:
            return reach.authority("::1", await self._start(door, "::1", 0, None))

    def target(self, port: int) -> str:
        """What clients connect to for a gRPC port."""
        return self.authority(port) if self._certificates is None else f"https://{self.authority(port)}"

    def authority(self, port: int) -> str:
        """``HOST:PORT``, for others."""
        return reach.authority(self._name, port)

    def multiaddress(self, port: int) -> Multiaddr:
        """The same as a multiaddress."""
        return Multiaddr.parse(reach.multiaddress(self._name, port))

    async def reload_tls(self) -> None:
        """See :meth:`LocalHub.reload_tls`."""
        if self._certificates is None:
            raise FailedPrecondition("the hub has no certificate to read anew; open it with tls")
        await asyncio.to_thread(self._certificates.reload)

    async def shut(self) -> None:
        """Close all, at once."""
        async with asyncio.TaskGroup() as group:
            for door in self._open:
                group.create_task(door.shutdown(grace=self._settings.grace))

    async def _start(self, door: Door, host: str, port: int, tls: TlsSource | None) -> int:
        if door not in self._open:
            self._open.append(door)
        try:
            return await door.start(host, port, tls=tls)
        except OSError as error:
            raise HubError(
                f"cannot listen on {host}:{port}: {error.strerror or error}; "
                "choose another port, or 0 for a free one"
            ) from error
