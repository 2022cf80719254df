"""``api.usersd.pb.APIService`` as far as the hub serves it: the caller's threads.

Spec: users-and-mail §2.
"""

from __future__ import annotations

from textile_aio._proto.api.usersd import pb
from textile_aio.errors import StatusCode, ThreadNotFound
from textile_aio.localhub.call import Call
from textile_aio.localhub.routes import Service
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.values import TrackedThread

_PREFIX = "/api.usersd.pb.APIService/"


class UsersService:
    """The owner's view of what they made."""

    def __init__(self, store: StoreRunner) -> None:
        self._store = store

    def service(self) -> Service:
        """What is served."""
        return Service(
            pb.ApiServiceBase,
            {_PREFIX + "GetThread": self.get_thread, _PREFIX + "ListThreads": self.list_threads},
        )

    async def get_thread(self, call: Call, request: pb.GetThreadRequest) -> pb.GetThreadResponse:
        """The owner's thread with exactly that name."""
        owner = call.owner
        row = await self._store.read(lambda view: view.tracked_named(owner, request.name))
        if row is None or not request.name:
            raise ThreadNotFound("Thread not found", code=StatusCode.NOT_FOUND)
        return _message(row)

    async def list_threads(self, call: Call, request: pb.ListThreadsRequest) -> pb.ListThreadsResponse:
        """All threads of the owner, in order of creation."""
        owner = call.owner
        rows = await self._store.read(lambda view: view.tracked_by(owner))
        return pb.ListThreadsResponse(list=[_message(row) for row in rows])


def _message(row: TrackedThread) -> pb.GetThreadResponse:
    return pb.GetThreadResponse(id=row.thread, name=row.name, is_db=row.is_database)
