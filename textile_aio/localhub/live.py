"""Calls in progress, by what they came with, so that they end when that does (spec: hub-accounts §3).

Upstream looks at credentials when a call begins; there a listener whose key was withdrawn goes on.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from contextlib import suppress
from types import TracebackType

from textile_aio.errors import ApiKeyNotFound, InvalidSession, PermissionDenied, StatusCode, TextileError
from textile_aio.localhub.access.caller import Caller, Credential

_REMEMBERED = 10_000
_LINGER = 5.0


class LiveCall:
    """One call, for as long as the block lasts. Leaving it raises why it was ended, if it was."""

    __slots__ = (
        "_calls",
        "_credential",
        "_done",
        "_ended_by",
        "_is_over",
        "_names",
        "_since",
        "_task",
        "_timeout",
    )

    def __init__(
        self, calls: LiveCalls, credential: Credential, names: tuple[Hashable, ...], since: int
    ) -> None:
        self._calls = calls
        self._credential = credential
        self._names = names
        self._since = since
        self._timeout = asyncio.timeout(None)
        self._task: asyncio.Task[object] | None = None
        self._ended_by: Hashable | None = None
        self._is_over = False
        self._done: asyncio.Event | None = None

    @property
    def is_mine(self) -> bool:
        """Whether the present task serves it."""
        return self._task is asyncio.current_task()

    def end(self, name: Hashable) -> None:
        """Have it cancelled, because of the end of what it came with. Once is enough."""
        if self._ended_by is None:
            self._ended_by = name
            self._timeout.reschedule(0)

    async def ended(self) -> None:
        """Wait for its end."""
        if not self._is_over:
            self._done = self._done or asyncio.Event()
            await self._done.wait()

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._ended_by = self._calls.ended_since(self._since, self._names)
        if self._ended_by is not None:
            raise self._refusal()
        await self._timeout.__aenter__()
        self._calls.add(self, self._names)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.remove(self, self._names)
        self._is_over = True
        if self._done is not None:
            self._done.set()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise self._refusal() from None

    def _refusal(self) -> TextileError:
        """What the next call of the same kind is told."""
        if not isinstance(self._ended_by, str):
            return PermissionDenied("User is not an org member", code=StatusCode.PERMISSION_DENIED)
        if self._credential is Credential.SESSION:
            return InvalidSession("Invalid session", code=StatusCode.UNAUTHENTICATED)
        return ApiKeyNotFound("API key not found or is invalid", code=StatusCode.NOT_FOUND)


class LiveCalls:
    """All calls that came with credentials.

    Attributes:
        moment: How much has ended. Whoever recognises a caller notes it before, so that what ends while
            that goes on is not missed.
    """

    def __init__(self) -> None:
        self.moment: int = 0
        self._calls: dict[Hashable, set[LiveCall]] = {}
        self._ended: OrderedDict[Hashable, int] = OrderedDict()  # names, and the moments that they ended at

    def during(self, caller: Caller) -> LiveCall:
        """A context manager for the call of a caller, who is refused if what they came with has ended."""
        names: tuple[Hashable, ...] = ()
        match caller.credential:
            case Credential.SESSION if caller.org and caller.owner is not None:
                names = (caller.session, (caller.owner, caller.account))
            case Credential.SESSION:
                names = (caller.session,)
            case Credential.ACCOUNT_KEY | Credential.USER_KEY:
                names = (caller.api_key,)
            case Credential.NOTHING:
                pass
        return LiveCall(self, caller.credential, names, caller.moment)

    def end(self, *names: Hashable) -> list[LiveCall]:
        """End all calls that came with one of these, but the present task's; returns those.

        A name is the id of a session or API key, or the public keys of an organisation and of a member that
        left it. Calls that are recognised from now on are not concerned: that they are refused where they
        have to be is for whoever recognises them.
        """
        ending: list[LiveCall] = []
        for name in names:
            self.moment += 1
            self._ended.pop(name, None)
            self._ended[name] = self.moment
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
            for call in self._calls.get(name, ()):
                if not call.is_mine:
                    call.end(name)
                    ending.append(call)
        return ending

    async def ended(self, *names: Hashable) -> None:
        """As :meth:`end`; then wait for the calls, up to some seconds."""
        ending = self.end(*names)
        if ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER), asyncio.TaskGroup() as group:
                    for call in ending:
                        group.create_task(call.ended())

    def ended_since(self, moment: int, names: Sequence[Hashable]) -> Hashable | None:
        """The first of some names that has ended after a moment."""
        if moment == self.moment:
            return None
        return next((name for name in names if self._ended.get(name, 0) > moment), None)

    def add(self, call: LiveCall, names: tuple[Hashable, ...]) -> None:
        """A call has begun."""
        for name in names:
            self._calls.setdefault(name, set()).add(call)

    def remove(self, call: LiveCall, names: tuple[Hashable, ...]) -> None:
        """A call is over."""
        for name in names:
            calls = self._calls.get(name)
            if calls is not None:
                calls.discard(call)
                if not calls:
                    del self._calls[name]
