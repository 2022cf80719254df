"""Collections (spec: threads-api §4.4)."""

from __future__ import annotations

from textile_aio._proto.threads import pb
from textile_aio.localhub.call import Call
from textile_aio.localhub.host import Host
from textile_aio.localhub.routes import Method
from textile_aio.localhub.services.threads import messages
from textile_aio.threaddb.engine import ThreadDatabases


class CollectionMethods:
    """What is done to collections as a whole."""

    def __init__(self, engine: ThreadDatabases, host: Host) -> None:
        self._engine = engine
        self._host = host

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {
            "NewCollection": self.new_collection,
            "UpdateCollection": self.update_collection,
            "DeleteCollection": self.delete_collection,
            "GetCollectionInfo": self.get_collection_info,
            "GetCollectionIndexes": self.get_collection_indexes,
            "ListCollections": self.list_collections,
        }

    async def new_collection(self, call: Call, request: pb.NewCollectionRequest) -> pb.NewCollectionReply:
        """Make a collection."""
        db = messages.thread_id(request.db_id)
        self._host.who(call)
        await self._engine.new_collection(db, messages.config(request.config))
        return pb.NewCollectionReply()

    async def update_collection(
        self, call: Call, request: pb.UpdateCollectionRequest
    ) -> pb.UpdateCollectionReply:
        """Replace a collection's configuration."""
        db = messages.thread_id(request.db_id)
        self._host.who(call)
        await self._engine.update_collection(db, messages.config(request.config))
        return pb.UpdateCollectionReply()

    async def delete_collection(
        self, call: Call, request: pb.DeleteCollectionRequest
    ) -> pb.DeleteCollectionReply:
        """Delete a collection with its instances."""
        db = messages.thread_id(request.db_id)
        self._host.who(call)
        await self._engine.delete_collection(db, request.name)
        return pb.DeleteCollectionReply()

    async def get_collection_info(
        self, call: Call, request: pb.GetCollectionInfoRequest
    ) -> pb.GetCollectionInfoReply:
        """A collection's configuration."""
        db = messages.thread_id(request.db_id)
        self._host.who(call)
        return messages.collection_info(await self._engine.collection(db, request.name))

    async def get_collection_indexes(
        self, call: Call, request: pb.GetCollectionIndexesRequest
    ) -> pb.GetCollectionIndexesReply:
        """A collection's indexes."""
        db = messages.thread_id(request.db_id)
        self._host.who(call)
        found = await self._engine.collection(db, request.name)
        return pb.GetCollectionIndexesReply(indexes=messages.indexes(found))

    async def list_collections(
        self, call: Call, request: pb.ListCollectionsRequest
    ) -> pb.ListCollectionsReply:
        """All collections."""
        db = messages.thread_id(request.db_id)
        self._host.who(call)
        found = await self._engine.collections(db)
        return pb.ListCollectionsReply(collections=[messages.collection_info(each) for each in found])
