"""How a typed collection is opened: made, or brought up to date, from its class."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from textile_aio._arguments import text, thread_of
from textile_aio.auth import AuthContext
from textile_aio.errors import AlreadyExists, CollectionNotFound, InvalidInput
from textile_aio.ids import ThreadID
from textile_aio.threads.listening.calls import ListenCalls
from textile_aio.threads.transactions import TransactionCalls
from textile_aio.threads.values import CollectionConfig, CollectionInfo, Index

if TYPE_CHECKING:
    from textile_aio.threads.typed.collection import Collection

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")  # spec: threads-api §4.1


class TypedCalls(ListenCalls, TransactionCalls):
    """The part of :class:`~textile_aio.ThreadsClient` that opens typed collections."""

    async def collection(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        kind: type[T],
        *,
        name: str = "",
        indexes: Iterable[Index] = (),
        write_validator: str | None = None,
        read_filter: str | None = None,
        timeout: float | None = None,
    ) -> Collection[T]:
        """The collection of a class: made if there is none, brought up to date if it is defined otherwise.

        Schema and indexes are those of the class; indexes that neither it nor ``indexes`` names are dropped.
        Instances stay as they are, whether they fit or not: :meth:`Collection.check_schema
        <textile_aio.Collection.check_schema>` names those that do not. Idempotent, also where several
        programs open the collection at once.

        A field is indexed by its annotation, ``Annotated[int, Index()]`` or ``Annotated[str,
        Index(unique=True)]``, also inside of a class that is the type of a field; the id is in the field
        ``id``, or the one marked with :class:`Id`.

        Args:
            ctx: Who calls, now and in all calls of the collection.
            thread: The database.
            kind: A dataclass, a pydantic model or a msgspec struct.
            name: The name of the collection; that of the class by default.
            indexes: Further ones, by the stored paths of fields, such as ``Index("address.city")``.
            write_validator: As in :class:`CollectionConfig`; None leaves the one that is there.
            read_filter: As in :class:`CollectionConfig`; None leaves the one that is there.
            timeout: For each of at most three calls; see the class.

        Raises:
            InvalidInput: The class cannot be that of a collection, since it has no id, or a type whose JSON
                would not lead back to the same value. The text says where, and what to do.
            UniqueViolation: Instances have the same value where an index is to be unique.
        """
        # Here, because a program that uses no types should not have to load this.
        from textile_aio.threads.typed.codec import codec_of
        from textile_aio.threads.typed.collection import Collection

        target = thread_of(ctx, thread)
        codec = codec_of(kind, indexes)
        label = _name(kind, name)
        _check_bodies(write_validator, read_filter)

        def wanted(before: CollectionConfig) -> CollectionConfig:
            return replace(
                before,
                schema=codec.schema,
                indexes=codec.indexes,
                write_validator=before.write_validator if write_validator is None else write_validator,
                read_filter=before.read_filter if read_filter is None else read_filter,
            )

        present = await self._present(ctx, target, label, timeout)
        if present is None:
            try:
                await self.new_collection(ctx, target, wanted(CollectionConfig(label)), timeout=timeout)
            except AlreadyExists:  # by another program, just now
                present = await self._present(ctx, target, label, timeout)
        if present is not None and wanted(present.config()) != present.config():
            await self.update_collection(ctx, target, wanted(present.config()), timeout=timeout)
        return Collection(self, ctx, target, label, codec)

    async def _present(
        self, ctx: AuthContext, thread: ThreadID, name: str, timeout: float | None
    ) -> CollectionInfo | None:
        try:
            return await self.get_collection_info(ctx, thread, name, timeout=timeout)
        except CollectionNotFound:
            return None


def _check_bodies(*bodies: str | None) -> None:
    for body in bodies:
        if body is not None:
            text(body, "the body of a function")


def _name(kind: type, name: str) -> str:
    """The name of the collection.

    Raises:
        InvalidInput: Hubs would not take it.
    """
    found = text(name, "the name") or kind.__name__
    if not _NAME.fullmatch(found):
        raise InvalidInput(
            f"a collection cannot be called {found!r:.80}: names are letters, digits and single hyphens "
            "between them; give another with name="
        )
    return found
