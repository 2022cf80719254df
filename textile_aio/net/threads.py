"""Calls about threads as a whole, and the identities that make them."""

from __future__ import annotations

from textile_aio._arguments import context, one_of, thread_of
from textile_aio._proto.threads.net import pb
from textile_aio._rpc import challenge
from textile_aio._rpc.channel import Channel
from textile_aio.auth import AuthContext
from textile_aio.identity import Identity, PublicKey, Signer
from textile_aio.ids import Multiaddr, PeerID, ThreadID, ThreadKey
from textile_aio.net import _convert, _methods
from textile_aio.net.values import ThreadDetails


class ThreadCalls:
    """The part of :class:`NetClient <textile_aio.NetClient>` that knows nothing of records.

    Args:
        channel: The hub.
        timeout: Default for all calls; None for no limit.
    """

    def __init__(self, channel: Channel, *, timeout: float | None = None) -> None:
        self._channel = channel
        self._timeout = timeout

    async def get_host_id(self, ctx: AuthContext, *, timeout: float | None = None) -> PeerID:
        """The id of the hub's host in the peer-to-peer network. Safe to repeat."""
        reply = await self._channel.unary(
            _methods.GET_HOST_ID, pb.GetHostIdRequest(), context(ctx), timeout=self._limit(timeout)
        )
        return _convert.peer(reply.peer_id)

    async def authorize(
        self, ctx: AuthContext, identity: Identity | Signer, *, timeout: float | None = None
    ) -> AuthContext:
        """As :meth:`ThreadsClient.authorize <textile_aio.ThreadsClient.authorize>`.

        For hubs that serve the thread network alone. A host's tokens are the same at both services.

        Raises:
            BadSignature: The signature does not verify.
        """
        return ctx.with_token(await self.get_token(ctx, identity, timeout=timeout))

    async def get_token(
        self, ctx: AuthContext, identity: Identity | Signer, *, timeout: float | None = None
    ) -> str:
        """The token of an identity, a credential, for use elsewhere; otherwise as :meth:`authorize`."""
        return await challenge.obtain(
            self._channel, _methods.GET_TOKEN, context(ctx), identity, timeout=self._limit(timeout)
        )

    async def create_thread(
        self,
        ctx: AuthContext,
        thread: ThreadID | None = None,
        *,
        key: ThreadKey | None = None,
        log_key: Identity | PublicKey | None = None,
        timeout: float | None = None,
    ) -> ThreadDetails:
        """Make a thread with a log for the caller, or a log more in a thread that is there. Not idempotent.

        With a service key alone and a log's public key, the hub keeps and passes on records that it can
        neither read nor write.

        Args:
            ctx: Who calls. Its own thread plays no part.
            thread: The thread's id; a random one by default.
            key: The thread's keys, those it has where it is there already; by default the hub draws both.
            log_key: Signs the caller's records: the pair, so that the hub can write for the caller, or the
                public half; by default the hub draws one and keeps the private half.
            timeout: See the class.

        Raises:
            AlreadyExists: The log is there already, or the account has the thread.
            Conflict: The thread is there, with another key.
            QuotaExceeded: The account has as many threads as it may.
        """
        thread = ThreadID.random() if thread is None else one_of(ThreadID, thread, "the thread")
        reply = await self._channel.unary(
            _methods.CREATE_THREAD,
            pb.CreateThreadRequest(thread_id=thread.bytes, keys=_keys(key, log_key)),
            context(ctx),
            timeout=self._limit(timeout),
            about=str(thread),
        )
        return _convert.details(reply, thread)

    async def add_thread(
        self,
        ctx: AuthContext,
        addr: Multiaddr,
        key: ThreadKey,
        *,
        log_key: Identity | PublicKey | None = None,
        timeout: float | None = None,
    ) -> ThreadDetails:
        """Have the hub join a thread that another host, or itself, has. Not idempotent.

        Its records come later: call :meth:`pull_thread`.

        Args:
            ctx: Who calls.
            addr: Where the thread is; it ends in ``/thread/<id>``. ``/p2p/<this hub's id>/thread/<id>`` adds
                a log for the caller to a thread the hub has.
            key: The thread's keys. With a service key alone and no ``log_key``, no log is made.
            log_key: As for :meth:`create_thread`.
            timeout: See the class.

        Raises:
            AlreadyExists: The log is there already, or the account has the thread.
            Conflict: The thread is there, with another key.
            InvalidEncoding: The address has no ``/thread/…`` part.
            ThreadNotFound: The address is the hub's own, and it has no such thread.
            Unimplemented: The hub does not talk to other hosts.
        """
        thread = ThreadID.from_addr(one_of(Multiaddr, addr, "addr"))
        one_of(ThreadKey, key, "key")
        reply = await self._channel.unary(
            _methods.ADD_THREAD,
            pb.AddThreadRequest(addr=addr.bytes, keys=_keys(key, log_key)),
            context(ctx),
            timeout=self._limit(timeout),
            about=str(thread),
        )
        return _convert.details(reply, thread)

    async def get_thread(
        self, ctx: AuthContext, thread: ThreadID | None = None, *, timeout: float | None = None
    ) -> ThreadDetails:
        """A thread's keys as far as the hub has them, its logs and addresses. Safe to repeat.

        Raises:
            ThreadNotFound: There is no such thread.
        """
        thread = thread_of(ctx, thread)
        reply = await self._channel.unary(
            _methods.GET_THREAD,
            pb.GetThreadRequest(thread_id=thread.bytes),
            ctx,
            timeout=self._limit(timeout),
            about=str(thread),
        )
        return _convert.details(reply, thread)

    async def pull_thread(
        self, ctx: AuthContext, thread: ThreadID | None = None, *, timeout: float | None = None
    ) -> None:
        """Have the hub fetch what its logs' other hosts have and it has not. Safe to repeat.

        Raises:
            ThreadNotFound: There is no such thread.
            Unimplemented: The hub does not talk to other hosts.
        """
        thread = thread_of(ctx, thread)
        await self._channel.unary(
            _methods.PULL_THREAD,
            pb.PullThreadRequest(thread_id=thread.bytes),
            ctx,
            timeout=self._limit(timeout),
            about=str(thread),
        )

    async def delete_thread(
        self, ctx: AuthContext, thread: ThreadID | None = None, *, timeout: float | None = None
    ) -> None:
        """Delete a thread with its logs and keys at this hub; other hosts keep theirs. Not repeated.

        Raises:
            ThreadNotFound: There is no such thread.
            FailedPrecondition: There is a database in it; delete that.
        """
        thread = thread_of(ctx, thread)
        await self._channel.unary(
            _methods.DELETE_THREAD,
            pb.DeleteThreadRequest(thread_id=thread.bytes),
            ctx,
            timeout=self._limit(timeout),
            about=str(thread),
        )

    async def add_replicator(
        self,
        ctx: AuthContext,
        addr: Multiaddr,
        thread: ThreadID | None = None,
        *,
        timeout: float | None = None,
    ) -> PeerID:
        """Have another host keep the thread too. It gets the service key, never the read key. Not repeated.

        Args:
            ctx: Who calls.
            addr: The other host, with its ``/p2p/<peer id>`` part.
            thread: See the class.
            timeout: See the class.

        Returns:
            The id of that host.

        Raises:
            InvalidEncoding: The address has no ``/p2p/…`` part.
            ThreadNotFound: There is no such thread.
            Unimplemented: The hub does not talk to other hosts.
        """
        thread = thread_of(ctx, thread)
        one_of(Multiaddr, addr, "addr").value("p2p")
        reply = await self._channel.unary(
            _methods.ADD_REPLICATOR,
            pb.AddReplicatorRequest(thread_id=thread.bytes, addr=addr.bytes),
            ctx,
            timeout=self._limit(timeout),
            about=str(thread),
        )
        return _convert.peer(reply.peer_id)

    def _limit(self, timeout: float | None) -> float | None:
        return self._timeout if timeout is None else timeout


def _keys(key: ThreadKey | None, log_key: Identity | PublicKey | None) -> pb.Keys:
    if key is not None:
        one_of(ThreadKey, key, "key")
    if log_key is not None:
        one_of((Identity, PublicKey), log_key, "log_key")
    return pb.Keys(
        thread_key=key.bytes if key else b"",
        log_key=log_key.bytes if log_key else b"",
    )
