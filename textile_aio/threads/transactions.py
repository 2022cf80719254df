"""Transactions: several reads, or reads and writes, of one collection as a whole.

Owns when a transaction is committed and when it is not. A stream that is not ended properly commits nothing
(spec: threads-api §7), so every way out but the normal one simply leaves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar, overload

from textile_aio._arguments import text, thread_of
from textile_aio._proto.threads import pb
from textile_aio._rpc.cancellation import reraise
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.method import Method
from textile_aio.auth import AuthContext
from textile_aio.errors import (
    ClosedError,
    FailedPrecondition,
    ProtocolError,
    ResourceExhausted,
    TextileError,
    Unavailable,
)
from textile_aio.ids import ThreadID
from textile_aio.threads import _held, _methods, paging
from textile_aio.threads._calls import Calls, transaction_error
from textile_aio.threads.decoding import reader
from textile_aio.threads.documents import Document, encode_all
from textile_aio.threads.instances import id_list, ids_of, name_of
from textile_aio.threads.paging import Found
from textile_aio.threads.query.builder import Query, QueryLike, query_of

T = TypeVar("T")


class TransactionCalls(Calls):
    """The part of :class:`~textile_aio.ThreadsClient` that opens transactions."""

    def read_transaction(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        *,
        timeout: float | None = None,
    ) -> ReadTransaction:
        """Several reads of one state of a collection.

        ::

            async with hub.threads.read_transaction(ctx, thread, "people") as txn:
                if await txn.has(["ann", "bob"]):
                    ...

        Args:
            ctx: Who calls.
            thread: The database.
            collection: Where to look.
            timeout: Seconds for all of the block; no limit unless one is given.
        """
        return ReadTransaction(self._channel, ctx, thread_of(ctx, thread), name_of(collection), timeout)

    def write_transaction(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        *,
        timeout: float | None = None,
    ) -> WriteTransaction:
        """Several writes of a collection that take effect together, when the block is left, or not at all.

        ::

            async with hub.threads.write_transaction(ctx, thread, "people") as txn:
                await txn.save([{"_id": "ann", "age": 37}])
                await txn.delete(["bob"])

        :class:`WriteTransaction` says when it is committed. All other writers of the database wait meanwhile.

        Args:
            ctx: Who calls.
            thread: The database.
            collection: What is written.
            timeout: Seconds for all of the block, the commit included; no limit unless one is given.
        """
        return WriteTransaction(self._channel, ctx, thread_of(ctx, thread), name_of(collection), timeout)


class _Transaction:
    """What both kinds have in common: the stream, one operation on it at a time, and reading."""

    _method: Method[Any, Any]

    def __init__(
        self, channel: Channel, ctx: AuthContext, thread: ThreadID, collection: str, timeout: float | None
    ) -> None:
        self._target = channel.target
        self._thread = thread
        self._collection = collection
        self._stream = channel.stream(self._method, ctx, timeout=timeout, about=collection)
        self._turn = asyncio.Lock()
        self._state = "is not entered; use 'async with'"  # or empty, while operations are possible
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        start = pb.StartTransactionRequest(db_id=self._thread.bytes, collection_name=self._collection)
        try:
            await self._stream.send(self._method.request(start_transaction_request=start))
        except BaseException:
            self._state = "has ended"
            await self._stream.__aexit__(None, None, None)
            raise
        self._state = ""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                async with self._turn:
                    if not self._state:
                        await self._finish()
        finally:
            self._state = self._state or "has ended"
            await self._stream.__aexit__(kind, error, traceback)

    async def has(self, ids: Iterable[str]) -> bool:
        """True if there are instances with all of the ids and the caller may see them."""
        reply: pb.HasReply = await self._do("has", pb.HasRequest(instance_i_ds=id_list(ids)))
        return reply.exists

    @overload
    async def find_by_id(self, id: str, *, as_: None = None) -> dict[str, Any]: ...

    @overload
    async def find_by_id(self, id: str, *, as_: type[T]) -> T: ...

    async def find_by_id(self, id: str, *, as_: type[Any] | None = None) -> Any:  # noqa: A002
        """The instance with an id.

        Raises:
            InstanceNotFound: There is none, or the read filter hides it.
            SchemaViolation: It does not fit the type ``as_``.
        """
        read = reader(as_)
        request = pb.FindByIdRequest(instance_id=text(id, "an id"))
        reply: pb.FindByIdReply = await self._do("find_by_id", request, about=id)
        return read(reply.instance)

    @overload
    async def find(self, query: QueryLike = None, *, as_: None = None) -> list[dict[str, Any]]: ...

    @overload
    async def find(self, query: QueryLike = None, *, as_: type[T]) -> list[T]: ...

    async def find(self, query: QueryLike = None, *, as_: type[Any] | None = None) -> list[Any]:
        """The instances that a query finds, as :meth:`ThreadsClient.find <textile_aio.ThreadsClient.find>`.

        Raises:
            MessageTooLarge: The result is too large for one message, and the hub is one that does not say so
                before sending it. The transaction has ended then; :meth:`find_iter` works there as well.
        """
        read = reader(as_)
        return [read(row) for row in await paging.find_all(self._ask, query_of(query))]

    @overload
    def find_iter(self, query: QueryLike = None, *, as_: None = None) -> Found[dict[str, Any]]: ...

    @overload
    def find_iter(self, query: QueryLike = None, *, as_: type[T]) -> Found[T]: ...

    def find_iter(self, query: QueryLike = None, *, as_: type[Any] | None = None) -> Found[Any]:
        """As :meth:`find`, but one after another, with no more than a page in memory."""
        return Found(self._ask, query_of(query), reader(as_))

    async def _ask(self, query: Query) -> list[bytes]:
        request = pb.FindRequest(query_json=paging.wire(query))
        reply: pb.FindReply = await self._do("find", request, harmless=ResourceExhausted)
        return reply.instances

    async def _do(
        self,
        kind: str,
        request: Any,
        *,
        about: str = "",
        harmless: type[TextileError] | tuple[()] = (),
    ) -> Any:
        """Send an operation and get the reply of its kind. Cancelled in between, the transaction is over."""
        async with self._turn:
            if self._state:
                self._complain()
            try:
                await self._stream.send(self._method.request(**{f"{kind}_request": request}))
                answer = await self._stream.recv()
                reply = getattr(answer, f"{kind}_reply", None)
                if reply is None:
                    raise self._out_of_step(kind)
            except BaseException as failure:
                self._state, self._failure = "was given up in the middle of an operation", failure
                raise
            error = transaction_error(reply, self._method.path, about or self._collection)
            if error is not None:
                if not isinstance(error, harmless):
                    self._refused(error)
                raise error
            return reply

    def _complain(self) -> NoReturn:
        """Say why nothing can be done any more: the error that ended the transaction, if one did."""
        if isinstance(self._failure, Exception):
            reraise(self._failure)
        raise ClosedError(f"the transaction {self._state}", method=self._method.path, about=self._collection)

    def _refused(self, error: TextileError) -> None:
        """The hub refused an operation and goes on."""

    async def _finish(self) -> None:
        """End the stream properly and learn what became of it."""
        self._state = "has ended"
        await self._stream.end()
        if await self._stream.recv() is not None:
            raise self._out_of_step("end")

    def _out_of_step(self, kind: str) -> ProtocolError:
        return ProtocolError(
            f"the hub does not answer {kind} as a transaction is answered",
            method=self._method.path,
            about=self._collection,
        )


class ReadTransaction(_Transaction):
    """Reads of one state of a collection; made by :meth:`ThreadsClient.read_transaction`, entered once.

    Operations may come from several tasks; they take turns. An error that the hub reports for one of them
    leaves the transaction usable. At a Go hub all writers wait for its end, so the same task must not write
    beside it there.
    """

    _method = _methods.READ_TRANSACTION


class WriteTransaction(_Transaction):
    """Writes that take effect together; made by :meth:`ThreadsClient.write_transaction`, entered once.

    It is committed when the block is left normally, and not at all when it is left by an exception or by
    cancellation, after :meth:`discard`, or if the connection breaks before. If leaving the block itself is
    cancelled, or raises :class:`~textile_aio.Unavailable` or :class:`~textile_aio.DeadlineExceeded`, it may
    have been committed.

    An operation that the hub refuses raises, and from then on the transaction is not committed even if that
    exception is caught: leaving the block raises :class:`~textile_aio.FailedPrecondition`, unless
    :meth:`proceed` was called. The hub would commit the rest, and part of what it refused.

    Reads see the state before the transaction, without its own writes (spec: threads-api §7.2). Operations
    may come from several tasks; they take turns.

    While it is open, no other writer gets at the database. A call of the same task that would wait for it,
    outside this object, raises :class:`~textile_aio.FailedPrecondition` at once. Hubs end a transaction that
    sits idle, with :class:`~textile_aio.Aborted`.

    Raises:
        FailedPrecondition: On entering, this task has a write transaction open on the database already. On
            leaving, an operation failed.
        AlreadyExists: On leaving, the same new id was created twice.
        UniqueViolation: On leaving, a unique index has a value already.
        WriteDenied: On leaving, the write validator refuses.
        Aborted: The hub gave the transaction up.
    """

    _method = _methods.WRITE_TRANSACTION

    def __init__(
        self, channel: Channel, ctx: AuthContext, thread: ThreadID, collection: str, timeout: float | None
    ) -> None:
        super().__init__(channel, ctx, thread, collection, timeout)
        self._release: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        _held.check_free(self._target, self._thread, self._method.path)
        await super().__aenter__()
        self._release = _held.hold(self._target, self._thread)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            if self._release is not None:
                self._release()
        if error is None and self._failure is not None:
            raise FailedPrecondition(
                f"the transaction was not committed: an operation in it failed: {self._failure!r:.500}",
                method=self._method.path,
                about=self._collection,
            ) from self._failure

    async def create(self, instances: Iterable[Document]) -> list[str]:
        """Create instances, and return their ids in order.

        As :meth:`ThreadsClient.create <textile_aio.ThreadsClient.create>`, except that instances created
        twice, unique indexes and the write validator are looked at when the transaction is committed.
        """
        request = pb.CreateRequest(instances=encode_all(instances))
        return ids_of(await self._do("create", request), request, self._collection)

    async def save(self, instances: Iterable[Document]) -> None:
        """Write instances over those with the same ids, or as new ones.

        What is removed and what is kept is decided by the state before the transaction.
        """
        await self._do("save", pb.SaveRequest(instances=encode_all(instances)))

    async def verify(self, instances: Iterable[Document]) -> None:
        """Find out whether :meth:`save` would do; nothing is written."""
        await self._do("verify", pb.VerifyRequest(instances=encode_all(instances)))

    async def delete(self, ids: Iterable[str]) -> None:
        """Delete instances. Ids that there were none of before the transaction are passed over."""
        await self._do("delete", pb.DeleteRequest(instance_i_ds=id_list(ids)))

    async def discard(self) -> None:
        """End the transaction without committing anything; only leaving the block is possible then."""
        try:
            await self._do("discard", pb.DiscardRequest())
            async with self._turn:
                await super()._finish()
        except TextileError as refusal:
            if "discarded/committed txn" not in refusal.message:  # the hub's way to say that it did
                raise
        finally:
            self._state, self._failure = "was discarded", None

    def proceed(self) -> None:
        """Let the transaction be committed although the hub refused an operation.

        Of a create that failed, the instances before the one that was refused are written; of a delete at a
        Go hub, those before the first unknown id; of a save, none.

        Raises:
            ClosedError: The transaction has ended, so that there is nothing left to commit.
        """
        if self._state:
            self._complain()
        self._failure = None

    def _refused(self, error: TextileError) -> None:
        self._failure = error
        error.add_note("The transaction will not be committed, unless proceed() is called.")

    async def _finish(self) -> None:
        if self._failure is not None:
            return
        try:
            await super()._finish()
        except Unavailable as error:
            error.add_note("Whether the transaction was committed is not known.")
            raise
