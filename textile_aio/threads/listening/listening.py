"""One listener, across cuts: it comes back, goes on where it was, and says so where that cannot be.

Owns the order of things: registration first, then whatever was missed, then what is happening. At the hub of
this package a position leads from each change to the next, so nothing is missed and nothing told twice. At
others what was written meanwhile is read again, after a :class:`Gap`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from textile_aio._proto.threads import pb
from textile_aio._rpc import challenge
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.stream import Stream
from textile_aio.auth import AuthContext
from textile_aio.errors import (
    CancelledByPeer,
    DatabaseNotFound,
    DeadlineExceeded,
    InvalidToken,
    PermissionDenied,
    ProtocolError,
    ResourceExhausted,
    StatusCode,
    TextileError,
    ThreadNotFound,
    Unauthenticated,
    Unavailable,
)
from textile_aio.identity import Identity, Signer
from textile_aio.ids import ThreadID
from textile_aio.threads import _methods
from textile_aio.threads.decoding import decode
from textile_aio.threads.listening.rereading import Rereader
from textile_aio.threads.listening.values import Change, ChangeAction, Gap, ListenFilter

POSITION_HEADER = "textile-aio-position"
"""Sent by the hub of this package as soon as the listener is registered."""

BACK_OFF = RetryPolicy(attempts=2**31, initial=0.1, maximum=10.0)

_SILENCE = 1.0
"""Seconds after a full round trip within which the header comes, if it ever does."""

_BEFORE = 300 * 10**9
"""How much earlier than this clock, in nanoseconds, a hub's clock may be."""

_ACTIONS = {0: ChangeAction.CREATE, 1: ChangeAction.SAVE, 2: ChangeAction.DELETE}
_FILTERS = {
    None: pb.ListenRequestFilterAction.ALL,
    ChangeAction.CREATE: pb.ListenRequestFilterAction.CREATE,
    ChangeAction.SAVE: pb.ListenRequestFilterAction.SAVE,
    ChangeAction.DELETE: pb.ListenRequestFilterAction.DELETE,
}
_PASSING = (Unavailable, CancelledByPeer, DeadlineExceeded, ResourceExhausted)
"""Ends of a stream after which it is worth coming back."""


