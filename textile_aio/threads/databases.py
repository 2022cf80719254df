"""Databases as a whole: made, joined, described, listed and deleted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from textile_aio._arguments import context, one_of, text, thread_of
from textile_aio._proto.threads import pb
from textile_aio.auth import AuthContext
from textile_aio.errors import AlreadyExists, InvalidInput, InvalidKey, MethodBlocked, RemoteError
from textile_aio.identity import Identity, PublicKey
from textile_aio.ids import Multiaddr, ThreadID, ThreadKey
from textile_aio.threads import _convert, _held, _methods
from textile_aio.threads._calls import Calls
from textile_aio.threads.values import CollectionConfig, DatabaseInfo


class DatabaseCalls(Calls):
    """The part of :class:`~textile_aio.ThreadsClient` that concerns databases."""

    async def new_db(
        self,
        ctx: AuthContext,
        thread: ThreadID | None = None,
        *,
        name: str = "",
        key: ThreadKey | None = None,
        log_key: Identity | PublicKey | None = None,
        collections: Iterable[CollectionConfig] = (),
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
            collections: What it has from the beginning. Our hubs make all or nothing of them; a Go hub leaves
                the thread and the collections before the one that it refuses.
            timeout: See the class.

        Returns:
            The id of the thread.

        Raises:
            AlreadyExists: There is a database in that thread, or the account has a thread of that name.
            InvalidInput: The name is not allowed, or a collection is as :meth:`new_collection` refuses it.
            InvalidKey: ``key`` has no read key.
            QuotaExceeded: The account has as many threads as it may.
        """
        thread = ThreadID.random() if thread is None else one_of(ThreadID, thread, "the thread")
        _check_keys(key, log_key)
        request = pb.NewDbRequest(
            db_id=thread.bytes,
            collections=[_convert.collection_config(config) for config in collections],
            name=text(name, "the name"),
            key=key.bytes if key else b"",
            log_key=log_key.bytes if log_key else b"",
        )
        await self._call(
            _methods.NEW_DB,
            request,
            _named(ctx, name),
            timeout=timeout,
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
        collections: Iterable[CollectionConfig] = (),
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
            collections: Those of the original database: they are not in the thread, and what belongs to one
                that is not here cannot be applied.
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
            collections=[_convert.collection_config(config) for config in collections],
            name=text(name, "the name"),
            block=backfill,
            log_key=log_key.bytes if log_key else b"",
        )
        await self._call(
            _methods.NEW_DB_FROM_ADDR,
            request,
            _named(ctx, name),
            timeout=timeout,
            about=str(thread),
        )
        return thread

    async def join_from_info(
        self,
        ctx: AuthContext,
        info: DatabaseInfo,
        *,
        include_local: bool = False,
        name: str = "",
        log_key: Identity | PublicKey | None = None,
        collections: Iterable[CollectionConfig] = (),
        backfill: bool = False,
        timeout: float | None = None,
    ) -> ThreadID:
        """Join a thread by what :meth:`get_db_info` says of it at another hub. Addresses are tried in turn.

        Args:
            ctx: Who calls.
            info: Addresses and keys of the database.
            include_local: Try also addresses that only mean something on the other hub's machine or in its
                network: loopback, link-local and private ones, and names in ``.local``.
            name: As for :meth:`new_db`.
            log_key: As for :meth:`new_db`.
            collections: As for :meth:`new_db_from_addr`.
            backfill: As for :meth:`new_db_from_addr`.
            timeout: For each address; see the class.

        Raises:
            InvalidInput: There is no address to try.
            InvalidKey: The information has no key.
            RemoteError: The thread was reached at none of the addresses; the first one's failure.
            TextileError: As :meth:`new_db_from_addr`.
        """
        key, about = one_of(DatabaseInfo, info, "the information").key, str(info.id)
        if key is None:
            raise InvalidKey("the information has no key, without which nothing can be read", about=about)
        addresses = [addr for addr in info.addrs if include_local or not _is_local(addr)]
        wanted = tuple(collections)
        failure: RemoteError | None = None
        for addr in addresses:
            try:
                return await self.new_db_from_addr(
                    ctx,
                    addr,
                    key,
                    name=name,
                    log_key=log_key,
                    collections=wanted,
                    backfill=backfill,
                    timeout=timeout,
                )
            except RemoteError as error:  # what a hub says when it cannot reach the other one
                failure = failure or error
            except AlreadyExists as error:
                # A Go hub that failed to reach an address keeps the caller's log, and refuses to try another.
                raise (failure or error) from error
        raise failure or InvalidInput("No viable addresses for dialing", about=about)

    async def list_dbs(self, ctx: AuthContext, *, timeout: float | None = None) -> list[DatabaseInfo]:
        """All databases at the hub, whoever made them. Safe to repeat.

        Raises:
            MethodBlocked: The hub has accounts. There :meth:`UsersClient.list_threads
                <textile_aio.UsersClient.list_threads>` lists the caller's own.
        """
        try:
            reply = await self._call(_methods.LIST_DBS, pb.ListDBsRequest(), context(ctx), timeout=timeout)
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
        thread = thread_of(ctx, thread)
        reply = await self._call(
            _methods.GET_DB_INFO,
            pb.GetDbInfoRequest(db_id=thread.bytes),
            ctx,
            timeout=timeout,
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
            FailedPrecondition: There are buckets in it; remove them first. Or this task has a write
                transaction open on it.
        """
        thread = thread_of(ctx, thread)
        _held.check_free(self._channel.target, thread, _methods.DELETE_DB.path)
        await self._call(
            _methods.DELETE_DB,
            pb.DeleteDbRequest(db_id=thread.bytes),
            ctx,
            timeout=timeout,
            about=str(thread),
        )


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


def _is_local(addr: Multiaddr) -> bool:
    """True for an address that cannot be expected to lead anywhere from another network."""
    protocol, value = addr.parts[0]
    if protocol in ("ip4", "ip6"):
        ip = ipaddress.ip_address(value)
        return ip.is_loopback or ip.is_link_local or ip.is_unspecified or any(ip in net for net in _PRIVATE)
    if protocol.startswith("dns"):
        host = value.rstrip(".").lower()
        return host == "localhost" or host.endswith((".localhost", ".local"))
    return False


# Not `is_private`, which also counts the networks that documentation uses in examples.
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
