"""Who may touch which thread (spec: identity-and-auth §10.5).

A thread belongs to the owner who made it, and with a user-group key to that key as well. Whether the
thread exists does not matter here, so that a stranger learns nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textile_aio._codec.multiaddr import Multiaddr
from textile_aio.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    NotThreadOwner,
    QuotaExceeded,
    StatusCode,
)
from textile_aio.ids import ThreadID
from textile_aio.localhub.access import methods
from textile_aio.localhub.access.caller import Caller, Credential
from textile_aio.localhub.access.methods import Access, Reach
from textile_aio.localhub.cache import ReadThrough
from textile_aio.localhub.mail.boxes import NAME as MAILBOX
from textile_aio.storage.locks import Locks
from textile_aio.storage.runner import StoreRunner
from textile_aio.storage.store import View
from textile_aio.storage.values import TrackedThread
from textile_aio.threaddb.databases import NAME, NAME_RULE


class Ownership:
    """Decides about threads on a hub with accounts."""

    def __init__(self, store: StoreRunner, clock: Callable[[], int], max_threads: int) -> None:
        self._store = store
        self._clock = clock
        self._max_threads = max_threads
        self._tracked = ReadThrough(self._load)
        self._mailboxes = ReadThrough(self._is_mailbox)
        self._locks = Locks()

    async def _load(self, key: tuple[bytes, bytes]) -> TrackedThread | None:
        def tracked(view: View) -> TrackedThread | None:
            return view.tracked(*key)

        return await self._store.read(tracked)

    async def _is_mailbox(self, thread: bytes) -> bool | None:
        database = await self._store.read(lambda view: view.database(thread))
        return None if database is None else database.name == MAILBOX

    async def check(self, method: str, caller: Caller, request: Any | None) -> TrackedThread | None:
        """Let the call go on, or raise. ``request`` is None where it is a stream.

        Returns:
            For a method that makes a thread, the tracking row to insert together with it.

        Raises:
            NotThreadOwner: Somebody else's thread, or one made with another API key.
            InvalidInput: The request's thread id is none (UNKNOWN here, INVALID_ARGUMENT in handlers).
            QuotaExceeded, AlreadyExists: The thread cannot be made.
        """
        row = methods.TABLE[method]
        if row.reach is Reach.NONE:
            return None
        named = _named_thread(row, request)
        if row.creates and named is not None:
            return await self._claim(row, caller, named)
        for thread in (caller.thread, named):
            if thread is not None:
                await self._check_owner(row, caller, bytes(thread))
        return None

    async def check_stranger(self, owner: bytes | None, thread: ThreadID) -> None:
        """Let whoever acts for ``owner``, or nobody, go on to the instances of a database, or raise.

        Databases are open to strangers: validators and filters decide there, and mailboxes have none.
        Upstream lets strangers read and change those.

        Raises:
            NotThreadOwner: It is somebody else's mailbox.
        """
        key = bytes(thread)
        if await self._mailboxes.get(key) and (
            owner is None or await self._tracked.get((owner, key)) is None
        ):
            raise NotThreadOwner("User does not own thread", code=StatusCode.PERMISSION_DENIED)

    @asynccontextmanager
    async def claiming(self, claim: TrackedThread) -> AsyncIterator[None]:
        """Write a claim's row within this: an owner's claims come one by one, so none goes past the limit.

        Raises:
            QuotaExceeded, AlreadyExists: Another claim was written since the check.
        """
        async with self._locks.hold(claim.owner):
            await self._check_claim(claim)
            yield

    def forget(self, owner: bytes, thread: bytes) -> None:
        """Look at the tracking row anew, after it was deleted."""
        self._tracked.forget((owner, thread))
        self._mailboxes.forget(thread)

    def forget_all(self) -> None:
        """Look at all rows anew, after an account was taken away with its threads and its keys' threads."""
        self._tracked.clear()
        self._mailboxes.clear()

    async def _check_owner(self, row: Access, caller: Caller, thread: bytes) -> None:
        if caller.owner is None:
            raise FailedPrecondition("account is required", code=StatusCode.FAILED_PRECONDITION)
        tracked = await self._tracked.get((caller.owner, thread))
        if tracked is None:
            if row.reach is not Reach.SHARED:
                raise NotThreadOwner("User does not own thread", code=StatusCode.PERMISSION_DENIED)
        elif caller.credential is Credential.USER_KEY and tracked.key != caller.api_key:
            raise NotThreadOwner("Bad API key", code=StatusCode.PERMISSION_DENIED)

    async def _claim(self, row: Access, caller: Caller, thread: ThreadID) -> TrackedThread:
        owner = caller.owner
        if owner is None:
            raise FailedPrecondition("account is required", code=StatusCode.FAILED_PRECONDITION)
        claim = TrackedThread(
            owner=owner,
            thread=bytes(thread),
            name=caller.thread_name,
            key=caller.api_key,
            is_database=row.reach is Reach.NEW_DATABASE,
            created_at=self._clock(),
        )
        await self._check_claim(claim)
        return claim

    async def _check_claim(self, claim: TrackedThread) -> None:
        existing = await self._store.read(lambda view: view.tracked_by(claim.owner))
        if self._max_threads and len(existing) >= self._max_threads:
            raise QuotaExceeded("number of threads per owner exceeds quota", code=StatusCode.UNKNOWN)
        if claim.name and not NAME.fullmatch(claim.name):
            raise InvalidInput(NAME_RULE, code=StatusCode.UNKNOWN, about=claim.name)
        folded = claim.name.casefold()
        if any(
            other.thread == claim.thread or (folded and other.name.casefold() == folded) for other in existing
        ):
            raise duplicate()


def duplicate() -> AlreadyExists:
    """The text clients look for when an owner has the thread, or its name, already."""
    return AlreadyExists(
        "multiple write errors: [{write errors: [{E11000 duplicate key error collection: textile.threads}]}]",
        code=StatusCode.UNKNOWN,
    )


def _named_thread(row: Access, request: Any | None) -> ThreadID | None:
    if not row.named_by or request is None:
        return None
    data = bytes(getattr(request, row.named_by))
    try:
        return (
            ThreadID.from_addr(Multiaddr.from_bytes(data))
            if row.named_by == "addr"
            else ThreadID.from_bytes(data)
        )
    except InvalidInput as error:
        raise InvalidInput(error.message, code=StatusCode.UNKNOWN) from None
