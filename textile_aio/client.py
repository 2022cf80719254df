"""The way in: one channel to a hub, and a client for each of its services.

Owns which hub is meant, and the one look upwards in the package: a target on this machine starts the
embedded hub. The hub, and each service with its messages, is imported when it is first used; they take longer
to import than everything else together.
"""

from __future__ import annotations

import os
import ssl
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from textile_aio._rpc.channel import Channel
from textile_aio._rpc.connection import Keepalive
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.target import Target
from textile_aio.errors import ClosedError, InvalidInput

if TYPE_CHECKING:
    from textile_aio.accounts.client import AccountsClient
    from textile_aio.buckets.client import BucketsClient
    from textile_aio.localhub.attach import Attached
    from textile_aio.localhub.hub import LocalHub
    from textile_aio.net.client import NetClient
    from textile_aio.threads.client import ThreadsClient
    from textile_aio.users.client import UsersClient

_LOCAL: Final = "local"
_LOCAL_PATH: Final = "local:"
_MEMORY: Final = "memory:"


def connect(
    target: str | None = None,
    *,
    tls: bool | ssl.SSLContext | None = None,
    timeout: float | None = None,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
    keepalive: Keepalive | None = Keepalive(),  # noqa: B008 - a frozen value
) -> HubClient:
    """A client for a hub, to be entered with ``async with``.

    ::

        async with textile_aio.connect("127.0.0.1:3006") as hub:
            ctx = await hub.threads.authorize(AuthContext.from_env(), Identity.generate())

    A hub elsewhere is connected to on the first call, and again whenever the connection has broken, so
    entering does not need it to be up. A local one serves when the block begins.

    Args:
        target: ``HOST:PORT``, ``https://HOST``; ``local`` for the hub in this user's data directory,
            ``local:PATH`` for one in another directory, started here unless another process has it open;
            ``memory:`` for a new hub that keeps nothing. By default what the environment variable
            ``TEXTILE_TARGET`` says, else ``local``.
        tls: Whether to encrypt, or what to check the hub's certificate with. By default with ``https://`` and
            at port 443 only.
        timeout: Seconds that each call may take unless it says otherwise, pushes and pulls excepted; None for
            no limit.
        retry: Which failures are tried again.
        keepalive: How a silent connection is probed, None for never.

    Raises:
        InvalidInput: The target is malformed, or contradicts ``tls``.
    """
    return HubClient(
        target or os.environ.get("TEXTILE_TARGET") or _LOCAL,
        tls=tls,
        timeout=timeout,
        retry=retry,
        keepalive=keepalive,
    )


class HubClient:
    """A hub's services over one connection; made by :func:`connect`.

    Entered once, on one event loop. Any number of calls may be made at once. When it is left, calls under way
    end with :class:`~textile_aio.ClosedError`, and a hub that was started for it ends.
    """

    def __init__(
        self,
        target: str,
        *,
        tls: bool | ssl.SSLContext | None,
        timeout: float | None,
        retry: RetryPolicy,
        keepalive: Keepalive | None,
    ) -> None:
        if not isinstance(target, str):
            raise InvalidInput(f"a target is text such as HOST:PORT, not {type(target).__name__}")
        self._ssl_context = tls if isinstance(tls, ssl.SSLContext) else None
        self._remote: Target | None = None
        if not _is_local(target):
            self._remote = Target.parse(target, tls=True if isinstance(tls, ssl.SSLContext) else tls)
        elif tls:
            raise InvalidInput("a hub on this machine is not spoken to by TLS; leave tls out", about=target)
        self._timeout = timeout
        self._retry = retry
        self._keepalive = keepalive
        self._target = str(self._remote or target)
        self._channel: Channel | None = None
        self._exits: AsyncExitStack | None = None
        self._local: LocalHub | None = None
        self._entered = False

    @property
    def target(self) -> str:
        """Where the hub is; for one on this machine its address once the block has begun."""
        return self._target

    @property
    def local(self) -> LocalHub | None:
        """The hub itself where it was started by this client; None otherwise."""
        return self._local

    @property
    def threads(self) -> ThreadsClient:
        """Identities' tokens, threads and the databases in them."""
        from textile_aio.threads.client import ThreadsClient

        return ThreadsClient(self._opened(), timeout=self._timeout)

    @property
    def net(self) -> NetClient:
        """Threads as logs of records, below the databases."""
        from textile_aio.net.client import NetClient

        return NetClient(self._opened(), timeout=self._timeout)

    @property
    def users(self) -> UsersClient:
        """What belongs to the caller at a hub with accounts."""
        from textile_aio.users.client import UsersClient

        return UsersClient(self._opened(), timeout=self._timeout)

    @property
    def buckets(self) -> BucketsClient:
        """File trees that live in threads."""
        from textile_aio.buckets.client import BucketsClient

        return BucketsClient(self._opened(), timeout=self._timeout)

    @property
    def accounts(self) -> AccountsClient:
        """Developers' accounts: sessions, API keys, organisations."""
        from textile_aio.accounts.client import AccountsClient

        return AccountsClient(self._opened(), timeout=self._timeout)

    async def aclose(self) -> None:
        """End the block's work early, as leaving it does. Doing it again does nothing."""
        await self.__aexit__(None, None, None)

    async def __aenter__(self) -> Self:
        if self._entered:
            raise ClosedError("a client is entered once; connect again", about=self._target)
        self._entered = True
        async with AsyncExitStack() as exits:
            target = self._remote
            if target is None:
                attached = await exits.enter_async_context(_attach(self._target))
                target = Target.parse(attached.target, tls=False)
                self._local = attached.hub
            self._channel = await exits.enter_async_context(
                Channel(target, ssl_context=self._ssl_context, retry=self._retry, keepalive=self._keepalive)
            )
            self._target = str(target)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        exits, self._exits = self._exits, None
        self._channel = self._local = None
        if exits is not None:
            await exits.__aexit__(kind, error, traceback)

    def __repr__(self) -> str:
        state = "open" if self._channel else "closed" if self._entered else "new"
        return f"<HubClient for {self._target}, {state}>"

    def _opened(self) -> Channel:
        if self._channel is None:
            how = "connect again" if self._entered else "enter it with 'async with'"
            raise ClosedError(f"the client is not open; {how}", about=self._target)
        return self._channel


def _is_local(target: str) -> bool:
    return target in (_LOCAL, _MEMORY) or target.startswith(_LOCAL_PATH)


def _attach(target: str) -> AbstractAsyncContextManager[Attached]:
    from textile_aio.localhub.attach import attach_local, attach_memory

    if target == _MEMORY:
        return attach_memory()
    path = target.removeprefix(_LOCAL_PATH) if target != _LOCAL else ""
    return attach_local(Path(path) if path else None)
