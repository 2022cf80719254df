"""Records as they reach a host: an open call that is iterated over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from textile_aio._proto.threads.net import pb
from textile_aio._rpc.stream import Stream
from textile_aio.ids import ThreadID, ThreadKey
from textile_aio.net import _convert
from textile_aio.net.values import ThreadRecord


class Subscription:
    """New records of the threads subscribed to: an async context manager, and in it an async iterator.

    Made by :meth:`NetClient.subscribe <textile_aio.NetClient.subscribe>`. Entering it makes the call; the hub
    does not say when it has begun to watch. Each record is checked before it is given out. What fails is
    raised where the next record was asked for: a record that is not what it should be, or whose thread's keys
    cannot be had, is passed over by its error, and asking again gives the one after it; a cancelled wait
    loses none. When the hub ends the call in good order the iteration ends, and its error is raised
    otherwise.

    One record is held at a time. Go hubs drop, without a word, what a reader leaves waiting for 5 seconds;
    the records that were missed are found with :meth:`NetClient.log_records
    <textile_aio.NetClient.log_records>`.
    """

    def __init__(
        self,
        stream: Stream[pb.SubscribeRequest, pb.NewRecordReply],
        *,
        wanted: frozenset[ThreadID],
        key_of: Callable[[ThreadID], Awaitable[ThreadKey]],
    ) -> None:
        self._stream = stream
        self._wanted = wanted
        self._key_of = key_of
        self._waiting: pb.NewRecordReply | None = None  # received, but not opened yet

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, traceback)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ThreadRecord:
        if self._waiting is None:
            self._waiting = await self._stream.recv()
            if self._waiting is None:
                raise StopAsyncIteration
        try:
            record = await self._open(self._waiting)
        except Exception:
            self._waiting = None
            raise
        self._waiting = None
        return record

    async def _open(self, message: pb.NewRecordReply) -> ThreadRecord:
        thread, log = _convert.announced(message, self._wanted)
        key = await self._key_of(thread)
        return _convert.record(message.record, thread=thread, key=key, logs=(log,))
