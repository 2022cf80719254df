"""A collection whose instances are objects of a class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from textile_aio._arguments import context, text
from textile_aio._rpc.retry import RetryPolicy
from textile_aio.auth import AuthContext
from textile_aio.identity import Identity, Signer
from textile_aio.ids import ThreadID
from textile_aio.threads.listening.listening import BACK_OFF
from textile_aio.threads.listening.values import ChangeAction, ListenFilter
from textile_aio.threads.paging import Found
from textile_aio.threads.query.builder import Query, QueryLike, query_of
from textile_aio.threads.typed import upkeep
from textile_aio.threads.typed.codec import Codec
from textile_aio.threads.typed.instances import ids_of, one_or_many, with_ids
from textile_aio.threads.typed.listening import TypedListening
from textile_aio.threads.typed.paths import stored_query
from textile_aio.threads.typed.transaction import TypedTransaction
from textile_aio.threads.typed.upkeep import Unfit
from textile_aio.threads.values import Explanation, Index

if TYPE_CHECKING:
    from textile_aio.threads.typed.calls import TypedCalls

T = TypeVar("T")
S = TypeVar("S")


class Collection(Generic[T]):
    """A collection of a database whose instances are objects of a class.

    Made by :meth:`ThreadsClient.collection <textile_aio.ThreadsClient.collection>`, with the context and the
    thread that its calls use; it holds nothing else and needs no closing. ``timeout`` is as for
    :class:`~textile_aio.ThreadsClient`, and so are the errors that every call may raise.

    Objects that are given are never changed: where something about them is new, a copy comes back. Members
    that are None are left out of what is stored. Members that are stored and that the class does not know are
    not read, and gone when the instance is saved. In queries, fields are named as the class names them, or as
    they are stored; a name that is neither is refused with :class:`~textile_aio.InvalidQuery`.

    ::

        @dataclass(frozen=True)
        class Person:
            name: Annotated[str, Index(unique=True)]
            age: Annotated[int, Index()]
            id: str = ""

        people = await hub.threads.collection(ctx, thread, Person)
        al = await people.create(Person("Al", 21))
        async for person in people.find(where("age") >= 21):
            ...

    Attributes:
        name: The name of the collection.
        kind: The class.
        thread: The database.
        indexes: The fields that it keeps indexes of, ordered by path.
        loosened: What the class says and hubs do not heed, because they know but part of JSON Schema, and
            index no elements of lists; a sentence each. pydantic and msgspec check here what they always do.
    """

    def __init__(
        self, calls: TypedCalls, ctx: AuthContext, thread: ThreadID, name: str, codec: Codec[T]
    ) -> None:
        self.name = name
        self.thread = thread
        self.kind: type[T] = codec.kind
        self.indexes: tuple[Index, ...] = codec.indexes
        self.loosened: tuple[str, ...] = codec.loosened
        self._calls = calls
        self._ctx = ctx
        self._codec = codec

    @property
    def context(self) -> AuthContext:
        """On whose behalf calls are made."""
        return self._ctx

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema that was made of the class."""
        return self._codec.schema

    def with_context(self, ctx: AuthContext) -> Collection[T]:
        """The same collection, with calls on behalf of somebody else; nothing is sent."""
        return Collection(self._calls, context(ctx), self.thread, self.name, self._codec)

    @overload
    async def create(self, instances: T, *, timeout: float | None = None) -> T: ...

    @overload
    async def create(self, instances: Iterable[T], *, timeout: float | None = None) -> list[T]: ...

    async def create(self, instances: T | Iterable[T], *, timeout: float | None = None) -> T | list[T]:
        """Create one or several instances, all or none. Not idempotent where the hub draws the ids.

        Args:
            instances: An object of the class, or an iterable of such. Those whose id is empty or None get one
                from the hub.
            timeout: See the class.

        Returns:
            What was given, with ids: one object, or a list in the same order.

        Raises:
            AlreadyExists: There is an instance with that id.
            SchemaViolation: An instance does not match the schema.
            UniqueViolation: A unique index has the value already.
            WriteDenied: The write validator refuses.
            InvalidInput: It is not of the class, or JSON cannot say a value; the text names the path.
            MessageTooLarge: It is more than the hub takes at once: 4 MiB at a Go hub.
        """
        many = one_or_many(self._codec, instances)
        documents = [self._codec.dump(each) for each in many]
        ids = await self._calls.create(self._ctx, self.thread, self.name, documents, timeout=timeout)
        return with_ids(self._codec, instances, many, ids)

    async def save(self, instances: T | Iterable[T], *, timeout: float | None = None) -> None:
        """Write one or several instances over those with their ids, or as new ones, all or none.

        Raises:
            TextileError: As :meth:`create`, except that an instance may exist.
            InvalidInput: As :meth:`create`, or an instance has no id.
        """
        many = one_or_many(self._codec, instances)
        ids_of(self._codec, many)
        documents = [self._codec.dump(each) for each in many]
        await self._calls.save(self._ctx, self.thread, self.name, documents, timeout=timeout)

    async def delete(self, instances: str | T | Iterable[str | T], *, timeout: float | None = None) -> None:
        """Delete one or several instances, all or none; ids that there are none of are passed over.

        Args:
            instances: Ids, or objects that have one.
            timeout: See the class.

        Raises:
            WriteDenied: The write validator refuses.
        """
        ids = ids_of(self._codec, instances)
        await self._calls.delete(self._ctx, self.thread, self.name, ids, timeout=timeout)

    async def has(self, instances: str | T | Iterable[str | T], *, timeout: float | None = None) -> bool:
        """True if all of the instances are there and the caller may see them. Safe to repeat."""
        ids = ids_of(self._codec, instances)
        return await self._calls.has(self._ctx, self.thread, self.name, ids, timeout=timeout)

    async def get(self, id: str, *, timeout: float | None = None) -> T:  # noqa: A002
        """The instance with an id. Safe to repeat.

        Raises:
            InstanceNotFound: There is none, or the read filter hides it.
            SchemaViolation: It is no object of the class.
        """
        found = await self._calls.find_by_id(
            self._ctx, self.thread, self.name, text(id, "an id"), as_=bytes, timeout=timeout
        )
        return self._codec.load(found)

    def find(self, query: QueryLike = None, *, timeout: float | None = None) -> Found[T]:
        """The instances that a query finds, one after another, with no more than a page in memory.

        ::

            async for person in people.find((where("age") >= 21) & (where("name") != "Al")):
                ...
            adults = [person async for person in people.find({"age": {"$gte": 21}})]

        In the order of ids; with ``order_by`` another field, the whole result is got before the first one is
        given out. Errors come while iterating.

        Args:
            query: From :func:`where`, a dictionary as :meth:`Query.matching` takes it, or None for all.
            timeout: For each page; see the class.

        Raises:
            InvalidQuery: The query cannot be said, or names a field that the class has not got.
        """

        async def ask(page: Query) -> list[bytes]:
            return await self._calls.find(self._ctx, self.thread, self.name, page, as_=bytes, timeout=timeout)

        return Found(ask, self._stored(query), self._codec.load)

    async def find_one(self, query: QueryLike = None, *, timeout: float | None = None) -> T | None:
        """The first instance that a query finds, None if there is none. Safe to repeat."""
        return await anext(self.find(query_of(query).limit(1), timeout=timeout), None)

    async def count(self, query: QueryLike = None, *, timeout: float | None = None) -> int:
        """How many instances a query finds. Safe to repeat; see :meth:`ThreadsClient.count`."""
        return await self._calls.count(
            self._ctx, self.thread, self.name, self._stored(query), timeout=timeout
        )

    async def explain(self, query: QueryLike = None, *, timeout: float | None = None) -> Explanation:
        """Which index the hub uses for a query, and how many documents it reads. Safe to repeat.

        Raises:
            Unimplemented: The hub is not one of ours.
        """
        return await self._calls.explain(
            self._ctx, self.thread, self.name, self._stored(query), timeout=timeout
        )

    def transaction(self, *, timeout: float | None = None) -> TypedTransaction[T]:
        """Several writes that take effect together, when the block is left, or not at all.

        ::

            async with people.transaction() as txn:
                async for person in txn.find(where("age") >= 21):
                    await txn.save(replace(person, age=person.age + 1))

        Args:
            timeout: Seconds for all of the block, the commit included; no limit unless one is given.
        """
        raw = self._calls.write_transaction(self._ctx, self.thread, self.name, timeout=timeout)
        return TypedTransaction(raw, self._codec)

    def listen(
        self,
        *,
        id: str = "",  # noqa: A002
        action: ChangeAction | None = None,
        since: str | None = None,
        identity: Identity | Signer | None = None,
        retry: RetryPolicy = BACK_OFF,
    ) -> TypedListening[T]:
        """Hear of every change in the collection, in the order of the writes.

        ::

            async with people.listen() as changes:
                await people.create(Person("Bea", 30))
                change = await anext(changes)
                assert isinstance(change, TypedChange) and change.instance is not None
                print(change.action, change.instance.name)

        Args:
            id: Only changes of the instance with this id; empty for all.
            action: Only changes of this kind; None for all.
            since: As for :meth:`ThreadsClient.listen <textile_aio.ThreadsClient.listen>`, which this is
                otherwise like.
            identity: As there.
            retry: As there.
        """
        wanted = ListenFilter(self.name, id=id, action=action)
        raw = self._calls.listen(self._ctx, self.thread, wanted, since=since, identity=identity, retry=retry)
        return TypedListening(raw, self._codec)

    @overload
    async def migrate(
        self,
        change: Callable[[dict[str, Any]], T | Mapping[str, Any]],
        *,
        source: None = None,
        timeout: float | None = None,
    ) -> int: ...

    @overload
    async def migrate(
        self,
        change: Callable[[S], T | Mapping[str, Any]],
        *,
        source: type[S],
        timeout: float | None = None,
    ) -> int: ...

    async def migrate(
        self,
        change: Callable[[Any], T | Mapping[str, Any]],
        *,
        source: type[Any] | None = None,
        timeout: float | None = None,
    ) -> int:
        """Rewrite every instance that the caller sees, in one transaction: all of them or none.

        ::

            await people.migrate(lambda old: old | {"age": int(old["age"])})
            await people.migrate(lambda old: replace(old, name=old.name.title()), source=Person)

        The instances are read in pages and written as they come, so that memory stays flat here; the hub
        holds the new ones until the end. Other writers of the database wait meanwhile. What ``change`` leaves
        as it is is not written. The hub of this package takes up to 32,768 changes and 64 MiB in one step,
        and refuses more with :class:`~textile_aio.ResourceExhausted`; nothing is changed then.

        Args:
            change: Called with each document, as a dictionary with its ``_id`` and without ``_mod``; returns
                an object of the class, or a dictionary that is one. It may change the dictionary, and has to
                return it then.
            source: The class to give documents to ``change`` as: one that the old ones are objects of.
            timeout: Seconds for all of it; no limit unless one is given.

        Returns:
            How many instances were changed.

        Raises:
            InvalidInput: ``change`` returns something else, or changes an id; nothing is written.
            SchemaViolation: A document is no object of ``source``, or the result none of the class; ``about``
                is its id. Nothing is written.
            TextileError: As :meth:`save`; and whatever ``change`` raises.
        """
        raw = self._calls.write_transaction(self._ctx, self.thread, self.name, timeout=timeout)
        return await upkeep.migrate(raw, self._codec, change, source)

    async def check_schema(self, *, limit: int = 100, timeout: float | None = None) -> list[Unfit]:
        """Look for instances that do not fit the class, as may be after it has changed. Nothing is written.

        All instances that the caller sees are read, and the hub asked whether it would take them as they are.
        Instances stay readable for others and in the collection; they are what :meth:`migrate` has to change.

        Args:
            limit: How many to name at most.
            timeout: For each call; see the class.

        Returns:
            Those that do not, in the order of their ids; an empty list if all do.
        """

        async def verify(documents: list[dict[str, Any]]) -> None:
            await self._calls.verify(self._ctx, self.thread, self.name, documents, timeout=timeout)

        rows = self._calls.find_iter(self._ctx, self.thread, self.name, as_=bytes, timeout=timeout)
        return await upkeep.check(rows, self._codec, verify, limit)

    def __repr__(self) -> str:
        return f"<Collection {self.name} of {self.kind.__name__} in {self.thread}>"

    def _stored(self, query: QueryLike) -> Query:
        return stored_query(self._codec, query_of(query))
