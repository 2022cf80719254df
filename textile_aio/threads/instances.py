"""Instances of a collection: created, saved, verified, deleted, and found, each by a call of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, overload

from textile_aio._arguments import text, thread_of
from textile_aio._proto.threads import pb
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, MessageTooLarge, ProtocolError, ResourceExhausted, Unimplemented
from textile_aio.ids import ThreadID
from textile_aio.threads import _convert, _held, _methods, paging
from textile_aio.threads._calls import Calls
from textile_aio.threads.decoding import reader
from textile_aio.threads.documents import Document, encode_all
from textile_aio.threads.paging import Ask, Found, Pages
from textile_aio.threads.query.builder import Query, QueryLike, query_of
from textile_aio.threads.values import Explanation

T = TypeVar("T")


class InstanceCalls(Calls):
    """The part of :class:`~textile_aio.ThreadsClient` that concerns instances."""

    async def create(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        instances: Iterable[Document],
        *,
        timeout: float | None = None,
    ) -> list[str]:
        """Create instances, all or none. Not idempotent where the hub draws the ids.

        Args:
            ctx: Who calls.
            thread: The database.
            collection: Where they belong.
            instances: The documents. Those without ``_id``, or with an empty one, get an id from the hub; the
                documents themselves are not changed.
            timeout: See the class.

        Returns:
            The ids, in the order of the instances.

        Raises:
            AlreadyExists: There is an instance with that id.
            SchemaViolation: A document does not match the schema.
            UniqueViolation: A unique index has the value already.
            WriteDenied: The write validator refuses.
            InvalidInput: A document cannot be sent; the text names the path.
            MessageTooLarge: The documents are more than the hub takes at once: 4 MiB at a Go hub.
        """
        target = self._writable(ctx, thread, _methods.CREATE.path)
        request = pb.CreateRequest(
            db_id=target.bytes, collection_name=name_of(collection), instances=encode_all(instances)
        )
        reply = await self._call(_methods.CREATE, request, ctx, timeout=timeout, about=collection)
        return ids_of(reply, request, collection)

    async def save(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        instances: Iterable[Document],
        *,
        timeout: float | None = None,
    ) -> None:
        """Write instances over those with the same ids, or as new ones, all or none.

        Members that a document leaves out are removed. Saving the same twice changes only ``_mod``, and
        listeners see it twice.

        Raises:
            TextileError: As :meth:`create`, except that an instance may exist.
            InvalidInput: A document has no ``_id``.
        """
        target = self._writable(ctx, thread, _methods.SAVE.path)
        request = pb.SaveRequest(
            db_id=target.bytes, collection_name=name_of(collection), instances=encode_all(instances)
        )
        await self._call(_methods.SAVE, request, ctx, timeout=timeout, about=collection)

    async def verify(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        instances: Iterable[Document],
        *,
        timeout: float | None = None,
    ) -> None:
        """Find out whether :meth:`save` would do, schema and write validator included; nothing is written.

        Safe to repeat.

        Raises:
            TextileError: As :meth:`save`.
        """
        target = self._writable(ctx, thread, _methods.VERIFY.path)
        request = pb.VerifyRequest(
            db_id=target.bytes, collection_name=name_of(collection), instances=encode_all(instances)
        )
        await self._call(_methods.VERIFY, request, ctx, timeout=timeout, about=collection)

    async def delete(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        ids: Iterable[str],
        *,
        timeout: float | None = None,
    ) -> None:
        """Delete instances, all or none. Ids that there are none of are passed over.

        A Go hub passes over the rest as well when it comes to an id that it has not got.

        Raises:
            WriteDenied: The write validator refuses.
        """
        target = self._writable(ctx, thread, _methods.DELETE.path)
        request = pb.DeleteRequest(
            db_id=target.bytes, collection_name=name_of(collection), instance_i_ds=id_list(ids)
        )
        await self._call(_methods.DELETE, request, ctx, timeout=timeout, about=collection)

    async def has(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        ids: Iterable[str],
        *,
        timeout: float | None = None,
    ) -> bool:
        """True if there are instances with all of the ids and the caller may see them. Safe to repeat."""
        request = pb.HasRequest(
            db_id=thread_of(ctx, thread).bytes,
            collection_name=name_of(collection),
            instance_i_ds=id_list(ids),
        )
        reply = await self._call(_methods.HAS, request, ctx, timeout=timeout, about=collection)
        return reply.exists

    @overload
    async def find_by_id(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        id: str,
        *,
        as_: None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]: ...

    @overload
    async def find_by_id(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        id: str,
        *,
        as_: type[T],
        timeout: float | None = None,
    ) -> T: ...

    async def find_by_id(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        id: str,  # noqa: A002
        *,
        as_: type[Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The instance with an id. Safe to repeat.

        Raises:
            InstanceNotFound: There is none, or the read filter hides it.
            SchemaViolation: It does not fit the type ``as_``.
        """
        read = reader(as_)
        request = pb.FindByIdRequest(
            db_id=thread_of(ctx, thread).bytes,
            collection_name=name_of(collection),
            instance_id=text(id, "an id"),
        )
        reply = await self._call(_methods.FIND_BY_ID, request, ctx, timeout=timeout, about=id)
        return read(reply.instance)

    @overload
    async def find(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        as_: None = None,
        timeout: float | None = None,
    ) -> list[dict[str, Any]]: ...

    @overload
    async def find(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        as_: type[T],
        timeout: float | None = None,
    ) -> list[T]: ...

    async def find(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        as_: type[Any] | None = None,
        timeout: float | None = None,
    ) -> list[Any]:
        """The instances that a query finds. Safe to repeat.

        Asked for at once; a result too large for one message (4 MiB) is got in pages, each of which sees the
        database as it then is, and sorted here if need be. Use :meth:`find_iter` where the result need not be
        in memory as a whole.

        Args:
            ctx: Who calls.
            thread: The database.
            collection: Where to look.
            query: From :func:`where`, a dictionary as :meth:`Query.matching` takes it, or None for all.
            as_: What to give the documents as.
            timeout: For each call; see the class.

        Raises:
            InvalidQuery: The query cannot be said, or the hub does not understand it.
            RemoteError: An instance has not got the field that results are sorted by, or not with one type.
            SchemaViolation: A document does not fit the type ``as_``.
        """
        read = reader(as_)
        ask = self._asking(ctx, thread, collection, timeout)
        return [read(row) for row in await paging.find_all(ask, query_of(query))]

    @overload
    def find_iter(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        as_: None = None,
        timeout: float | None = None,
    ) -> Found[dict[str, Any]]: ...

    @overload
    def find_iter(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        as_: type[T],
        timeout: float | None = None,
    ) -> Found[T]: ...

    def find_iter(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        as_: type[Any] | None = None,
        timeout: float | None = None,
    ) -> Found[Any]:
        """As :meth:`find`, but one after another, with no more than a page of about 1 MiB in memory.

        ::

            async for person in hub.threads.find_iter(ctx, thread, "people", where("age") >= 21):
                ...

        In the order of ids; with ``order_by`` another field, the whole result is got before the first one is
        given out. ``timeout`` is for each page. Errors come while iterating.
        """
        return Found(self._asking(ctx, thread, collection, timeout), query_of(query), reader(as_))

    async def count(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        timeout: float | None = None,
    ) -> int:
        """How many instances a query finds. Safe to repeat.

        Our hubs count without sending them. Other hubs send them, in pages if need be, and they are counted
        here.
        """
        wanted = query_of(query)
        if paging.is_sorted(wanted):
            wanted = wanted.unsorted()
        request = pb.FindRequest(
            db_id=thread_of(ctx, thread).bytes,
            collection_name=name_of(collection),
            query_json=paging.wire(wanted),
            count=True,
        )
        try:
            reply = await self._call(_methods.FIND, request, ctx, timeout=timeout, about=collection)
        except ResourceExhausted as error:
            if not paging.is_too_large(error):
                raise
            return await Pages(self._asking(ctx, thread, collection, timeout), wanted).count()
        return len(reply.instances) if reply.counted is None else reply.counted

    async def explain(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        collection: str,
        query: QueryLike = None,
        *,
        timeout: float | None = None,
    ) -> Explanation:
        """How the hub answers a query: which index it uses, and how many documents it reads for it.

        The query is carried out, but its result not sent. Safe to repeat.

        Raises:
            Unimplemented: The hub is not one of ours.
        """
        request = pb.FindRequest(
            db_id=thread_of(ctx, thread).bytes,
            collection_name=name_of(collection),
            query_json=paging.wire(query_of(query)),
            explain=True,
        )
        try:
            reply = await self._call(_methods.FIND, request, ctx, timeout=timeout, about=collection)
        except MessageTooLarge:
            reply = pb.FindReply()  # a hub that explains sends no instances with it
        if not reply.explanation:
            raise Unimplemented(
                "this hub does not explain how it answers queries; only hubs of this package do",
                method=_methods.FIND.path,
                about=collection,
            )
        return _convert.explanation(reply.explanation, collection)

    def _asking(
        self, ctx: AuthContext, thread: ThreadID | None, collection: str, timeout: float | None
    ) -> Ask:
        target, name = thread_of(ctx, thread), name_of(collection)

        async def ask(query: Query) -> list[bytes]:
            request = pb.FindRequest(db_id=target.bytes, collection_name=name, query_json=paging.wire(query))
            return (await self._call(_methods.FIND, request, ctx, timeout=timeout, about=name)).instances

        return ask

    def _writable(self, ctx: AuthContext, thread: ThreadID | None, method: str) -> ThreadID:
        target = thread_of(ctx, thread)
        _held.check_free(self._channel.target, target, method)
        return target


def name_of(collection: object) -> str:
    """``collection``, which has to be the name of one."""
    return text(collection, "the name of the collection")


def id_list(ids: Iterable[str]) -> list[str]:
    """Ids as they are sent.

    Raises:
        InvalidInput: A single one was given, or one that is not text.
    """
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        raise InvalidInput(
            f"ids are given as a list, not as {type(ids).__name__}; put a single one into a list"
        )
    return [text(each, "an id") for each in ids]


def ids_of(reply: pb.CreateReply, request: pb.CreateRequest, about: str) -> list[str]:
    """The ids of the instances that were created.

    Raises:
        ProtocolError: There are more or fewer than instances.
    """
    if len(reply.instance_i_ds) != len(request.instances):
        raise ProtocolError(
            f"the hub sent {len(reply.instance_i_ds)} ids for {len(request.instances)} instances",
            method=_methods.CREATE.path,
            about=about,
        )
    return reply.instance_i_ds
