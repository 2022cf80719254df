"""The part of the threads client that concerns listening."""

from __future__ import annotations

from collections.abc import Iterable

from textile_aio._arguments import one_of, text, thread_of
from textile_aio._rpc.retry import RetryPolicy
from textile_aio.auth import AuthContext
from textile_aio.identity import Identity, Signer
from textile_aio.ids import ThreadID
from textile_aio.threads.definitions import CollectionCalls
from textile_aio.threads.instances import InstanceCalls
from textile_aio.threads.listening.listening import BACK_OFF, Listening
from textile_aio.threads.listening.rereading import Rereader
from textile_aio.threads.listening.values import ChangeAction, ListenFilter


class ListenCalls(CollectionCalls, InstanceCalls):
    """The part of :class:`~textile_aio.ThreadsClient` that concerns listening."""

    def listen(
        self,
        ctx: AuthContext,
        thread: ThreadID | None = None,
        filters: Iterable[ListenFilter] | ListenFilter | str = (),
        *,
        since: str | None = None,
        identity: Identity | Signer | None = None,
        retry: RetryPolicy = BACK_OFF,
    ) -> Listening:
        """Hear of every change in a database, in the order of the writes.

        ::

            async with hub.threads.listen(ctx, thread, "people") as changes:
                await hub.threads.create(ctx, thread, "people", [{"age": 36}])
                change = await anext(changes)

        At the hub of this package every change is told exactly once, also across cuts of the connection and
        restarts of client and hub. At a Go hub changes may be lost even without a cut when many come at once
        (spec: threads-api §8); after a cut a :class:`~textile_aio.Gap` is told, and what was written
        meanwhile read again.

        Args:
            ctx: Who listens. The collection's read filter decides what they see; what it hides is not told.
            thread: The database.
            filters: What is wanted: a change is told if any filter matches. None at all: everything. A text
                is the name of a collection.
            since: Start after this position, which an earlier change had, or :attr:`Listening.position
                <textile_aio.Listening.position>`; by default, from now on.
            identity: Gets a new token, once, when the hub does not take the context's any more.
            retry: How long to wait before coming back, and how often; by default without end, every 10
                seconds at most.

        Raises:
            InvalidInput: An argument is of another type; or ``since`` is no position, which is found out
                where the listener is registered.
            ThreadNotFound, DatabaseNotFound: There is nothing to listen to; where it is registered.
        """
        if isinstance(filters, str):
            filters = ListenFilter(text(filters, "the name of the collection"))
        if isinstance(filters, ListenFilter):
            filters = (filters,)
        wanted = [one_of(ListenFilter, each, "a filter") for each in filters]
        for each in wanted:
            text(each.collection, "a filter's collection")
            text(each.id, "a filter's id")
            if each.action is not None:
                one_of(ChangeAction, each.action, "a filter's action")
        target = thread_of(ctx, thread)
        return Listening(
            self._channel,
            ctx,
            target,
            wanted,
            Rereader(self, self, target, wanted),
            since=since if since is None else text(since, "since"),
            identity=identity,
            retry=one_of(RetryPolicy, retry, "retry"),
        )
