"""Collections as definitions: schema, indexes and functions, made, replaced, deleted and described."""

from __future__ import annotations

from textile_aio._arguments import text, thread_of
from textile_aio._proto.threads import pb
from textile_aio.auth import AuthContext
from textile_aio.ids import ThreadID
from textile_aio.threads import _convert, _held, _methods
from textile_aio.threads._calls import Calls
from textile_aio.threads.values import CollectionConfig, CollectionInfo, Index


class CollectionCalls(Calls):
    """The part of :class:`~textile_aio.ThreadsClient` that concerns collections as such."""

    async def new_collection(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        config: CollectionConfig,
        *,
        timeout: float | None = None,
    ) -> None:
        """Make a collection. Atomic, not idempotent.

        Raises:
            AlreadyExists: There is a collection of that name.
            InvalidInput: The hub accepts the name, the schema, an index or a function not as it is; the text
                says which.
        """
        target = self._changing(ctx, thread, _methods.NEW_COLLECTION.path)
        request = pb.NewCollectionRequest(db_id=target.bytes, config=_convert.collection_config(config))
        await self._call(_methods.NEW_COLLECTION, request, ctx, timeout=timeout, about=config.name)

    async def update_collection(
        self,
        ctx: AuthContext,
        thread: ThreadID | None,
        config: CollectionConfig,
        *,
        timeout: float | None = None,
    ) -> None:
        """Replace everything that a collection is defined by except its name; what is left out is cleared.

        Atomic. Instances stay as they are, whether they fit the new schema or not. To change one thing, start
        from what :meth:`CollectionInfo.config <textile_aio.CollectionInfo.config>` gives.

        Raises:
            InvalidInput: As :meth:`new_collection`.
            UniqueViolation: Instances have the same value where an index is to be unique.
        """
        target = self._changing(ctx, thread, _methods.UPDATE_COLLECTION.path)
        request = pb.UpdateCollectionRequest(db_id=target.bytes, config=_convert.collection_config(config))
        await self._call(_methods.UPDATE_COLLECTION, request, ctx, timeout=timeout, about=config.name)

    async def delete_collection(
        self, ctx: AuthContext, thread: ThreadID | None, name: str, *, timeout: float | None = None
    ) -> None:
        """Delete a collection, with everything in it. Not repeated.

        A Go hub deletes the definition only: made again, the collection has its old instances.
        """
        target = self._changing(ctx, thread, _methods.DELETE_COLLECTION.path)
        request = pb.DeleteCollectionRequest(db_id=target.bytes, name=text(name, "the name"))
        await self._call(_methods.DELETE_COLLECTION, request, ctx, timeout=timeout, about=name)

    async def get_collection_info(
        self, ctx: AuthContext, thread: ThreadID | None, name: str, *, timeout: float | None = None
    ) -> CollectionInfo:
        """What a collection is defined by. Safe to repeat."""
        request = pb.GetCollectionInfoRequest(db_id=thread_of(ctx, thread).bytes, name=text(name, "the name"))
        reply = await self._call(_methods.GET_COLLECTION_INFO, request, ctx, timeout=timeout, about=name)
        return _convert.collection_info(reply)

    async def get_collection_indexes(
        self, ctx: AuthContext, thread: ThreadID | None, name: str, *, timeout: float | None = None
    ) -> tuple[Index, ...]:
        """The indexes of a collection, ordered by path. :meth:`get_collection_info` gives them as well.

        Safe to repeat.
        """
        request = pb.GetCollectionIndexesRequest(
            db_id=thread_of(ctx, thread).bytes, name=text(name, "the name")
        )
        reply = await self._call(_methods.GET_COLLECTION_INDEXES, request, ctx, timeout=timeout, about=name)
        return _convert.indexes(reply.indexes)

    async def list_collections(
        self, ctx: AuthContext, thread: ThreadID | None = None, *, timeout: float | None = None
    ) -> list[CollectionInfo]:
        """All collections of a database, ordered by name. Safe to repeat."""
        target = thread_of(ctx, thread)
        request = pb.ListCollectionsRequest(db_id=target.bytes)
        reply = await self._call(_methods.LIST_COLLECTIONS, request, ctx, timeout=timeout, about=str(target))
        return sorted(map(_convert.collection_info, reply.collections), key=lambda info: info.name)

    def _changing(self, ctx: AuthContext, thread: ThreadID | None, method: str) -> ThreadID:
        target = thread_of(ctx, thread)
        _held.check_free(self._channel.target, target, method)
        return target
