"""Who comes to a database's instances: decided by the request, where the headers need not name the thread."""

from __future__ import annotations

from textile_aio.ids import ThreadID
from textile_aio.localhub.access.ownership import Ownership
from textile_aio.localhub.call import Call
from textile_aio.localhub.host import Host
from textile_aio.localhub.services.threads import messages


class Rights:
    """The way to instances. ``ownership`` is None on a hub without accounts."""

    def __init__(self, host: Host, ownership: Ownership | None) -> None:
        self._host = host
        self._ownership = ownership

    async def enter(self, call: Call, db_id: bytes) -> tuple[ThreadID, str]:
        """The database that a request names, and as whom the caller comes: a public key text, or nobody.

        Raises:
            InvalidInput: The id is malformed.
            InvalidToken: The token is not this host's.
            NotThreadOwner: It is the mailbox of somebody else.
        """
        db, who = messages.thread_id(db_id), self._host.who(call)
        if self._ownership is not None:
            await self._ownership.check_stranger(call.caller.owner, db)
        return db, who
