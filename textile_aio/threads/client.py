"""Calls to a hub's threads service: tokens, and databases as a whole."""

from __future__ import annotations

from textile_aio._arguments import context, one_of, text
from textile_aio._proto.threads import pb
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.errors import InvalidInput, MethodBlocked, ThreadRequired
from textile_aio.identity import Identity, PublicKey, Signer
from textile_aio.ids import Multiaddr, ThreadID, ThreadKey
from textile_aio.threads import _convert, _methods, tokens
from textile_aio.threads.values import DatabaseInfo


class ThreadsClient:
    """Threads and the databases in them.

    Reached as :attr:`HubClient.threads <textile_aio.HubClient.threads>`. Every call takes the context first.
    Errors that can come from every call and are not repeated below: :class:`~textile_aio.ClosedError` before
    anything is sent, :class:`~textile_aio.Unauthenticated`, :class:`~textile_aio.PermissionDenied`,
    :class:`~textile_aio.Unavailable`, :class:`~textile_aio.DeadlineExceeded` and
    :class:`~textile_aio.ProtocolError`.

    ``timeout`` is in seconds and includes repetitions; without one the client's default applies. Calls that
    only read are repeated when the hub was unavailable; others only when their request certainly never left.

    Where a thread may be given and is not, the context's is meant, and :class:`~textile_aio.ThreadRequired`
    raised before anything is sent if it names none.

    Args:
        channel: The hub.
        timeout: Default for all calls; None for no limit.
    """

    def __init__(self, channel: Channel, *, timeout: float | None = None) -> None:
        self._channel = channel
        self._timeout = timeout

    async def authorize(
        self, ctx: AuthContext, identity: Identity | Signer, *, timeout: float | None = None
    ) -> AuthContext:
        """Get a token for an identity and return the context with it; further calls act as that identity.

        Args:
            ctx: Who asks: on a hub with accounts, an API key or a session. A token it has is replaced.
            identity: The identity, or what signs for it. It signs the hub's challenge; no private key is
                sent.
            timeout: See the class; the time the signer takes counts.

        Raises:
            BadSignature: The signature does not verify.
        """
        return ctx.with_token(await self.get_token(ctx, identity, timeout=timeout))

    async def get_token(
        self, ctx: AuthContext, identity: Identity | Signer, *, timeout: float | None = None
    ) -> str:
        """The token of an identity, a credential, for use elsewhere; otherwise as :meth:`authorize`."""
        return await tokens.obtain(self._channel, ctx, identity, timeout=self._limit(timeout))

    async def new_db(
        self,
        ctx: AuthContext,
        thread: ThreadID | None = None,
        *,
        name: str = "",
        key: ThreadKey | None = None,
        log_key: Identity | PublicKey | None = None,
        timeout: float | None = None,
    ) -> ThreadID:
        """Make a database in a new thread. Not idempotent.

        Args:
            ctx: Who calls. Its own thread plays no part.
            thread: The new thread's id; a random one by default.
            name: Letters, digits and single hyphens between them. It names the database, and on a hub with
                accounts also the thread, unless the context has a thread name: that one is then the thread's.
            key: The thread's keys, with the read key; by default the hub draws them.
            log_key: Signs the caller's log, or its public half; by default the hub draws one.
            timeout: See the class.

        Returns:
            The id of the thread.

        Raises:
            AlreadyExists: There is a database in that thread, or the account has a thread of that name.
            InvalidInput: The name is not allowed.
            InvalidKey: ``key`` has no read key.
            QuotaExceeded: The account has as many threads as it may.
        """
        thread = ThreadID.random() if thread is None else one_of(ThreadID, thread, "the thread")
        _check_keys(key, log_key)
        request = pb.NewDbRequest(
            db_id=thread.bytes,
            name=text(name, "the name"),
            key=key.bytes if key else b"",
            log_key=log_key.bytes if log_key else b"",
        )
        await self._channel.unary(
            _methods.NEW_DB,
            request,
            _named(ctx, name),
            timeout=self._limit(timeout),
            about=name or str(thread),
        )
        return thread

    async def new_db_from_addr(
        self,
        ctx: AuthContext,
        addr: Multiaddr,
        key: ThreadKey,
        *,
        name: str = "",
        log_key: Identity | PublicKey | None = None,
        backfill: bool = False,
        timeout: float | None = None,
    ) -> ThreadID:
        """Join a thread that another host has, and replicate its database. Not idempotent.

        Args:
            ctx: Who calls.
            addr: Where the thread is, as :attr:`DatabaseInfo.addrs` says it: it ends in ``/thread/<id>``.
            key: The thread's keys, with the read key.
            name: As for :meth:`new_db`.
            log_key: As for :meth:`new_db`.
            backfill: Return only when the records that are there have been pulled.
            timeout: See the class.

        Returns:
            The id of the thread.

        Raises:
            AlreadyExists: The database is at this hub already.
            InvalidEncoding: The address has no ``/thread/…`` part.
            Unimplemented: The hub does not talk to other hosts.
        """
        thread = ThreadID.from_addr(one_of(Multiaddr, addr, "addr"))
        _check_keys(one_of(ThreadKey, key, "key"), log_key)
        request = pb.NewDbFromAddrRequest(
            addr=addr.bytes,
            key=key.bytes,
            name=text(name, "the name"),
            block=backfill,
            log_key=log_key.bytes if log_key else b"",
        )
        await self._channel.unary(
            _methods.NEW_DB_FROM_ADDR,
            request,
            _named(ctx, name),
            timeout=self._limit(timeout),
            about=str(thread),
        )
        return thread

    async def list_dbs(self, ctx: AuthContext, *, timeout: float | None = None) -> list[DatabaseInfo]:
        """All databases at the hub, whoever made them. Safe to repeat.

        Raises:
            MethodBlocked: The hub has accounts. There :meth:`UsersClient.list_threads
                <textile_aio.UsersClient.list_threads>` lists the caller's own.
        """
        try:
            reply = await self._channel.unary(
                _methods.LIST_DBS, pb.ListDBsRequest(), context(ctx), timeout=self._limit(timeout)
            )
        except MethodBlocked as error:
            error.add_note(
                "This hub has accounts: hub.users.list_threads(ctx) lists the threads of the caller's."
            )
            raise
        return [_convert.listed(database) for database in reply.dbs]

    async def get_db_info(
        self, ctx: AuthContext, thread: ThreadID | None = None, *, timeout: float | None = None
    ) -> DatabaseInfo:
        """Name, keys and addresses of a database. Safe to repeat. The keys open everything in the thread.

        Raises:
            ThreadNotFound: There is no such thread.
            DatabaseNotFound: There is no database in it.
        """
        thread = _thread(ctx, thread)
        reply = await self._channel.unary(
            _methods.GET_DB_INFO,
            pb.GetDbInfoRequest(db_id=thread.bytes),
            ctx,
            timeout=self._limit(timeout),
            about=str(thread),
        )
        return _convert.database(thread, reply)

    async def delete_db(
        self, ctx: AuthContext, thread: ThreadID | None = None, *, timeout: float | None = None
    ) -> None:
        """Delete a database and its thread. Not repeated.

        Raises:
            ThreadNotFound: There is no such thread.
            DatabaseNotFound: There is no database in it.
            FailedPrecondition: There are buckets in it; remove them first.
        """
        thread = _thread(ctx, thread)
        await self._channel.unary(
            _methods.DELETE_DB,
            pb.DeleteDbRequest(db_id=thread.bytes),
            ctx,
            timeout=self._limit(timeout),
            about=str(thread),
        )

    def _limit(self, timeout: float | None) -> float | None:
        return self._timeout if timeout is None else timeout


def _thread(ctx: AuthContext, thread: ThreadID | None) -> ThreadID:
    context(ctx)
    if thread is not None:
        return one_of(ThreadID, thread, "the thread")
    if ctx.thread is None:
        raise ThreadRequired(f"no thread is given and the context names none; {ThreadRequired.hint}")
    return ctx.thread


def _check_keys(key: ThreadKey | None, log_key: Identity | PublicKey | None) -> None:
    if key is not None:
        one_of(ThreadKey, key, "key")
    if log_key is not None:
        one_of((Identity, PublicKey), log_key, "log_key")


def _named(ctx: AuthContext, name: str) -> AuthContext:
    context(ctx)
    if not name or ctx.thread_name:
        return ctx
    if not name.isascii():
        raise InvalidInput("a name consists of letters, digits and single hyphens between them", about=name)
    return ctx.with_thread_name(name)
