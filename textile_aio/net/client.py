"""The client of a hub's thread network service, and its calls about records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from textile_aio._arguments import context, one_of, thread_of
from textile_aio._proto.threads.net import pb
from textile_aio.auth import AuthContext
from textile_aio.errors import IntegrityError, InvalidKey, NotFound
from textile_aio.ids import Cid, PeerID, ThreadID, ThreadKey
from textile_aio.net import _convert, _methods
from textile_aio.net.subscription import Subscription
from textile_aio.net.threads import ThreadCalls
from textile_aio.net.values import ThreadDetails, ThreadRecord
from textile_aio.records import dagcbor
from textile_aio.records.record import Record, verify


class NetClient(ThreadCalls):
    """Threads, their logs, and the records in them: what databases are made of, below the databases.

    Reached as :attr:`HubClient.net <textile_aio.HubClient.net>`. Every call takes the context first. Errors
    that can come from every call and are not repeated below: :class:`~textile_aio.ClosedError` before
    anything is sent, :class:`~textile_aio.Unauthenticated`, :class:`~textile_aio.PermissionDenied`,
    :class:`~textile_aio.Unavailable`, :class:`~textile_aio.DeadlineExceeded` and
    :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds and includes repetitions; without one the client's default applies. Hubs look
    for records they lack at other hosts until the deadline, so calls that read or add records should have
    one. Calls that only read, and adding a record, are repeated when the hub was unavailable; others only
    when their request certainly never left.

    Where a thread may be given and is not, the context's is meant, and :class:`~textile_aio.ThreadRequired`
    raised before anything is sent if it names none. Where the thread's ``key`` may be given and is not, the
    hub is asked for it first.

    Nothing a hub says of a record is believed: the record named is the one that comes, its blocks are those
    it links to, and the log it is of has signed it.

    Args:
        channel: The hub.
        timeout: Default for all calls; None for no limit.
    """

    async def create_record(
        self,
        ctx: AuthContext,
        body: Any,
        thread: ThreadID | None = None,
        *,
        key: ThreadKey | None = None,
        timeout: float | None = None,
    ) -> ThreadRecord:
        """Have the hub write a record in the caller's log, which it makes if need be. Not repeated.

        The hub seals and signs, so it needs the thread's whole key and the log's private key. Some hubs fork
        a log when two such calls for one identity meet: make one after another. An error does not
        prove that nothing was written.

        Args:
            ctx: Who calls; without a token, the hub itself is the author.
            body: What DAG-CBOR holds (None, bool, int, float, str, list, dict, ``Cid``), or bytes that are
                DAG-CBOR already.
            thread: See the class.
            key: See the class.
            timeout: See the class.

        Raises:
            InvalidInput: DAG-CBOR has no form for the body, or its bytes are not in that form.
            ThreadNotFound: There is no such thread.
            FailedPrecondition: There is a database in it; write by that.
            IntegrityError: What the hub says it has recorded is not what was sent.
        """
        thread = thread_of(ctx, thread)
        data = _body(body)
        limit = self._limit(timeout)
        if key is None:
            found, limit = await self._look_first(ctx, thread, limit)
            key = _known(found.key, thread)
        reply = await self._channel.unary(
            _methods.CREATE_RECORD,
            pb.CreateRecordRequest(thread_id=thread.bytes, body=data),
            ctx,
            timeout=limit,
            about=str(thread),
        )
        _, log = _convert.announced(reply, frozenset((thread,)))
        made = _convert.record(reply.record, thread=thread, key=key, logs=(log,))
        if key.can_read and made.body != data:
            raise IntegrityError("the hub recorded another body than the one sent", about=str(made.cid))
        return made

    async def add_record(
        self,
        ctx: AuthContext,
        log: PeerID,
        record: Record,
        thread: ThreadID | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        """Give the hub a record made elsewhere. Safe to repeat: adding one that it has does nothing.

        A log is a chain: add its records in order. An error does not prove that nothing was written; add
        the same record again, never another one with the same ``prev``.

        Args:
            ctx: Who calls.
            log: The log it is of, which the thread must have.
            record: The record.
            thread: See the class.
            timeout: See the class.

        Raises:
            BadSignature: That log did not sign it; nothing was sent.
            ThreadNotFound: There is no such thread.
            NotFound: The thread has no such log.
            WriteDenied: There is a database in the thread, and its collection refuses the change.
        """
        thread = thread_of(ctx, thread)
        verify(one_of(Record, record, "the record"), _convert.key_of(one_of(PeerID, log, "the log")))
        await self._channel.unary(
            _methods.ADD_RECORD,
            pb.AddRecordRequest(
                thread_id=thread.bytes, log_id=log.bytes, record=_convert.blocks(record.nodes)
            ),
            ctx,
            timeout=self._limit(timeout),
            about=str(record.cid),
        )

    async def get_record(
        self,
        ctx: AuthContext,
        cid: Cid,
        thread: ThreadID | None = None,
        *,
        log: PeerID | None = None,
        key: ThreadKey | None = None,
        timeout: float | None = None,
    ) -> ThreadRecord:
        """One record. Safe to repeat.

        Args:
            ctx: Who calls.
            cid: The record.
            thread: See the class.
            log: The log it is of; by default any that the thread has. With both log and key the thread is
                not asked for first.
            key: See the class.
            timeout: See the class.

        Raises:
            ThreadNotFound: There is no such thread.
            DecryptionFailed: The record is not of this thread, or ``key`` not the thread's.
            IntegrityError: The hub sent another record, or one whose parts do not belong together.
            BadSignature: The log, or no log of the thread, signed it.
        """
        thread = thread_of(ctx, thread)
        one_of(Cid, cid, "the record's CID")
        limit = self._limit(timeout)
        logs: tuple[PeerID, ...] = () if log is None else (one_of(PeerID, log, "the log"),)
        if key is None or not logs:
            found, limit = await self._look_first(ctx, thread, limit)
            key = _known(key or found.key, thread)
            logs = logs or tuple(each.id for each in found.logs)
        return await self._get_record(ctx, cid, thread, key=key, logs=logs, timeout=limit)

    async def log_records(
        self,
        ctx: AuthContext,
        log: PeerID,
        thread: ThreadID | None = None,
        *,
        since: Cid | None = None,
        key: ThreadKey | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[ThreadRecord]:
        """The records of a log, newest first, by one call each. Safe to repeat; nothing is held between them.

        Args:
            ctx: Who calls.
            log: The log.
            thread: See the class.
            since: Stop before this record, the newest known so far.
            key: See the class.
            timeout: For each call; see the class.

        Raises:
            ThreadNotFound: There is no such thread.
            NotFound: The thread has no such log.
            IntegrityError: As for :meth:`get_record`; or the log has come to its end without ``since``, so
                that its writer, or the hub, has put another chain in its place.
        """
        thread = thread_of(ctx, thread)
        found = await self.get_thread(ctx, thread, timeout=timeout)
        info = found.log(one_of(PeerID, log, "the log"))
        if info is None:
            raise NotFound("the thread has no such log", about=str(log))
        key = _known(key or found.key, thread)
        at = info.head
        while at is not None and at != since:
            record = await self._get_record(
                ctx, at, thread, key=key, logs=(info.id,), timeout=self._limit(timeout)
            )
            yield record
            at = record.prev
        if at != since:
            raise IntegrityError("the log does not contain the record known before", about=str(since))

    def subscribe(
        self,
        ctx: AuthContext,
        threads: Iterable[ThreadID] = (),
        *,
        keys: Mapping[ThreadID, ThreadKey] | None = None,
        timeout: float | None = None,
    ) -> Subscription:
        """Watch for records that reach the hub, the caller's own among them.

        To be entered with ``async with``, and iterated over within the block. What was there before is not
        given out, nor what was missed when the call broke off: then read the logs with :meth:`log_records`.

        Args:
            ctx: Who calls.
            threads: Which threads; by default all of the host.
            keys: Keys of threads, where they are known; the hub is asked for others when a record comes.
            timeout: Seconds until the call ends with :class:`~textile_aio.DeadlineExceeded`; by default
                never.

        Raises:
            MethodBlocked: The hub has accounts. There, look at the logs' heads now and then, with
                :meth:`get_thread`. Raised by the iteration, like all that the hub refuses.
        """
        wanted = frozenset(one_of(ThreadID, thread, "a thread") for thread in threads)
        known = dict(keys or {})

        async def key_of(thread: ThreadID) -> ThreadKey:
            if thread not in known:
                known[thread] = _known((await self.get_thread(ctx, thread)).key, thread)
            return known[thread]

        stream = self._channel.stream(
            _methods.SUBSCRIBE,
            context(ctx),
            timeout=timeout,
            about=", ".join(sorted(map(str, wanted))),
            request=pb.SubscribeRequest(thread_i_ds=[thread.bytes for thread in wanted]),
        )
        return Subscription(stream, wanted=wanted, key_of=key_of)

    async def _look_first(
        self, ctx: AuthContext, thread: ThreadID, limit: float | None
    ) -> tuple[ThreadDetails, float | None]:
        """The thread, and the seconds left of ``limit`` for the call that needs it."""
        clock = asyncio.get_running_loop().time
        began = clock()
        found = await self.get_thread(ctx, thread, timeout=limit)
        return found, None if limit is None else limit - (clock() - began)

    async def _get_record(
        self,
        ctx: AuthContext,
        cid: Cid,
        thread: ThreadID,
        *,
        key: ThreadKey,
        logs: Iterable[PeerID],
        timeout: float | None,
    ) -> ThreadRecord:
        reply = await self._channel.unary(
            _methods.GET_RECORD,
            pb.GetRecordRequest(thread_id=thread.bytes, record_id=cid.bytes),
            ctx,
            timeout=timeout,
            about=str(cid),
        )
        return _convert.record(reply.record, thread=thread, key=key, logs=logs, expected=cid)


def _known(key: ThreadKey | None, thread: ThreadID) -> ThreadKey:
    """The thread's key, which records open with."""
    if key is None:
        raise InvalidKey("the hub does not hold the thread's key; give it", about=str(thread))
    return one_of(ThreadKey, key, "key")


def _body(body: Any) -> bytes:
    if not isinstance(body, bytes):
        return dagcbor.encode(body)
    dagcbor.decode(body)
    return body
