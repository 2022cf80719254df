"""What each user has: a thread, in it a collection of notes and a bucket of files.

The thread belongs to whom the context's token names, and the hub lets nobody else in. So nothing here asks
who a user is, and nothing has to be kept about them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, Field

from textile_aio import AlreadyExists, AuthContext, BucketHandle, Collection, HubClient, ThreadNotFound

NAME = "shelf"


class Note(BaseModel):
    """What is written down."""

    id: str = ""
    text: str = Field(min_length=1, max_length=2000)
    done: bool = False


@dataclass(frozen=True)
class Shelf:
    """One user's shelf.

    Attributes:
        hub: Where it is.
        ctx: Who calls, in the shelf's thread.
    """

    hub: HubClient
    ctx: AuthContext

    @classmethod
    async def of(cls, hub: HubClient, user: AuthContext) -> Shelf:
        """The user's shelf, made at their first visit."""
        try:
            thread = (await hub.users.get_thread(user, NAME)).id
        except ThreadNotFound:
            try:
                thread = await hub.threads.new_db(user, name=NAME)
            except AlreadyExists:  # in another tab, just now
                thread = (await hub.users.get_thread(user, NAME)).id
        return cls(hub, user.with_thread(thread))

    async def notes(self) -> Collection[Note]:
        """The notes."""
        return await self.hub.threads.collection(self.ctx, None, Note, name="notes")

    async def files(self) -> BucketHandle:
        """The bucket."""
        return await self.hub.buckets.get_or_create(self.ctx, "files")
