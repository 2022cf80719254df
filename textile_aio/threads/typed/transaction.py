"""Writes of a typed collection that take effect together."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar, overload

from textile_aio.threads.paging import Found
from textile_aio.threads.query.builder import Query, QueryLike, query_of
from textile_aio.threads.transactions import WriteTransaction
from textile_aio.threads.typed.codec import Codec
from textile_aio.threads.typed.instances import ids_of, one_or_many, with_ids
from textile_aio.threads.typed.paths import stored_query

T = TypeVar("T")


class TypedTransaction(Generic[T]):
    """A write transaction of a collection; made by :meth:`Collection.transaction`, entered once.

    When it is committed, what it sees and whom it keeps waiting is as for
    :class:`~textile_aio.WriteTransaction`: it takes effect as a whole when the block is left normally, reads
    see the state before it, and an operation that the hub refused keeps it from being committed.
    """

    def __init__(self, raw: WriteTransaction, codec: Codec[T]) -> None:
        self._raw = raw
        self._codec = codec

    async def __aenter__(self) -> Self:
        await self._raw.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._raw.__aexit__(kind, error, traceback)

    @overload
    async def create(self, instances: T) -> T: ...

    @overload
    async def create(self, instances: Iterable[T]) -> list[T]: ...

    async def create(self, instances: T | Iterable[T]) -> T | list[T]:
        """Create one or several instances, as :meth:`Collection.create` does.

        Ids that are there already twice among those created here, unique indexes and the write validator are
        looked at when the transaction is committed.
        """
        many = one_or_many(self._codec, instances)
        ids = await self._raw.create([self._codec.dump(each) for each in many])
        return with_ids(self._codec, instances, many, ids)

    async def save(self, instances: T | Iterable[T]) -> None:
        """Write one or several instances over those with their ids, as :meth:`Collection.save` does."""
        many = one_or_many(self._codec, instances)
        ids_of(self._codec, many)
        await self._raw.save([self._codec.dump(each) for each in many])

    async def delete(self, instances: str | T | Iterable[str | T]) -> None:
        """Delete one or several instances, as :meth:`Collection.delete` does."""
        await self._raw.delete(ids_of(self._codec, instances))

    async def has(self, instances: str | T | Iterable[str | T]) -> bool:
        """True if all of the instances were there before the transaction."""
        return await self._raw.has(ids_of(self._codec, instances))

    async def get(self, id: str) -> T:  # noqa: A002
        """The instance with an id.

        Raises:
            InstanceNotFound: There is none. The hub has refused an operation then; :meth:`find_one` with
                ``where("id") == id`` asks without that.
        """
        return self._codec.load(await self._raw.find_by_id(id, as_=bytes))

    def find(self, query: QueryLike = None) -> Found[T]:
        """The instances that a query finds, as :meth:`Collection.find` gives them."""
        return Found(self._ask, stored_query(self._codec, query_of(query)), self._codec.load)

    async def find_one(self, query: QueryLike = None) -> T | None:
        """The first instance that a query finds, None if there is none."""
        return await anext(self.find(query_of(query).limit(1)), None)

    async def count(self, query: QueryLike = None) -> int:
        """How many instances a query finds. They are sent for that, a page at a time."""
        wanted = stored_query(self._codec, query_of(query)).unsorted()
        rows = self._raw.find_iter(wanted, as_=bytes)
        return sum([1 async for _ in rows])

    async def discard(self) -> None:
        """End the transaction without committing anything; only leaving the block is possible then."""
        await self._raw.discard()

    def proceed(self) -> None:
        """Let it be committed although an operation was refused; see :meth:`WriteTransaction.proceed`."""
        self._raw.proceed()

    async def _ask(self, query: Query) -> list[bytes]:
        return await self._raw.find(query, as_=bytes)