class Listening:
    """The changes of a database, as an async iterator of :class:`Change` and :class:`Gap`.

    Enter it with ``async with`` and the registration holds once the block begins: every later change that a
    filter lets pass is told. Iterating without that registers at the first step. It is used up once.

    One change is held at a time; a reader that does not keep up is ended by the hub of this package, comes
    back and misses nothing. Leaving it ends the call: at once with ``async with`` or :meth:`aclose`,
    otherwise when the object is collected.

    It ends by itself when the database is deleted. While the hub is away it waits, with back-off, for as long
    as the policy says. A token that is not taken any more is renewed once, if an identity was given.
    """

    def __init__(
        self,
        channel: Channel,
        ctx: AuthContext,
        thread: ThreadID,
        filters: Sequence[ListenFilter],
        rereader: Rereader,
        *,
        since: str | None,
        identity: Identity | Signer | None,
        retry: RetryPolicy,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._channel = channel
        self._ctx = ctx
        self._thread = thread
        self._filters = tuple(filters)
        self._rereader = rereader
        self._identity = identity
        self._retry = retry
        self._clock = clock
        self._position = since
        self._newest: int | None = None  # the latest write that was seen, by the hub's clock
        self._started = 0
        self._silent = False  # the hub sends no positions
        self._steps = self._run()

    @property
    def position(self) -> str | None:
        """Where to go on later with ``since=``: after the last change that was taken. None if not known."""
        return self._position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change | Gap:
        """The next change.

        Raises:
            TextileError: The hub refuses, or stayed away for longer than the policy allows.
        """
        while True:
            event = await anext(self._steps)
            if event is not None:
                return event

    async def __aenter__(self) -> Self:
        await anext(self._steps)  # nothing comes before the registration
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop listening. Doing it again does nothing."""
        await self._steps.aclose()

    async def _run(self) -> AsyncGenerator[Change | Gap | None, None]:
        """Changes and gaps; None for the first registration."""
        failures = 0
        cut = ""  # why there may be a gap
        self._started = self._clock()
        registered = renewed = False
        while True:
            try:
                async with self._stream() as stream:
                    await self._register(stream)
                    if not registered:
                        registered = True
                        yield None
                    if cut and self._silent:
                        async for event in self._missed(cut):
                            yield event
                    cut = ""
                    async for reply in stream:
                        failures, renewed = 0, False
                        change = self._change(reply)
                        self._position = change.position
                        yield change
                cut = "the hub ended the call"
            except _PASSING as error:
                if not registered and not isinstance(error, Unavailable):
                    raise
                cut = f"the connection was lost: {error.message}"
                if not await self._channel.back_off(self._retry, failures + 1):
                    raise
            except (ThreadNotFound, DatabaseNotFound):
                if not registered:
                    raise
                return
            except Unauthenticated as error:
                if self._identity is None or renewed or not isinstance(error, InvalidToken):
                    raise
                renewed = True
                await self._renew(self._identity)
                continue
            except TextileError as error:
                if error.code is not StatusCode.OUT_OF_RANGE:
                    raise
                # The history does not reach back so far: go on from now, and read what was written since.
                self._position, self._silent, cut = None, True, error.message
                if not registered:
                    self._newest = 0
                continue
            else:
                if not await self._channel.back_off(self._retry, failures + 1):
                    return
            failures += 1

    def _stream(self) -> Stream[pb.ListenRequest, pb.ListenReply]:
        request = pb.ListenRequest(
            db_id=self._thread.bytes,
            filters=[
                pb.ListenRequestFilter(
                    collection_name=each.collection, instance_id=each.id, action=_FILTERS[each.action]
                )
                for each in self._filters
            ],
            since=self._position or "",
        )
        return self._channel.stream(_methods.LISTEN, self._ctx, request=request, about=str(self._thread))

    async def _register(self, stream: Stream[pb.ListenRequest, pb.ListenReply]) -> None:
        """Wait until the hub has the listener.

        The hub of this package says so. Another says nothing before the first change; there a call behind
        this one on the same connection has to do, and whatever slips through is read again after a cut.
        """
        async with asyncio.TaskGroup() as group:
            headers = group.create_task(self._headers(stream))
            probe = group.create_task(self._probe())
            await asyncio.wait((headers, probe), return_when=asyncio.FIRST_COMPLETED)
            if not headers.done():
                await asyncio.wait((headers,), timeout=_SILENCE)
            probe.cancel()
            headers.cancel()
        found = {} if headers.cancelled() else headers.result()
        if found is None or "grpc-status" in found:
            await stream.recv()  # says why there is no stream
            return
        position = found.get(POSITION_HEADER)
        if position is None:
            self._silent = True
        elif self._position is None:
            self._position = position

    async def _headers(self, stream: Stream[pb.ListenRequest, pb.ListenReply]) -> Mapping[str, str] | None:
        with suppress(TextileError):
            return await stream.headers()
        return None

    async def _probe(self) -> None:
        request = pb.GetDbInfoRequest(db_id=self._thread.bytes)
        # Whatever the answer, the hub has read what came before the question.
        with suppress(TextileError):
            await self._channel.unary(_methods.GET_DB_INFO, request, self._ctx, about=str(self._thread))

    async def _missed(self, cut: str) -> AsyncIterator[Change | Gap]:
        yield Gap(cut, position=self._position)
        since = self._started - _BEFORE if self._newest is None else self._newest
        self._silent = self._position is None
        with suppress(PermissionDenied):  # Who may only listen cannot read; the gap was told.
            async for change in self._rereader.changes(self._ctx, since):
                self._note(change.instance)
                yield change

    def _change(self, reply: pb.ListenReply) -> Change:
        action = _ACTIONS.get(int(reply.action))
        if action is None:
            raise ProtocolError(f"the hub told of an unknown action {int(reply.action)}")
        instance = decode(reply.instance) if reply.instance else None
        self._note(instance)
        return Change(
            reply.collection_name,
            reply.instance_id,
            action,
            instance=instance,
            position=reply.position or None,
        )

    def _note(self, instance: Any) -> None:
        written = instance.get("_mod") if isinstance(instance, dict) else None
        if isinstance(written, int | float):
            self._newest = max(self._newest or 0, int(written))

    async def _renew(self, identity: Identity | Signer) -> None:
        asking = self._ctx.without("token")
        token = await challenge.obtain(self._channel, _methods.GET_TOKEN, asking, identity, timeout=None)
        self._ctx = self._ctx.with_token(token)
