"""Instances, one call at a time (spec: threads-api §5, §6)."""

from __future__ import annotations

import json

from textile_aio._proto.threads import pb
from textile_aio.localhub.call import Call
from textile_aio.localhub.routes import Method
from textile_aio.localhub.services.threads.rights import Rights
from textile_aio.threaddb.engine import ThreadDatabases


class InstanceMethods:
    """What is done to instances. ``transactionError`` is never set here: errors are statuses."""

    def __init__(self, engine: ThreadDatabases, rights: Rights) -> None:
        self._engine = engine
        self._rights = rights

    def handlers(self) -> dict[str, Method]:
        """Handlers by method name."""
        return {
            "Create": self.create,
            "Verify": self.verify,
            "Save": self.save,
            "Delete": self.delete,
            "Has": self.has,
            "Find": self.find,
            "FindByID": self.find_by_id,
        }

    async def create(self, call: Call, request: pb.CreateRequest) -> pb.CreateReply:
        """Create instances; ids in request order."""
        db, who = await self._rights.enter(call, request.db_id)
        ids = await self._engine.create(db, request.collection_name, request.instances, who=who)
        return pb.CreateReply(instance_i_ds=ids)

    async def verify(self, call: Call, request: pb.VerifyRequest) -> pb.VerifyReply:
        """Whether a save would be allowed."""
        db, who = await self._rights.enter(call, request.db_id)
        await self._engine.verify(db, request.collection_name, request.instances, who=who)
        return pb.VerifyReply()

    async def save(self, call: Call, request: pb.SaveRequest) -> pb.SaveReply:
        """Replace or create instances."""
        db, who = await self._rights.enter(call, request.db_id)
        await self._engine.save(db, request.collection_name, request.instances, who=who)
        return pb.SaveReply()

    async def delete(self, call: Call, request: pb.DeleteRequest) -> pb.DeleteReply:
        """Delete instances."""
        db, who = await self._rights.enter(call, request.db_id)
        await self._engine.delete(db, request.collection_name, request.instance_i_ds, who=who)
        return pb.DeleteReply()

    async def has(self, call: Call, request: pb.HasRequest) -> pb.HasReply:
        """Whether all instances are there."""
        db, who = await self._rights.enter(call, request.db_id)
        exists = await self._engine.has(db, request.collection_name, request.instance_i_ds, who=who)
        return pb.HasReply(exists=exists)

    async def find(self, call: Call, request: pb.FindRequest) -> pb.FindReply:
        """The instances that match a query; or, for clients that ask so, how it is answered, or how many."""
        db, who = await self._rights.enter(call, request.db_id)
        name, query = request.collection_name, request.query_json
        if request.explain:
            explanation = await self._engine.explain(db, name, query, who=who)
            return pb.FindReply(explanation=json.dumps(explanation).encode("ascii"))
        if request.count:
            return pb.FindReply(counted=await self._engine.count(db, name, query, who=who))
        return pb.FindReply(instances=await self._engine.find(db, name, query, who=who))

    async def find_by_id(self, call: Call, request: pb.FindByIdRequest) -> pb.FindByIdReply:
        """One instance."""
        db, who = await self._rights.enter(call, request.db_id)
        instance = await self._engine.find_by_id(db, request.collection_name, request.instance_id, who=who)
        return pb.FindByIdReply(instance=instance)
