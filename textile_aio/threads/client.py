"""The client for a hub's threads service, put together from groups of calls, and how an identity gets in."""

from __future__ import annotations

from textile_aio._arguments import context
from textile_aio._rpc import challenge
from textile_aio.auth import AuthContext
from textile_aio.identity import Identity, Signer
from textile_aio.threads._methods import GET_TOKEN
from textile_aio.threads.databases import DatabaseCalls
from textile_aio.threads.listening.calls import ListenCalls
from textile_aio.threads.transactions import TransactionCalls
from textile_aio.threads.typed.calls import TypedCalls


class ThreadsClient(DatabaseCalls, TypedCalls, ListenCalls, TransactionCalls):
    """Threads, the databases in them, their collections, and the instances in those.

    Reached as :attr:`HubClient.threads <textile_aio.HubClient.threads>`. Every call takes the context first.
    Errors that can come from every call and are not repeated below: :class:`~textile_aio.ClosedError` before
    anything is sent, :class:`~textile_aio.Unauthenticated`, :class:`~textile_aio.PermissionDenied`,
    :class:`~textile_aio.Unavailable`, :class:`~textile_aio.DeadlineExceeded` and
    :class:`~textile_aio.ProtocolError`; from every call on a database
    :class:`~textile_aio.ThreadNotFound` and :class:`~textile_aio.DatabaseNotFound`, and from every call on a
    collection :class:`~textile_aio.CollectionNotFound`.

    ``timeout`` is in seconds and includes repetitions; without one the client's default applies. Calls that
    only read are repeated when the hub was unavailable; others only when their request certainly never left.

    Calls on a database take its thread next; with None the context's is meant, and
    :class:`~textile_aio.ThreadRequired` raised before anything is sent if it names none.

    A document goes out as a dictionary, a dataclass, a pydantic model, a msgspec struct, or as the bytes of
    its JSON text; it comes in as a dictionary, or as the type that ``as_`` names: one of these, a
    ``TypedDict``, or ``bytes``. The hub adds the member ``_mod``, the time of the last write in nanoseconds
    since 1970; a type that does not know it does without.

    A hub lets a database have one writer at a time. A call that changes something waits while a write
    transaction is open there; where that transaction is the calling task's own, the call raises
    :class:`~textile_aio.FailedPrecondition` at once. At a Go hub reads wait as well.

    Args:
        channel: The hub.
        timeout: Default for all calls; None for no limit.
    """

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
        limit = self._timeout if timeout is None else timeout
        return await challenge.obtain(self._channel, GET_TOKEN, context(ctx), identity, timeout=limit)
